"""Draws the pictures of the documents: text in box-drawing characters becomes SVG, for light and dark pages.

    python -m tests.docs.pictures

writes docs/pictures/NAME.svg for each docs/pictures/NAME.txt, as a part of `make docs`.

The text is the source, and can be read in a terminal as it is. Lines and corners become lines, arrow heads become
triangles, and all else stays text, in columns of a fixed width whichever font the reader has.
"""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

PICTURES = Path("docs/pictures")
WIDTH, HEIGHT = 8.0, 18.0
"""Pixels of one character."""
MARGIN = 12.0
ROUND = {"╭": "ES", "╮": "WS", "╰": "EN", "╯": "WN"}
ARMS = {"─": "WE", "│": "NS", "├": "NSE", "┤": "NSW", "┬": "WES", "┴": "WEN", **ROUND}
"""The sides of its cell that a character is connected with."""
ENDS = {"N": (0.0, -HEIGHT / 2), "S": (0.0, HEIGHT / 2), "W": (-WIDTH / 2, 0.0), "E": (WIDTH / 2, 0.0)}
HEADS = {"▶": "-4,-4 4,0 -4,4", "◀": "4,-4 -4,0 4,4", "▲": "-4,4 0,-4 4,4", "▼": "-4,-4 0,4 4,-4"}
DRAWN = "".join([*ARMS, *HEADS])
STYLE = """\
<style>
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; white-space: pre }
  path { stroke: #59636e; stroke-width: 1.3; fill: none }
  polygon { fill: #59636e }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } path { stroke: #9198a1 } polygon { fill: #9198a1 } }
</style>"""


def draw(text: str) -> str:
    """The SVG of a picture in text."""
    rows = text.rstrip("\n").split("\n")
    width = 2 * MARGIN + WIDTH * max(map(len, rows))
    height = 2 * MARGIN + HEIGHT * len(rows)
    shapes = [shape for number, row in enumerate(rows) for shape in (*lines(row, number), *words(row, number))]
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', STYLE, *shapes, "</svg>", ""])


def lines(row: str, number: int) -> Iterator[str]:
    """The line characters and arrow heads of a row."""
    for column, character in enumerate(row):
        x, y = MARGIN + WIDTH * (column + 0.5), MARGIN + HEIGHT * (number + 0.5)
        if character in HEADS:
            yield f'<polygon points="{HEADS[character]}" transform="translate({x:g} {y:g})"/>'
        elif character in ROUND:
            (ax, ay), (bx, by) = (ENDS[side] for side in ARMS[character])
            yield f'<path d="M{x + ax:g} {y + ay:g}Q{x:g} {y:g} {x + bx:g} {y + by:g}"/>'
        elif character in ARMS:
            parts = "".join(f"M{x:g} {y:g}l{dx:g} {dy:g}" for dx, dy in (ENDS[side] for side in ARMS[character]))
            yield f'<path d="{parts}"/>'


def words(row: str, number: int) -> Iterator[str]:
    """The text of a row, each run of words at its column."""
    for match in re.finditer(rf"[^\s{DRAWN}]+(?: [^\s{DRAWN}]+)*", row):
        x, y = MARGIN + WIDTH * match.start(), MARGIN + HEIGHT * (number + 0.72)
        length = WIDTH * len(match[0])
        yield f'<text x="{x:g}" y="{y:g}" textLength="{length:g}">{escape(match[0])}</text>'


def main() -> None:
    """Write the SVG beside each text."""
    for source in sorted(PICTURES.glob("*.txt")):
        source.with_suffix(".svg").write_text(draw(source.read_text()))


if __name__ == "__main__":
    main()
