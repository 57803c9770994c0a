"""Frame: the strips that the terminal shows, so that only changed ones are written. Pure.

Textual draws a widget, or the whole screen after a layout, also where nothing in it looks different. Over ssh each byte
travels, and tmux reports activity in a window that writes anything.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Drawn = tuple[int, int, int, Strip]
"""Row, first column, column after the last, and the strip."""
_UNCERTAIN_WIDTH = re.compile("[^\x00-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u25ff]")
"""Characters that a terminal may draw wider or narrower than we count: emoji of several characters, vowel signs,
characters newer than its tables. After such a strip, the strips on its right are written again, so that it never covers
them."""
Render = Callable[[Strip], str]


class Frame:
    """The strips last written to each row. They never overlap."""

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[int, int, Strip]]] = {}

    def forget(self) -> None:
        """Forget all strips, so that the next draw writes the whole screen."""
        self._rows.clear()

    def draw(self, update: CompositorUpdate, render: Render) -> str:
        """The text to write for `update`; empty if the terminal shows all of it already."""
        written = []
        covered: set[tuple[int, int]] = set()
        for row, start, end, strip in _strips(update):
            if self._change(row, start, end, strip):
                if _UNCERTAIN_WIDTH.search(strip.text):
                    written.append(_at(row, start, render(Strip.blank(end - start, _last_style(strip)))))
                    covered |= {(row, other) for other, _, _ in self._rows[row] if other >= end}
                covered.discard((row, start))
                written.append(_at(row, start, render(strip)))
        for row, start in sorted(covered):
            written += [_at(row, start, render(strip)) for other, _, strip in self._rows[row] if other == start]
        return "".join(written)

    def _change(self, row: int, start: int, end: int, strip: Strip) -> bool:
        """Store `strip`. Returns whether it is new."""
        before = self._rows.get(row, [])
        if any(known[0] == start and known[1] == end and known[2] == strip for known in before):
            return False
        self._rows[row] = [known for known in before if known[1] <= start or end <= known[0]]
        self._rows[row].append((start, end, strip))
        return True


def _at(row: int, column: int, text: str) -> str:
    return f"\x1b[{row + 1};{column + 1}H{text}"


def _last_style(strip: Strip) -> Style | None:
    segments = list(strip)
    return segments[-1].style if segments else None


def _strips(update: CompositorUpdate) -> Iterator[Drawn]:
    if isinstance(update, LayoutUpdate):
        for row, strips in enumerate(update.strips, update.region.y):
            yield from _side_by_side(row, update.region.x, strips)
    elif isinstance(update, ChopsUpdate):
        yield from _within_spans(update)


def _side_by_side(row: int, start: int, strips: Iterable[Strip]) -> Iterator[Drawn]:
    for strip in strips:
        end = start + strip.cell_length
        yield row, start, end, strip
        start = end


def _within_spans(update: ChopsUpdate) -> Iterator[Drawn]:
    """The strips of a partial update, in the order of ChopsUpdate.render_segments."""
    for row, first, last in update.spans:
        for end, (start, strip) in zip(update.chop_ends[row], update.chops[row].items(), strict=False):
            if strip is None or start > last or end <= first:
                continue
            if end > last:
                strip = strip.crop(0, last - start)
            if strip.cell_length:
                yield row, start, start + strip.cell_length, strip


class DrawnText(CompositorUpdate):
    """An update that is already rendered."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, console: object) -> str:
        """The text."""
        return self._text
