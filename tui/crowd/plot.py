"""The plot of latency over time on a logarithmic scale, with the models marked. SVG, or PNG if resvg_py is installed.

leather draws it: pure Python, 30 KB, without dependencies, loaded only for a plot. It supports only linear scales, so
the values are logarithms, and the tick labels convert them back to milliseconds.
"""

import io
from math import ceil, floor, log10
from pathlib import Path

from tui.crowd.report import Report

WIDTH, HEIGHT = 1000, 520
HEADROOM = 0.35
"""Space for the models' names above the highest value, as a share of a power of ten."""
QUANTILES = (("p50", "#1f5fa8", 2.5), ("p99", "#6ea6dc", 1.5), ("longest", "#9aa3ad", 1.0))
QUANTILE_NAMES = {"p50": "median", "p99": "99 of 100 within", "longest": "longest"}
FONT = "system-ui, DejaVu Sans, sans-serif"


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
    import leather

    from tui.crowd.plot_marks import Marks, bands

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
    chart.add_y_axis(ticks=range(low, high + 1), tick_formatter=_time, name="from being said to being heard")
    chart.add_series(leather.Series([(0, low)]), Marks(bands(report.switches, end), FONT))
    for name, colour, width in reversed(QUANTILES):
        points = [(sample.at, log10(getattr(sample, name) * 1000)) for sample in report.samples]
        chart.add_line(points, name=QUANTILE_NAMES[name], stroke_color=colour, width=width)
    file = io.StringIO()
    chart.to_svg(file, WIDTH, HEIGHT)
    return file.getvalue()


def _time(exponent: float, index: int, count: int) -> str:
    return f"{10**exponent:g} ms" if exponent < 3 else f"{10 ** (exponent - 3):g} s"
