"""Writes a picture as SVG and PNG. The PNG needs no browser: resvg renders it with the fonts of this machine.

Rich sets the length of each run of text as if all letters were one cell wide. And a run whose first letter is not in
the font is drawn in another font as a whole. So runs are split here where the kind of letter changes.
"""

import re
from html import escape, unescape
from itertools import groupby
from pathlib import Path

import resvg_py
from rich.cells import cell_len

FOLDER = Path(__file__).parent
LETTERS = "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"
SIGNS = (
    "'DejaVu Sans Mono', 'Noto Sans CJK SC', 'Noto Color Emoji', Menlo, 'PingFang SC', 'Apple Color Emoji', monospace"
)
"""Fixed width, Chinese and emoji. On Debian: fonts-firacode, fonts-dejavu, fonts-noto-cjk, fonts-noto-color-emoji."""
CELL = 12.2
"""Pixels a cell is wide in Rich's pictures."""
RUN = re.compile(r'<text class="(?P<kind>terminal-r\d+)" x="(?P<x>[\d.]+)" (?P<y>y="[\d.]+") textLength="[\d.]+" '
                 r'(?P<clip>clip-path="[^"]+")>(?P<text>[^<]*)</text>')  # fmt: skip


def write(name: str, svg: str) -> None:
    """Write `screenshots/NAME.svg` and `.png`."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # A picture in a page may not load from elsewhere.
    svg = re.sub(r"\bterminal-(?:\d+-)?(?=[a-z])", "terminal-", svg)
    svg = svg.replace("Fira Code, monospace", LETTERS).replace(
        "</style>", f".signs {{ font-family: {SIGNS} }}\n</style>", 1
    )
    svg = RUN.sub(_cut, svg)
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    (FOLDER / f"{name}.png").write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg)))


def _cut(run: re.Match[str]) -> str:
    """Split a run into parts of one kind of letter, each at the position of its cells."""
    text, x = unescape(run["text"]), float(run["x"])
    parts = []
    for sign, chars in groupby(text, _is_sign):
        # Each sign is a part of its own: a length for several would be divided evenly between them.
        for part in chars if sign else ["".join(chars)]:
            width = CELL * cell_len(part)
            if width:
                kind = f"{run['kind']} signs" if sign else run["kind"]
                said = escape(part).replace(" ", "&#160;").replace("\xa0", "&#160;")
                place = f'x="{x:g}" {run["y"]} textLength="{width:g}" {run["clip"]}'
                parts.append(f'<text class="{kind}" {place}>{said}</text>')
            x += width
    return "".join(parts)


def _is_sign(char: str) -> bool:
    """Return True for letters that are neither Latin nor box drawing, so that Fira Code may have no glyph."""
    return not (char < "\u0250" or "\u2010" <= char <= "\u2026" or "\u2500" <= char <= "\u259f")
