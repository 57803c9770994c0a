"""RowCache renders the rows of an EntryStore when they are first shown, and keeps them until their look changes."""

from collections.abc import Callable
from typing import NamedTuple

from rich.style import Style
from textual.cache import LRUCache
from textual.selection import Selection
from textual.strip import Strip

from tui.message_log.entries import Entry
from tui.message_log.layout import Columns, Row, rows
from tui.message_log.rendering import Layer, ThemeStyles, layers, render_row
from tui.message_log.search import Search
from tui.message_log.selection import HEADER, point
from tui.message_log.store import EntryStore

MAX_CACHED_ENTRIES = 1024
"""Entries whose rows are kept: several screens."""


class _Drawn(NamedTuple):
    """An entry with its layout. Its rows are rendered one by one: of a huge entry only those that are shown."""

    entry: Entry
    rows: list[Row]
    strips: list[Strip | None]
    over: list[Layer]
    named: Style
    """The style that is added to the nickname."""
    selected: tuple[int, int] | None


class RowCache:
    """After a change of `columns`, `search` or `selection`, call `clear`."""

    def __init__(self, store: EntryStore, styles: Callable[[], ThemeStyles]) -> None:
        """`styles` returns the styles of the theme; it is called when they are needed."""
        self.columns = Columns(80, 7, 10)
        self.search: Search | None = None
        self.selection: Selection | None = None
        self._store = store
        self._make_styles = styles
        self._styles: ThemeStyles | None = None
        self._drawn: LRUCache[int, _Drawn] = LRUCache(MAX_CACHED_ENTRIES)

    def clear(self, *, styles: bool = False) -> None:
        """Forget all rows; with `styles`, also the styles of the theme."""
        self._drawn.clear()
        if styles:
            self._styles = None

    def forget(self, first: int) -> None:
        """Forget the rows of the entries from `first` on."""
        for serial in list(self._drawn.keys()):
            if serial >= first:
                self._drawn.discard(serial)

    def strip(self, y: int) -> Strip:
        """Row `y` of the store. Rows after its end are blank."""
        if self._styles is None:
            self._styles = self._make_styles()
        serial, row = self._store.locate(y)
        drawn = self._drawn.get(serial)
        if drawn is None:
            entry = self._store.entry(serial)
            if entry is None:
                return Strip.blank(self.columns.width, self._styles.text)
            drawn = self._drawn[serial] = self._lay_out(entry, serial, self._styles)
        if row >= len(drawn.rows):
            return Strip.blank(self.columns.width, self._styles.text)
        strip = drawn.strips[row]
        if strip is None:
            strip = drawn.strips[row] = self._draw(drawn, serial, row, self._styles)
        return strip

    def _lay_out(self, entry: Entry, serial: int, styles: ThemeStyles) -> _Drawn:
        made = rows(entry, self.columns, new=serial == self._store.mark)
        shown = max(row.end for row in made)
        over = layers(entry, shown, styles)
        named = Style.null()
        if self.search is not None:
            hit = styles.current if serial == self.search.current else styles.match
            over.append([(start, end, hit) for start, end in self.search.spans(entry.text[:shown])])
            named = hit if self.search.names(entry) else named
        return _Drawn(entry, made, [None] * len(made), over, named, self._selected(entry, serial))

    def _draw(self, drawn: _Drawn, serial: int, row: int, styles: ThemeStyles) -> Strip:
        width = self.columns.width
        return render_row(drawn.entry, serial, drawn.rows[row], width, styles, drawn.over, drawn.selected, drawn.named)

    def _selected(self, entry: Entry, serial: int) -> tuple[int, int] | None:
        span = self.selection.get_span(serial) if self.selection is not None else None
        if span is None:
            return None
        start, end = span
        return (point(start) if start else HEADER), (len(entry.text) if end == -1 else point(end))
