"""Reports have the measurements, as tables and as JSON."""

import json
from io import StringIO

from msgspec.structs import replace
from rich.console import Console

from tests.tui.crowd_reports import a_report
from tui.crowd.report import Progress, Violations, as_json, progress_line, summary, switch_table

FINE = Violations(0, 0, 0, [])


def printed(thing: object) -> str:
    console = Console(file=StringIO(), width=80)
    console.print(thing)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_has_every_figure() -> None:
    table = printed(summary(a_report()))

    for words in ("deliveries a second 2,500", "p50 2.0 ms", "p99 9.0 ms", "p999 21.0 ms", "reconnects 3", "lost 1"):
        assert words in " ".join(table.split())


def test_a_switch_takes_one_row_of_eighty_columns() -> None:
    rows = printed(switch_table(a_report())).splitlines()

    assert len(rows) == 3
    assert "↻ event → ▣ process" in rows[1]
    assert "412 ms" in rows[1]


def test_a_switch_that_took_long_still_takes_one_row() -> None:
    report = a_report()
    report.switches[0].pause = report.switches[0].median_pause = report.switches[0].reported_pause = 12.3354

    rows = printed(switch_table(report)).splitlines()

    assert len(rows) == 3
    assert rows[1].count("12,335 ms") == 3


def test_summary_has_the_absent_members() -> None:
    assert "not here at the end" not in printed(summary(a_report()))
    assert "not here at the end 3" in " ".join(printed(summary(replace(a_report(), absent=3))).split())


def test_json_has_all_of_it() -> None:
    report = json.loads(as_json(a_report()))

    assert report["deliveries_per_second"] == 2500.0
    assert report["violations"] == {"lost": 1, "doubled": 0, "out_of_order": 0, "wrong": []}
    assert [switch["after"] for switch in report["switches"]] == ["process", "thread"]


def test_progress_line_has_present_members_and_losses() -> None:
    def told(violations: Violations) -> str:
        return progress_line(
            Progress("talking", 3.0, 10.0, 49, 50, "thread", 30, 1500, 0, 2, violations)
        ).plain  # fmt: skip

    assert "49/50 here" in told(FINE)
    assert "≋ thread" in told(FINE)
    assert "nothing lost" in told(FINE)
    assert "2 lost, 1 doubled, 0 out of order, 1 wrong" in told(Violations(2, 1, 0, ["words"]))


def test_violations_are_false_only_if_there_are_none() -> None:
    assert not FINE
    assert all(Violations(*found) for found in ((1, 0, 0, []), (0, 1, 0, []), (0, 0, 1, []), (0, 0, 0, ["words"])))
