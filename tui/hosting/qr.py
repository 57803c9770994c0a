"""A QR code drawn with half blocks: two modules in a cell, dark on light in any theme. Pure."""

import segno
from textual.content import Content

DARK, LIGHT = "#000000", "#ffffff"
SIZES = ((3, 4), (2, 4), (1, 4), (1, 2))
"""The width of a module in cells, and of the light border in modules. The standard asks for four; two suffice for
phones."""


class Code:
    """The QR code of `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._matrix = [[bool(module) for module in row] for row in segno.make_qr(text, error="l").matrix]

    def size(self, width: int, height: int) -> tuple[int, int] | None:
        """The scale and the border of the largest drawing that fits into this many cells; None if none fits."""
        for scale, border in SIZES:
            modules = (len(self._matrix) + 2 * border) * scale
            if modules <= width and (modules + 1) // 2 <= height:
                return scale, border
        return None

    def drawn(self, scale: int = 1, border: int = 4) -> Content:
        """Draw the code, two rows of modules in a line."""
        rows = self._modules(scale, border)
        if len(rows) % 2:
            rows.append([False] * len(rows[0]))
        lines = [_line(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
        return Content("\n").join(lines)

    def _modules(self, scale: int, border: int) -> list[list[bool]]:
        blank = [False] * (len(self._matrix) + 2 * border)
        edge = [False] * border
        framed = [blank] * border + [edge + row + edge for row in self._matrix] + [blank] * border
        return [[module for module in row for _ in range(scale)] for row in framed for _ in range(scale)]


def _line(upper: list[bool], lower: list[bool]) -> Content:
    """Draw two rows as a line. Equal halves are a space with a background, since a full block may leave a seam."""
    cells = []
    for above, below in zip(upper, lower, strict=True):
        colour = DARK if above else LIGHT
        cells.append((" ", f"on {colour}") if above == below else ("▀", f"{colour} on {DARK if below else LIGHT}"))
    return Content.assemble(*cells)
