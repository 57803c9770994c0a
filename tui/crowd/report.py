"""The progress of a running crowd, and its final report. Pure: structs, and their tables for a terminal."""

import msgspec
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from protocol.format import plural
from tui.crowd.measurements import Sample, SwitchMeasurement
from tui.style import style_of


class Violations(Struct, frozen=True):
    """Faults of the server, all zero for a correct one. `wrong` describes faults other than those in numbers."""

    lost: int
    doubled: int
    out_of_order: int
    wrong: list[str]

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.out_of_order or self.wrong)


class Progress(Struct, frozen=True):
    """The state of a run: `seconds` since the talk began, out of `of` (0 means no end)."""

    phase: str
    seconds: float
    of: float
    here: int
    people: int
    model: str
    said: int
    deliveries: int
    reconnects: int
    switches: int
    violations: Violations


class Report(Struct, frozen=True):
    """The result of a run. All times are in seconds, `talk` is in lines a second, `switches` are in order."""

    people: int
    talk: float
    seconds: float
    joined_in: float
    said: int
    refused: int
    deliveries: int
    p50: float
    p99: float
    p999: float
    longest: float
    reconnects: int
    endings: dict[str, int]
    """Reasons of lost connections, and their numbers."""
    absent: int
    """Members that were not in the room at the end."""
    reported_gaps: int
    """Events that the room reported as no longer available."""
    violations: Violations
    switches: list[SwitchMeasurement]
    switches_failed: int
    no_operator: str
    samples: list[Sample]

    @property
    def rate(self) -> float:
        """Deliveries a second."""
        return self.deliveries / self.seconds if self.seconds else 0.0


def as_json(report: Report) -> bytes:
    """Encode the report as JSON, with `deliveries_per_second` in addition."""
    return msgspec.json.encode({**msgspec.to_builtins(report), "deliveries_per_second": round(report.rate, 1)})


def progress_line(progress: Progress) -> Text:
    """Format the progress as one line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{progress.phase:8} ", "bold")
    of = f" of {progress.of:.0f}" if progress.of else ""
    text.append(f"{progress.seconds:4.0f}{of} s  ")
    text.append(f"{progress.here}/{progress.people} here  ", "" if progress.here == progress.people else "yellow")
    if progress.model:
        text.append(f"{format_model(progress.model)}  ", style_of(progress.model).any_background)
    text.append(f"{progress.said:,} said  {progress.deliveries:,} delivered  ")
    if progress.switches:
        text.append(f"{plural(progress.switches, 'switch', 'switches')}  ")
    if progress.reconnects:
        text.append(f"{plural(progress.reconnects, 'reconnect')}  ", "yellow")
    text.append(_format_violations(progress.violations), "bold red" if progress.violations else "green")
    return text


def _format_violations(violations: Violations) -> str:
    if not violations:
        return "nothing lost"
    counts = f"{violations.lost} lost, {violations.doubled} doubled, {violations.out_of_order} out of order"
    return counts + (f", {len(violations.wrong)} wrong" if violations.wrong else "")


def summary(report: Report) -> Table:
    """Format the report as a table."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    bad = "bold red"
    violations = report.violations
    rows: list[tuple[str, str, str]] = [
        ("members", f"{report.people:,}", ""),
        ("lines said", f"{report.said:,} in {report.seconds:.1f} s", ""),
        ("deliveries", f"{report.deliveries:,}", ""),
        ("deliveries a second", f"{report.rate:,.0f}", "bold"),
        ("p50", _ms(report.p50), ""),
        ("p99", _ms(report.p99), ""),
        ("p999", _ms(report.p999), ""),
        ("longest", _ms(report.longest), ""),
        ("reconnects", f"{report.reconnects:,}", "yellow" if report.reconnects else ""),
        ("lost", f"{violations.lost:,}", bad if violations.lost else "green"),
        ("doubled", f"{violations.doubled:,}", bad if violations.doubled else "green"),
        ("out of order", f"{violations.out_of_order:,}", bad if violations.out_of_order else "green"),
    ]
    optional = [
        ("refused", f"{report.refused:,}", "yellow", report.refused),
        ("not here at the end", f"{report.absent:,}", bad, report.absent),
        ("reported gaps", f"{report.reported_gaps:,}", "yellow", report.reported_gaps),
        ("switches that failed", f"{report.switches_failed:,}", "yellow", report.switches_failed),
    ]
    rows += [(name, value, style) for name, value, style, shown in optional if shown]
    for name, value, style in rows:
        table.add_row(name, Text(value, style))
    return table


def switch_table(report: Report) -> Table:
    """Format a row for each switch: the longest latency of any member, that of the median member, and the pause that
    the room reported."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("switch", no_wrap=True)
    for heading in ("at", "pause", "median", "reported", "carried", "dropped"):
        table.add_column(heading, justify="right", no_wrap=True)
    for switch in report.switches:
        table.add_row(
            Text(
                f"{format_model(switch.before)} → {format_model(switch.after)}", style_of(switch.after).any_background
            ),
            f"{switch.at:.1f} s",
            f"{switch.pause * 1000:,.0f} ms",
            f"{switch.median_pause * 1000:,.0f} ms",
            f"{switch.reported_pause * 1000:,.0f} ms",
            f"{switch.carried:,}",
            Text(f"{switch.dropped:,}", "bold red" if switch.dropped else ""),
        )
    return table


def format_model(model: str) -> str:
    """Format a model's name with its sign."""
    return f"{style_of(model).sign} {model}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"
