"""Figures: measures switches of the model, and prints tables for docs/models.md and draws a plot.

    python -m tests.checker.figures [--runs 20] [--people 1000] [--talk 100] [--plot screenshots/switching.svg]

Each run fills a room with chat-crowd and switches it in all six directions while the crowd talks. After the runs, the
resources of the server are compared before and after fifty switches in a row. The crowd shares the machine with the
server, so no other program should run. A run takes 40 seconds, fifty switches of a thousand about two minutes.
"""

import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

import click
import msgspec
from msgspec import Struct

from tests.running import OPERATOR_KEY, Facts, start, wait_until
from tui.crowd.plot import write as write_plot
from tui.crowd.report import Report, format_model
from tui.style import style_of

PAUSE_LIMITS_S = {"event": 0.25, "thread": 0.25, "process": 1.5}
"""Seconds for which a switch to this model may pause the deliveries to a thousand connections."""
LEAK_LIMIT = 0.10
SWITCH_INTERVAL_S = 4.0
"""Seconds between two switches: enough for all lines that a switch delays to arrive."""
RUN_DURATION_S = 7.4 * SWITCH_INTERVAL_S
"""Seconds of a run: six switches, and a reserve for slow ones."""
DIRECTIONS = [
    (before, after)
    for after in ("event", "thread", "process")
    for before in ("event", "thread", "process")
    if before != after
]


class Direction(Struct):
    """One of the six directions, over all runs."""

    pauses: list[float] = []
    """Seconds: for each switch the longest time that a line took to any member."""
    told: list[float] = []
    """Seconds: the pauses that the room reported."""
    dropped: int = 0


class Total(Struct):
    """Counts over all runs."""

    runs: int = 0
    reconnects: int = 0
    absent: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    deliveries: int = 0
    failed: int = 0


@click.command(context_settings={"show_default": True})
@click.option("--runs", default=20, help="Runs of six switches.")
@click.option("--people", default=1000, help="Connections.")
@click.option("--talk", default=100.0, help="Lines a second, all together.")
@click.option("--switches", default=50, help="Switches in a row, to find leaks.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the run in the middle into this SVG, and a PNG beside it.",
)
def main(runs: int, people: int, talk: float, switches: int, plot: Path | None) -> None:
    """Measure switches, and print the tables in Markdown."""
    directions: defaultdict[tuple[str, str], Direction] = defaultdict(Direction)
    total = Total()
    reports: list[Report] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(runs):
            report = run(folder, people, talk)
            count(report, directions, total)
            reports.append(report)
            click.echo(f"run {number + 1}: {told(report)}", err=True)
        if runs:
            click.echo(switch_table(directions, total, people, talk))
        if switches:
            click.echo(leak_table(*measure_leaks(folder, people, switches), switches))
    if plot is not None and reports:
        typical = sorted(reports, key=lambda report: sum(switch.pause for switch in report.switches))[len(reports) // 2]
        write_plot(typical, plot)
        write_plot(typical, plot.with_suffix(".png"))


def run(folder: Path, people: int, talk: float) -> Report:
    """Return the report of one crowd. Raises msgspec.DecodeError without a report."""
    server = start("event", folder, "--rate-limit", "10/2")
    command = [sys.executable, "-m", "tui.crowd.cli", f"127.0.0.1:{server.address[1]}", "--json"]
    command += [
        "--people",
        f"{people}",
        "--talk",
        f"{talk}",
        "--for",
        f"{RUN_DURATION_S}",
        "--switch-every",
        f"{SWITCH_INTERVAL_S}",
    ]
    try:
        done = subprocess.run(
            [*command, "--operator-key-file", "-"], input=OPERATOR_KEY.encode(), stdout=subprocess.PIPE, check=False
        )
    finally:
        server.close()
    return msgspec.json.decode(done.stdout, type=Report)


def count(report: Report, directions: dict[tuple[str, str], Direction], total: Total) -> None:
    """Add the report of a run to the totals."""
    for switch in report.switches:
        direction = directions[switch.before, switch.after]
        direction.pauses.append(switch.pause)
        direction.told.append(switch.reported_pause)
        direction.dropped += switch.dropped
    total.runs += 1
    total.reconnects += report.reconnects
    total.absent += report.absent
    total.lost += report.violations.lost
    total.doubled += report.violations.doubled
    total.out_of_order += report.violations.out_of_order + len(report.violations.wrong)
    total.deliveries += report.deliveries
    total.failed += report.switches_failed


def told(report: Report) -> str:
    """Summarize a run in one line."""
    pauses = ", ".join(f"{way(s.before, s.after, short=True)} {ms(s.pause)}" for s in report.switches)
    wrong = "something was wrong" if report.violations or report.absent else "nothing lost"
    return f"{pauses}; {report.reconnects} reconnects; {wrong}"


def switch_table(directions: dict[tuple[str, str], Direction], total: Total, people: int, talk: float) -> str:
    """Format the table of pauses, below a sentence with the totals."""
    lines = [
        f"{people:,} connections, {talk:g} lines a second, {total.runs} run{'s' * (total.runs != 1)} of six switches, "
        f"{total.deliveries:,} deliveries: {total.reconnects} connections dropped, {total.lost} lines lost, "
        f"{total.doubled} doubled, {total.out_of_order} out of order.",
        "",
        "| switch | pause: median | the longest | may be | as the room told it | dropped |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for before, after in DIRECTIONS:
        if (direction := directions.get((before, after))) is not None:
            longest, limit = max(direction.pauses), PAUSE_LIMITS_S[after]
            over = " **over**" if longest > limit else ""
            lines.append(
                f"| {way(before, after)} | {ms(median(direction.pauses))} | {ms(longest)}{over} | {ms(limit)} | "
                f"{ms(median(direction.told))} | {direction.dropped} |"
            )
    if total.failed or total.absent:
        lines += ["", f"**{total.failed} switches failed, {total.absent} people were not there at the end.**"]
    return "\n".join(lines) + "\n"


def measure_leaks(folder: Path, people: int, switches: int) -> tuple[Facts, Facts]:
    """Return the resources of a server in the event model, before and after `switches` switches.

    Each model has run once before the first measurement: memory that is loaded once is no leak.
    """
    server = start("event", folder, "--rate-limit", "off")
    try:
        for number in range(people - 1):
            server.rich(f"m{number}")
        operator = server.operator()
        operator.expect_presence(joined=["boss"])
        for model in ("thread", "process", "event"):
            operator.switch(model)
        wait_until(lambda: not server.children(), "no worker is left")
        before = server.facts()
        order = ["process", "thread", "event", "thread", "process", "event"]
        for number in range(switches):
            left = switches - number
            operator.switch(order[number % 6] if left > 1 else "event")
        wait_until(lambda: not server.children(), "no worker is left")
        return before, server.facts()
    finally:
        server.close()


def leak_table(before: Facts, after: Facts, switches: int) -> str:
    """Format the table of the resources that may leak."""
    lines = [
        f"| at rest, by the event model | each model has run once | after {switches} switches more | |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name in Facts._fields:
        first, last = getattr(before, name), getattr(after, name)
        change = (last - first) / first if first else float(last)
        over = " **over**" if change > LEAK_LIMIT else ""
        shown = [f"{value / 2**20:.1f} MiB" if name == "memory" else f"{value:,}" for value in (first, last)]
        words = "file descriptors" if name == "fds" else name
        lines.append(f"| {words} | {shown[0]} | {shown[1]} | {change:+.1%}{over} |")
    return "\n".join(lines) + "\n"


def way(before: str, after: str, *, short: bool = False) -> str:
    """Name a direction, with the signs of both models."""
    if short:
        return f"{style_of(before).sign}→{style_of(after).sign}"
    return f"{format_model(before)} → {format_model(after)}"


def ms(seconds: float) -> str:
    """Format seconds as milliseconds."""
    return f"{seconds * 1000:,.0f} ms"


if __name__ == "__main__":
    main()
