"""The plot of latency over time on a logarithmic scale, with the models marked. SVG, or PNG if resvg_py is installed.

leather draws it: pure Python, 30 KB, without dependencies. Import this module only for a plot. leather supports only
linear scales, so the values are logarithms, and the tick labels convert them back to milliseconds.
"""

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from math import ceil, floor, log10
from pathlib import Path

import leather
from msgspec import Struct

from tui.crowd.measurements import SwitchMeasurement
from tui.crowd.report import Report, format_model
from tui.style import style_of

WIDTH, HEIGHT = 1000, 520
HEADROOM = 0.35
"""Space for the models' names above the highest value, as a share of a power of ten."""
CURVES = (
    ("longest", "longest", "#9aa3ad", 1.0),
    ("p99", "99 of 100 within", "#6ea6dc", 1.5),
    ("p50", "median", "#1f5fa8", 2.5),
)
"""An attribute of a sample, with the name, the colour and the width of its curve. The last curve is drawn on top."""
FONT = "system-ui, DejaVu Sans, sans-serif"
FONT_SIZE = 13
LETTER_WIDTH = 7.5
"""Approximate width of a letter, in pixels."""
TINT = "0.09"


class CannotDraw(Exception):
    """The plot cannot be drawn; the message says why."""


def write(report: Report, path: Path) -> None:
    """Draw the report to a file with the suffix .svg or .png. Raises CannotDraw and OSError."""
    check(path)
    svg = draw(report)
    if path.suffix.lower() == ".png":
        import resvg_py

        path.write_bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))
    else:
        path.write_text(svg, encoding="utf-8")


def check(path: Path) -> None:
    """Raise CannotDraw if a file of this name cannot be drawn. Call it before a long measurement."""
    if path.exists() and not path.is_file():
        raise CannotDraw(f"{path} is not a regular file")  # Opening a pipe would wait for a reader.
    match path.suffix.lower():
        case ".svg":
            return
        case ".png":
            try:
                import resvg_py  # noqa: F401  (only whether it is there)
            except ImportError:
                raise CannotDraw("PNG needs resvg-py: pip install 'three-chat-rooms[png]'; SVG needs nothing") from None
        case _:
            raise CannotDraw(f"{path.name} ends neither in .svg nor in .png")


def draw(report: Report) -> str:
    """Draw the plot as SVG. Raises CannotDraw without measurements."""
    if not report.samples:
        raise CannotDraw("nothing was delivered, so there is nothing to plot")
    for name in ("title_font_family", "legend_font_family", "axis_title_font_family", "tick_font_family"):
        setattr(leather.theme, name, FONT)
    leather.theme.background_color = "#ffffff"
    values = [log10(value * 1000) for sample in report.samples for value in (sample.p50, sample.longest)]
    low, high = floor(min(values)), max(ceil(max(values)), floor(min(values)) + 1)
    chart = leather.Chart(f"How long a line takes: {report.people:,} members, {report.talk:g} lines a second")
    end = max(report.seconds, report.samples[-1].at, *(switch.at for switch in report.switches), 1)
    chart.add_x_scale(0, end)
    chart.add_y_scale(low, high + HEADROOM)
    chart.add_x_axis(name="seconds since the talk began")
    chart.add_y_axis(ticks=range(low, high + 1), tick_formatter=_format_tick, name="from being said to being heard")
    chart.add_series(leather.Series([(0, low)]), Marks(_bands(report.switches, end)))
    for attribute, name, colour, width in CURVES:
        points = [(sample.at, log10(getattr(sample, attribute) * 1000)) for sample in report.samples]
        chart.add_line(points, name=name, stroke_color=colour, width=width)
    file = io.StringIO()
    chart.to_svg(file, WIDTH, HEIGHT)
    return file.getvalue()


def _format_tick(exponent: float, index: int, count: int) -> str:
    return f"{10**exponent:g} ms" if exponent < 3 else f"{10 ** (exponent - 3):g} s"


class Band(Struct, frozen=True):
    """An interval, in seconds, in which one model ran the room; `pause` is that of the switch at its start."""

    start: float
    end: float
    model: str
    pause: float | None


def _bands(switches: list[SwitchMeasurement], end: float) -> list[Band]:
    """The consecutive bands from the start to `end`; none without a switch."""
    if not switches:
        return []
    starts = [0.0, *(switch.at for switch in switches)]
    models = [switches[0].before, *(switch.after for switch in switches)]
    pauses = [None, *(switch.pause for switch in switches)]
    return [Band(*band) for band in zip(starts, [*starts[1:], end], models, pauses, strict=True)]


class Marks(leather.Shape):  # type: ignore[misc]  # leather ships no types.
    """A coloured band with sign and name for the time of each model, and a line at each switch. The series that leather
    passes is ignored."""

    def __init__(self, bands: list[Band]) -> None:
        self._bands = bands

    def validate_series(self, series: object) -> None:
        """Accept any series."""

    def legend_to_svg(self, series: object, palette: object) -> Iterable[tuple[ET.Element, float]]:
        """Return no legend: each band is labelled."""
        return ()

    def to_svg(
        self, width: float, height: float, x_scale: leather.Scale, y_scale: object, series: object, palette: object
    ) -> ET.Element:
        group = ET.Element("g", {"class": "models"})
        for band in self._bands:
            colour = style_of(band.model).light
            left, right = (x_scale.project(at, 0, width) for at in (band.start, band.end))
            box = {"x": f"{left:.1f}", "y": "0", "width": f"{max(0.0, right - left):.1f}", "height": f"{height:.1f}"}
            ET.SubElement(group, "rect", {**box, "fill": colour, "fill-opacity": TINT})
            if band.pause is not None:
                ends = {"x1": f"{left:.1f}", "x2": f"{left:.1f}", "y1": "0", "y2": f"{height:.1f}"}
                ET.SubElement(group, "line", {**ends, "stroke": colour, "stroke-dasharray": "5 3"})
            _add_label(group, band, left + 6, right - left - 6)
        return group


def _add_label(group: ET.Element, band: Band, x: float, room: float) -> None:
    """Label a band with sign, model and pause, as far as they fit into `room` pixels."""
    style = style_of(band.model)
    name = format_model(band.model)
    rows = [name if len(name) * LETTER_WIDTH < room else style.sign if room > LETTER_WIDTH * 2 else ""]
    if band.pause is not None:
        pause = f"{band.pause * 1000:,.0f} ms"
        rows += [words for words in (f"pause {pause}", pause) if len(words) * LETTER_WIDTH < room][:1]
    for number, words in enumerate(rows):
        weight = "normal" if number else "bold"
        font = {"font-family": FONT, "font-size": f"{FONT_SIZE}", "font-weight": weight}
        text = ET.SubElement(group, "text", {"x": f"{x:.1f}", "y": f"{18 + 17 * number}", "fill": style.light, **font})
        text.text = words
