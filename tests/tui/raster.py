"""The screen as a camera sees it: each cell is a block of grey pixels, which an independent decoder reads."""

import zxingcpp
from rich.segment import Segment
from textual.color import Color
from textual.screen import Screen

WIDE, HIGH = 6, 12
"""Pixels of a cell."""
INK = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
"""The ink on the upper and the lower half of a cell. For other characters it is SOME on both."""
SOME = (0.3, 0.3)


def decoded(screen: Screen[object]) -> list[str]:
    """The texts of the codes that the decoder finds on the screen."""
    rows = [[cell for segment in strip for cell in cells(segment)] for strip in screen._compositor.render_strips()]
    if not rows:  # The screen has no layout yet.
        return []
    width = max(len(row) for row in rows)
    pixels = bytearray()
    for row in rows:
        padded = row + [(0, 0)] * (width - len(row))
        for half in (0, 1):
            line = b"".join(bytes([cell[half]]) * WIDE for cell in padded)
            pixels += line * (HIGH // 2)
    image = memoryview(pixels).cast("B", shape=[len(rows) * HIGH, width * WIDE])
    return [found.text for found in zxingcpp.read_barcodes(image)]


def cells(segment: Segment) -> list[tuple[int, int]]:
    """The upper and the lower half of each cell, from 0 (black) to 255."""
    style = segment.style
    ink = brightness(style.color if style else None, 255)
    paper = brightness(style.bgcolor if style else None, 0)
    found = []
    for character in segment.text:
        upper, lower = INK.get(character, SOME)
        found.append((round(ink * upper + paper * (1 - upper)), round(ink * lower + paper * (1 - lower))))
    return found


def brightness(colour: object, default: int) -> int:
    return default if colour is None else round(Color.from_rich_color(colour).brightness * 255)  # type: ignore[arg-type]  # rich's own
