"""MeterHistory keeps the readings of the server's meter: the last minute, and the busiest second of each model. Pure.

Models are compared by one reading each: the second in which the model delivered the most lines. A reading covers the
second before it. The first one after a switch still covers a part of the previous model, so it is not compared.
Processor cores are a mean over CPU_WINDOW_S: the system counts a hundred ticks a second, and a quiet room uses none in
most seconds.
"""

from collections import deque

from msgspec import Struct

from protocol.format import format_bytes
from protocol.messages import MeterReading, Model, ModelSwitched, Totals

MAX_READINGS = 60
"""Readings that the sparklines show: one a second."""
CPU_WINDOW_S = 5
"""Seconds over which the use of processor time is averaged."""


class Column(Struct):
    """The busiest second of one model, the mean processor cores at that time, and the seconds its last switch took."""

    busiest: MeterReading
    cores: float
    pause: float | None = None


class MeterHistory:
    """The readings of this room's meter."""

    def __init__(self) -> None:
        self.last: MeterReading | None = None
        self.lines: deque[float] = deque(maxlen=MAX_READINGS)
        self.deliveries: deque[float] = deque(maxlen=MAX_READINGS)
        self.columns: dict[str, Column] = {}
        """The columns by model, in the order in which the models ran."""
        self._pauses: dict[str, float] = {}
        self._cpu: deque[float] = deque(maxlen=CPU_WINDOW_S)

    @property
    def cores(self) -> float:
        """The processor cores that the running model uses: the mean over CPU_WINDOW_S."""
        return sum(self._cpu) / len(self._cpu) if self._cpu else 0.0

    @property
    def tally(self) -> Totals:
        return self.last.tally if self.last is not None else Totals()

    def switched(self, event: ModelSwitched) -> None:
        """Record that another model runs."""
        self._pauses[event.model] = event.pause
        if event.model in self.columns:
            self.columns[event.model].pause = event.pause

    def add(self, reading: MeterReading) -> None:
        """Record a reading."""
        new = self.last is not None and self.last.model != reading.model
        self.last = reading
        self.lines.append(reading.lines)
        self.deliveries.append(reading.deliveries)
        if new:
            self._cpu.clear()
            return
        self._cpu.append(reading.cpu)
        column = self.columns.get(reading.model)
        if column is None:
            self.columns[reading.model] = Column(reading, self.cores, self._pauses.get(reading.model))
        elif reading.deliveries >= column.busiest.deliveries:
            column.busiest, column.cores = reading, self.cores


Row = tuple[str, list[str]]
"""A name, and a cell for each model."""


def comparison(metering: MeterHistory) -> tuple[list[str], list[Row]]:
    """The models that have run, in the order of `Model`, unknown ones last; and a row for each measured quantity."""
    known = [str(model) for model in Model]
    models = sorted(metering.columns, key=lambda model: known.index(model) if model in known else len(known))
    columns = [metering.columns[model] for model in models]
    busiest = [column.busiest for column in columns]
    rows: list[Row] = [
        ("connections", [f"{one.connections:,}" for one in busiest]),
        ("lines/s", [format_rate(one.lines) for one in busiest]),
        ("deliveries/s", [format_rate(one.deliveries) for one in busiest]),
        ("a line takes, p50", [format_seconds(one.p50) if one.p50 else "–" for one in busiest]),
        ("             p99", [format_seconds(one.p99) if one.p99 else "–" for one in busiest]),
        ("memory", [format_bytes(one.memory) for one in busiest]),
        ("  a connection", [format_bytes(one.memory_each) for one in busiest]),
        ("processes", [f"{one.processes:,}" for one in busiest]),
        ("threads", [f"{one.threads:,}" for one in busiest]),
        ("processor cores", [format_cores(one.cores) for one in columns]),
        ("switch to it", ["–" if one.pause is None else format_seconds(one.pause) for one in columns]),
    ]
    return models, rows


def totals_rows(tally: Totals) -> list[tuple[str, str]]:
    """The totals of the room as names and figures. All but the first two are left out while they are zero."""
    bounced = tally.escaped + tally.look_alikes + tally.oversized
    figures: list[tuple[str, str, object]] = [
        ("most people", f"{tally.most_people:,}", True),
        ("lines said", f"{tally.lines:,}", True),
        ("longest a line took", format_seconds(tally.longest), tally.longest),
        ("slowed", f"{tally.slowed:,}", tally.slowed),
        ("turned away", f"{tally.turned_away:,}", tally.turned_away),
        ("lines refused", f"{tally.refused:,}", tally.refused),
        ("let go", f"{tally.let_go:,}", tally.let_go),
        ("died", f"{tally.died:,}", tally.died),
        ("attacks bounced:" if bounced > 1 else "attack bounced:", f"{bounced:,}", bounced),
        ("with escape sequences", f"{tally.escaped:,}", tally.escaped),
        ("by look-alikes", f"{tally.look_alikes:,}", tally.look_alikes),
        ("oversized", f"{tally.oversized:,}", tally.oversized),
    ]
    return [(name, figure) for name, figure, is_shown in figures if is_shown]


def format_seconds(seconds: float) -> str:
    """A time with at least one significant digit: `0.04 ms`, `0.4 ms`, `3 ms`, `1.2 s`."""
    if seconds >= 0.9995:
        return f"{seconds:,.1f} s"
    milliseconds = seconds * 1000
    if milliseconds >= 9.95:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds:.1f} ms".replace(".0 ", " ") if milliseconds >= 0.095 else f"{milliseconds:.2f} ms"


def format_rate(a_second: float) -> str:
    """A rate in a short form: `0`, `0.5`, `12`, `48,210`."""
    return f"{a_second:,.0f}" if a_second >= 9.95 or a_second == round(a_second) else f"{a_second:.1f}"


def format_cores(number: float) -> str:
    """A number of cores with two decimals: `0.02`, `1.50`, or `<0.01`."""
    return f"{number:.2f}" if number >= 0.005 else "<0.01"
