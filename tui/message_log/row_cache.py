"""RowCache: rows of the log, drawn when they are first looked at and kept until something changes how they look."""

from collections.abc import Callable
from typing import NamedTuple

from rich.style import Style
from textual.cache import LRUCache
from textual.selection import Selection
from textual.strip import Strip

from tui.message_log.entries import Entry
from tui.message_log.layout import Columns, Row, rows
from tui.message_log.rendering import Layer, Paints, layers, paint
from tui.message_log.search import Search
from tui.message_log.selection import HEADER, point
from tui.message_log.store import Log

KEPT = 1024
"""Entries kept drawn: several screens of them."""


class _Drawn(NamedTuple):
    """An entry laid out. Its rows are drawn one by one: of a huge entry only those that are looked at."""

    entry: Entry
    rows: list[Row]
    strips: list[Strip | None]
    over: list[Layer]
    named: Style
    """What marks who said it."""
    selected: tuple[int, int] | None


class RowCache:
    """Set `columns`, `search` and `selection` as they change, and call `clear`."""

    def __init__(self, log: Log, paints: Callable[[], Paints]) -> None:
        """`paints` is asked for the theme's styles when they are needed."""
        self.columns = Columns(80, 7, 10)
        self.search: Search | None = None
        self.selection: Selection | None = None
        self._log = log
        self._ask_paints = paints
        self._paints: Paints | None = None
        self._drawn: LRUCache[int, _Drawn] = LRUCache(KEPT)

    def clear(self, *, paints: bool = False) -> None:
        """Draw everything anew; with `paints`, in other colours."""
        self._drawn.clear()
        if paints:
            self._paints = None

    def forget(self, first: int) -> None:
        """Draw the entries from `first` on anew."""
        for serial in list(self._drawn.keys()):
            if serial >= first:
                self._drawn.discard(serial)

    def strip(self, y: int) -> Strip:
        """Row `y` of the log; blank behind its end."""
        if self._paints is None:
            self._paints = self._ask_paints()
        serial, row = self._log.place(y)
        drawn = self._drawn.get(serial)
        if drawn is None:
            entry = self._log.entry(serial)
            if entry is None:
                return Strip.blank(self.columns.width, self._paints.text)
            drawn = self._drawn[serial] = self._lay_out(entry, serial, self._paints)
        if row >= len(drawn.rows):
            return Strip.blank(self.columns.width, self._paints.text)
        strip = drawn.strips[row]
        if strip is None:
            strip = drawn.strips[row] = self._draw(drawn, serial, row, self._paints)
        return strip

    def _lay_out(self, entry: Entry, serial: int, paints: Paints) -> _Drawn:
        made = rows(entry, self.columns, new=serial == self._log.mark)
        shown = max(row.end for row in made)
        over = layers(entry, shown, paints)
        named = Style.null()
        if self.search is not None:
            hit = paints.current if serial == self.search.current else paints.match
            over.append([(start, end, hit) for start, end in self.search.spans(entry.text[:shown])])
            named = hit if self.search.names(entry) else named
        return _Drawn(entry, made, [None] * len(made), over, named, self._selected(entry, serial))

    def _draw(self, drawn: _Drawn, serial: int, row: int, paints: Paints) -> Strip:
        width = self.columns.width
        return paint(drawn.entry, serial, drawn.rows[row], width, paints, drawn.over, drawn.selected, drawn.named)

    def _selected(self, entry: Entry, serial: int) -> tuple[int, int] | None:
        span = self.selection.get_span(serial) if self.selection is not None else None
        if span is None:
            return None
        start, end = span
        return (point(start) if start else HEADER), (len(entry.text) if end == -1 else point(end))
