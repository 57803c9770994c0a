"""The tables for docs/models.md show the measured values, and mark those above their limit."""

from collections import defaultdict

from tests.checker.figures import Direction, Total, count, leak_table, switch_table
from tests.running import Facts
from tests.tui.crowd_reports import a_report


def test_switch_table_has_a_row_for_each_direction() -> None:
    directions: defaultdict[tuple[str, str], Direction] = defaultdict(Direction)
    total = Total()
    for pause in (0.1, 0.2, 0.6):
        report = a_report()
        report.switches[1].pause = pause
        count(report, directions, total)

    table = switch_table(directions, total, 1000, 100.0)

    assert table.startswith("1,000 connections, 100 lines a second, 3 runs of six switches, 75,000 deliveries: ")
    assert "9 connections dropped, 3 lines lost, 0 doubled, 0 out of order." in table
    assert "| ▣ process → ≋ thread | 200 ms | 600 ms **over** | 250 ms | 100 ms | 3 |" in table
    assert "| ↻ event → ▣ process | 412 ms | 412 ms | 1,500 ms | 400 ms | 0 |" in table


def test_leak_table_marks_a_tenth_more() -> None:
    table = leak_table(Facts(100, 1, 0, 10 * 2**20), Facts(111, 1, 0, 9 * 2**20), 50)

    assert "| file descriptors | 100 | 111 | +11.0% **over** |" in table
    assert "| memory | 10.0 MiB | 9.0 MiB | -10.0% |" in table
