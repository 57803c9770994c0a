"""Figures per second, which `make bench` prints after the tables, with their ratios within each group."""

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

PerSecond = Callable[[int, str], None]
Remark = Callable[[str, str], None]
_remarks = pytest.StashKey[list[tuple[str, str]]]()
_figures = pytest.StashKey[list[tuple[str, str, str, float]]]()


@pytest.fixture
def per_second(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> PerSecond:
    """`per_second(count, unit)` is called after the measurement: a round did `count` of `unit`."""

    def note(count: int, unit: str) -> None:
        if benchmark.stats is not None:  # None under --benchmark-disable
            figures = request.config.stash.setdefault(_figures, [])
            rate = count / benchmark.stats.stats.median
            figures.append((benchmark.group or "", request.node.name.removeprefix("test_"), unit, rate))

    return note


@pytest.fixture
def remark(request: pytest.FixtureRequest) -> Remark:
    """`remark(group, line)` adds a line to print in this group."""

    def note(group: str, line: str) -> None:
        request.config.stash.setdefault(_remarks, []).append((group, line))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the remarks, and the medians by group, the fastest first."""
    remarks = config.stash.get(_remarks, [])
    for group in dict.fromkeys(group for group, _ in remarks):
        terminalreporter.section(group)
        for line in [line for name, line in remarks if name == group]:
            terminalreporter.write_line(line)
    figures = config.stash.get(_figures, [])
    for group in dict.fromkeys(figure[0] for figure in figures):
        rows = sorted((figure for figure in figures if figure[0] == group), key=lambda row: -row[3])
        terminalreporter.section(group)
        for _, name, unit, rate in rows:
            terminalreporter.write_line(
                f"{name:<44} {rate:>12,.0f} {unit} a second   {rate / rows[0][3]:5.2f} of the best"
            )
