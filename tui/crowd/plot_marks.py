"""Marks in a plot: a coloured band with sign and name for the time of each model, and a line at each switch.

They are a subclass of leather's Shape, so this module is loaded only with leather.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

import leather
from msgspec import Struct

from tui.crowd.report import MODEL_SIGNS, named
from tui.crowd.switches import SwitchMeasurement

COLOURS = {"process": "#b86e00", "thread": "#7048b6", "event": "#2b8a3e"}
"""Amber, violet and green that are distinct and readable on white."""
TINT = "0.09"
OTHER_COLOUR = "#495057"
"""The colour of an unknown model."""
LETTER = 7.5
"""Approximate width of a letter, in pixels."""
SIZE = 13


class Band(Struct, frozen=True):
    """An interval, in seconds, in which one model ran the room; `pause` is that of the switch at its start."""

    start: float
    end: float
    model: str
    pause: float | None


def bands(switches: list[SwitchMeasurement], end: float) -> list[Band]:
    """The consecutive bands from the start to `end`; none without a switch."""
    if not switches:
        return []
    starts = [0.0, *(switch.at for switch in switches)]
    models = [switches[0].before, *(switch.after for switch in switches)]
    pauses = [None, *(switch.pause for switch in switches)]
    ends = [*starts[1:], end]
    return [Band(*band) for band in zip(starts, ends, models, pauses, strict=True)]


class Marks(leather.Shape):  # type: ignore[misc]  # leather ships no types.
    """Draws the bands. The series that leather passes is ignored."""

    def __init__(self, bands: list[Band], font: str) -> None:
        self._bands, self._font = bands, font

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
            colour = COLOURS.get(band.model, OTHER_COLOUR)
            left, right = (x_scale.project(at, 0, width) for at in (band.start, band.end))
            box = {"x": f"{left:.1f}", "y": "0", "width": f"{max(0.0, right - left):.1f}", "height": f"{height:.1f}"}
            ET.SubElement(group, "rect", {**box, "fill": colour, "fill-opacity": TINT})
            if band.pause is not None:
                ends = {"x1": f"{left:.1f}", "x2": f"{left:.1f}", "y1": "0", "y2": f"{height:.1f}"}
                ET.SubElement(group, "line", {**ends, "stroke": colour, "stroke-dasharray": "5 3"})
            self._label(group, band, left + 6, right - left - 6)
        return group

    def _label(self, group: ET.Element, band: Band, x: float, room: float) -> None:
        """Label a band with sign, model and pause, as far as they fit."""
        sign, name, colour = MODEL_SIGNS.get(band.model, "?"), named(band.model), COLOURS.get(band.model, OTHER_COLOUR)
        rows = [name if len(name) * LETTER < room else sign if room > LETTER * 2 else ""]
        if band.pause is not None:
            told = f"pause {band.pause * 1000:,.0f} ms"
            rows += [words for words in (told, told.removeprefix("pause ")) if len(words) * LETTER < room][:1]
        for number, words in enumerate(rows):
            style = {"fill": colour, "font-family": self._font, "font-size": f"{SIZE}"}
            weight = {} if number else {"font-weight": "bold"}
            text = ET.SubElement(group, "text", {"x": f"{x:.1f}", "y": f"{18 + 17 * number}", **style, **weight})
            text.text = words
