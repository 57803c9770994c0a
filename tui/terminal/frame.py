"""Frame: what stands on the terminal, so that only what has changed is written. Pure.

Textual draws a widget, or the whole screen after a layout, also where nothing in it looks different. Over ssh each byte
travels, and tmux reports activity in a window that writes anything.
"""

from collections.abc import Callable, Iterable, Iterator

from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Drawn = tuple[int, int, int, Strip]
"""Row, first column, column behind the last, and what stands there."""
Render = Callable[[Strip], str]


class Frame:
    """The strips last written to each row. They never overlap."""

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[int, int, Strip]]] = {}

    def forget(self) -> None:
        """The terminal may show something else now: draw all of it the next time."""
        self._rows.clear()

    def draw(self, update: CompositorUpdate, render: Render) -> str:
        """What to write for `update`: empty where all of it stands there already."""
        changed = [drawn for drawn in _strips(update) if self._change(*drawn)]
        return "".join(f"\x1b[{row + 1};{start + 1}H{render(strip)}" for row, start, _, strip in changed)

    def _change(self, row: int, start: int, end: int, strip: Strip) -> bool:
        """Keep `strip`; returns whether it was not there before."""
        before = self._rows.get(row, [])
        if any(known[0] == start and known[1] == end and known[2] == strip for known in before):
            return False
        self._rows[row] = [known for known in before if known[1] <= start or end <= known[0]]
        self._rows[row].append((start, end, strip))
        return True


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
    """As ChopsUpdate.render_segments goes about it."""
    for row, first, last in update.spans:
        for end, (start, strip) in zip(update.chop_ends[row], update.chops[row].items(), strict=False):
            if strip is None or start > last or end <= first:
                continue
            if end > last:
                strip = strip.crop(0, last - start)
            if strip.cell_length:
                yield row, start, start + strip.cell_length, strip


class DrawnText(CompositorUpdate):
    """An update that is rendered already."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, console: object) -> str:
        """The text."""
        return self._text
