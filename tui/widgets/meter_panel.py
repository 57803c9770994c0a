"""MeterPanel: the figures of the running model, and a comparison of the models used so far. Shown to the host."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Sparkline, Static

from protocol.format import format_bytes
from protocol.messages import MeterReading
from tui.meter_history import MeterHistory, comparison, format_cores, format_rate, format_seconds, totals_rows
from tui.style import content_style, style_of

NAME, CELL = 18, 10
"""Cells of the table's first column, and of the others."""


class MeterPanel(Vertical):
    """It draws a MeterHistory. Call `show` after each reading."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._metering: MeterHistory | None = None
        self._head = Static("", markup=False, classes="meter-row")
        self._lines = Static("", markup=False, classes="meter-row")
        self._deliveries = Static("", markup=False, classes="meter-row")
        self._rest = Static("", markup=False)
        self._table = Static("", markup=False, id="meter-table")
        self._record = Static("", markup=False, id="meter-record")
        self._lines_drawn = Sparkline([], summary_function=max)
        self._deliveries_drawn = Sparkline([], summary_function=max)

    def compose(self) -> ComposeResult:
        with Horizontal(id="meter-figures"):
            with Vertical(id="meter-now"):
                yield self._head
                yield self._lines
                yield self._lines_drawn
                yield self._deliveries
                yield self._deliveries_drawn
                yield self._rest
            yield self._table
        yield self._record

    def on_resize(self) -> None:
        """Draw again when the panel is opened or its width changes."""
        if self._metering is not None:
            self.show(self._metering)

    def show(self, metering: MeterHistory) -> None:
        """Show the current figures."""
        self._metering = metering
        reading = metering.last
        if reading is None:
            self._head.update(Content.styled("The meter reads once a second …", "$quiet"))
            return
        self._head.update(_head(reading))
        self._lines.update(Content.assemble((f"{format_rate(reading.lines):>11}", "bold"), " lines/s"))
        self._deliveries.update(Content.assemble((f"{format_rate(reading.deliveries):>11}", "bold"), " deliveries/s"))
        self._lines_drawn.data = list(metering.lines)
        self._deliveries_drawn.data = list(metering.deliveries)
        self._rest.update(_rest(reading, metering))
        self._table.update(_table(metering, reading.model))
        self._record.update(_record(totals_rows(metering.tally), max(self.content_size.width, 40)))


def _record(figures: list[tuple[str, str]], width: int) -> Content:
    """The figures in lines of `width` cells, none broken between a figure and its name."""
    lines = [Content.styled("record", "$quiet")]
    for name, figure in figures:
        told = Content.assemble("   ", (figure, "bold"), f" {name}")
        if lines[-1].cell_length + told.cell_length > width:
            lines.append(Content("      "))
        lines[-1] += told
    return Content("\n").join(lines)


def _head(reading: MeterReading) -> Content:
    name = (f"{style_of(reading.model).sign} {reading.model}", content_style(reading.model))
    return Content.assemble(name, f"   {reading.connections:,} connected")


def _rest(reading: MeterReading, metering: MeterHistory) -> Content:
    processes = "1 process" if reading.processes == 1 else f"{reading.processes:,} processes"
    threads = "1 thread" if reading.threads == 1 else f"{reading.threads:,} threads"
    takes = (
        f"p50 {format_seconds(reading.p50)}, p99 {format_seconds(reading.p99)}"
        if reading.p50
        else "no line by this model yet"
    )
    rows = (
        takes,
        f"{format_bytes(reading.memory)}, {format_bytes(reading.memory_each)} each",
        f"{processes}, {threads}",
        f"{format_cores(metering.cores)} processor cores",
        f"{reading.people:,} in the room",
    )
    return Content("\n".join(rows))


def _table(metering: MeterHistory, running: str) -> Content:
    """The busiest second of each model, side by side; the running one is bright."""
    models, rows = comparison(metering)
    names = [(f"{f'{style_of(model).sign} {model}':>{CELL}}", content_style(model)) for model in models]
    lines = [Content.assemble((f"{'busiest second':<{NAME}}", "$quiet"), *names)]
    for name, cells in rows:
        drawn = [
            (f"{cell:>{CELL}}", "bold" if model == running else "") for model, cell in zip(models, cells, strict=True)
        ]
        lines.append(Content.assemble((f"{name:<{NAME}}", "$quiet"), *drawn))
    return Content("\n").join(lines)
