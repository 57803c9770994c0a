"""EntryStore: the entries in their order, and the rows that each takes at this width. Viewport: the rows in view.

Each entry has a serial number that never changes. Beyond a limit the oldest entries are removed; the file of the
transcript has them. So few enough are kept that a new width can count the rows of all of them at once. Pending lines,
which the room has not acknowledged, follow after all others.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import NamedTuple

from tui.message_log.entries import Entry
from tui.message_log.layout import Columns, count_rows

MAX_ENTRIES = 20_000
MAX_CHARACTERS = 2_000_000
"""Characters of all texts. It bounds the memory, and the time to wrap all texts, if a room sends only huge lines."""
KEPT_SHARE = 15 / 16
"""Of both limits. A little more than necessary is removed at once, so that entries are seldom removed."""


class Place(NamedTuple):
    """A row of the pane: the serial number of the entry, and the row within the entry."""

    serial: int
    row: int


class EntryStore:
    """The entries of the pane. A row or serial number out of range means the nearest one in range."""

    def __init__(self) -> None:
        self.first = 0
        """The serial number of the oldest entry kept."""
        self.mark: int | None = None
        """The serial number of the first unread entry, which has one more row for the mark."""
        self._entries: list[Entry] = []
        self._counts = array("H")
        """The number of rows of each entry, with the mark."""
        self._starts: array[int] | None = None
        """The first row of each entry, followed by the number of all rows. None if it must be computed again."""
        self._characters = 0
        self._pending: dict[str, Entry] = {}
        self._columns = Columns(80, 7, 10)

    def __len__(self) -> int:
        """The number of entries, without pending lines."""
        return len(self._entries)

    @property
    def next(self) -> int:
        """The serial number of the next entry."""
        return self.first + len(self)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self._row_starts()[-1] + sum(map(self._count, self._pending.values()))

    # Changing

    def append(self, entry: Entry) -> int:
        """Add an entry at the end. Returns its serial number."""
        if len(self) >= MAX_ENTRIES or self._characters > MAX_CHARACTERS:
            self._drop_oldest()
        self._entries.append(entry)
        self._characters += len(entry.text)
        self._counts.append(self._count(entry))
        if self._starts is not None:
            self._starts.append(self._starts[-1] + self._counts[-1])
        return self.next - 1

    def change_last(self, entry: Entry) -> None:
        """Replace the last entry."""
        self._characters += len(entry.text) - len(self._entries[-1].text)
        self._entries[-1] = entry
        self._counts[-1] = self._count(entry) + (self.mark == self.next - 1)
        self._starts = None

    def add_pending(self, id: str, entry: Entry) -> None:
        """Add a pending line, after all others."""
        self._pending[id] = entry

    def remove_pending(self, id: str) -> Entry | None:
        """Remove and return the pending line with this id, or return None."""
        return self._pending.pop(id, None)

    def set_mark(self, serial: int | None) -> None:
        """Move the mark of unread lines above the entry `serial`, or remove it if there is no such entry."""
        self._add_mark_row(-1)
        self.mark = serial if serial is not None and self.first <= serial < self.next else None
        self._add_mark_row(1)

    def set_columns(self, columns: Columns) -> None:
        """Change the layout: count the rows of all entries again."""
        if columns == self._columns:
            return
        self._columns = columns
        self._counts = array("H", map(self._count, self._entries))
        self._starts = None
        self._add_mark_row(1)

    def clear(self) -> None:
        """Remove all entries but the pending lines."""
        self._remove(len(self))

    def _drop_oldest(self) -> None:
        """Remove the oldest entries until both limits are kept."""
        dropped, characters = 0, self._characters
        for entry in self._entries:
            is_few = len(self) - dropped <= MAX_ENTRIES * KEPT_SHARE
            if is_few and characters <= MAX_CHARACTERS * KEPT_SHARE:
                break
            characters -= len(entry.text)
            dropped += 1
        self._remove(dropped)

    def _remove(self, count: int) -> None:
        """Remove the `count` oldest entries."""
        self._characters -= sum(len(entry.text) for entry in islice(self._entries, count))
        self.first += count
        del self._entries[:count], self._counts[:count]
        self._starts = None
        if self.mark is not None and self.mark < self.first:
            self.mark = None

    def _add_mark_row(self, rows: int) -> None:
        if self.mark is not None:
            self._counts[self.mark - self.first] += rows
            self._starts = None

    # Looking up

    def entry(self, serial: int) -> Entry | None:
        """The entry with this number, or None."""
        index = serial - self.first
        if 0 <= index < len(self):
            return self._entries[index]
        pending = index - len(self)
        return list(self._pending.values())[pending] if 0 <= pending < len(self._pending) else None

    def entries(self, first: int) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on, each with its serial number; without pending lines."""
        first = max(first, self.first)
        return enumerate(islice(self._entries, first - self.first, None), first)

    def locate(self, y: int) -> Place:
        """The entry at row `y` of the pane, and the row within it."""
        starts = self._row_starts()
        y = max(y, 0)
        if y < starts[-1]:
            index = bisect_right(starts, y) - 1
            return Place(self.first + index, y - starts[index])
        serial, rest = self.next, y - starts[-1]
        for entry in self._pending.values():
            count = self._count(entry)
            if rest < count:
                break
            rest -= count
            serial += 1
        return Place(serial, rest)

    def top(self, serial: int) -> int:
        """The first row of the entry `serial`."""
        starts = self._row_starts()
        index = max(serial - self.first, 0)
        if index < len(self):
            return starts[index]
        return starts[-1] + sum(map(self._count, islice(self._pending.values(), index - len(self))))

    def count(self, serial: int) -> int:
        """The number of rows of the entry `serial`; 0 if there is none."""
        index = serial - self.first
        if 0 <= index < len(self):
            return self._counts[index]
        entry = self.entry(serial)
        return self._count(entry) if entry else 0

    def _count(self, entry: Entry) -> int:
        return count_rows(entry, self._columns)

    def _row_starts(self) -> "array[int]":
        if self._starts is None:
            self._starts = array("Q", accumulate(self._counts, initial=0))
        return self._starts


class Viewport:
    """A view of `height` rows of a store.

    Row numbers change with the width, and when old entries are removed. So the first visible row is kept as an anchor:
    an entry and a row of it. While the end is in view, the viewport follows it.
    """

    def __init__(self, store: EntryStore) -> None:
        self.height = 0
        self.follows_end = True
        """Whether the end is in view and stays in view."""
        self._store = store
        self._anchor = Place(0, 0)

    @property
    def last_y(self) -> int:
        """The first row in view if the end is in view."""
        return max(self._store.rows - self.height, 0)

    @property
    def y(self) -> int:
        """The first row in view."""
        if self.follows_end:
            return self.last_y
        serial, row = self._anchor
        return min(self._store.top(serial) + min(row, max(self._store.count(serial) - 1, 0)), self.last_y)

    @property
    def bottom(self) -> int:
        """The serial number of the entry at the bottom."""
        return self._store.locate(self.y + max(self.height, 1) - 1).serial

    def look_at(self, y: int) -> None:
        """Scroll so that row `y` is the first in view."""
        self.follows_end = y >= self.last_y
        self._anchor = self._store.locate(y)

    def show(self, serial: int) -> None:
        """Scroll an entry to the middle unless it is in view."""
        top = self._store.top(serial)
        if not self.y <= top < self.y + self.height:
            self.look_at(max(top - self.height // 2, 0))
