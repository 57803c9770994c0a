"""EntryStore: the entries in their order, and the rows that each of them takes at the present width of the pane.

Entries are kept in blocks of BLOCK, each with its number of rows. After a change of width this number is an estimate
until the block is settled: its rows are then counted exactly. So the first of 100,000 entries is drawn before all are
wrapped. Each entry has a serial number that never changes. The oldest entries are removed in whole blocks. Pending
lines, which the room has not acknowledged, follow after all others.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from tui.message_log.entries import Entry
from tui.message_log.layout import Columns, count_rows

BLOCK = 256
MAX_ENTRIES = 100_000
MAX_CHARACTERS = 50_000_000
"""Characters of all texts. It bounds the memory if a room sends only huge lines."""


class Place(NamedTuple):
    """A row of the pane: the serial number of the entry, and the row within the entry."""

    serial: int
    row: int


class _Block:
    """Consecutive entries. `counts` is exact for `columns`; for other columns only `rows` is known, as an estimate."""

    __slots__ = ("characters", "columns", "counts", "entries", "rows")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.counts = array("H")
        self.rows = 0
        self.characters = 0
        self.columns: Columns | None = None


class EntryStore:
    """The entries of the pane. A row or serial number out of range means the nearest one in range."""

    def __init__(self) -> None:
        self.first = 0
        """The serial number of the oldest entry kept."""
        self.mark: int | None = None
        """The serial number of the first unread entry, which has one more row for the mark."""
        self._blocks: list[_Block] = []
        self._pending: dict[str, Entry] = {}
        self._columns = Columns(80, 7, 10)
        self._starts: list[int] | None = None

    def __len__(self) -> int:
        """The number of entries, without pending lines."""
        return (len(self._blocks) - 1) * BLOCK + len(self._blocks[-1].entries) if self._blocks else 0

    @property
    def next(self) -> int:
        """The serial number of the next entry."""
        return self.first + len(self)

    @property
    def rows(self) -> int:
        """The number of rows; an estimate while blocks are not settled."""
        return self._block_starts()[-1] + sum(self._count(entry) for entry in self._pending.values())

    # Changing

    def append(self, entry: Entry) -> int:
        """Add an entry at the end. Returns its serial number."""
        if not self._blocks or len(self._blocks[-1].entries) == BLOCK:
            self._drop_oldest()
            self._blocks.append(_Block())
            self._blocks[-1].columns = self._columns
        block = self._blocks[-1]
        block.entries.append(entry)
        block.characters += len(entry.text)
        count = self._count(entry)
        block.rows += count
        if block.columns == self._columns:
            block.counts.append(count)
        if self._starts is not None:
            self._starts[-1] += count
        return self.next - 1

    def change_last(self, entry: Entry) -> None:
        """Replace the last entry."""
        block = self._blocks[-1]
        block.characters += len(entry.text) - len(block.entries[-1].text)
        block.entries[-1] = entry
        self._settle(len(self._blocks) - 1, anew=True)

    def add_pending(self, id: str, entry: Entry) -> None:
        """Add a pending line, after all others."""
        self._pending[id] = entry

    def remove_pending(self, id: str) -> Entry | None:
        """Remove and return the pending line with this id, or return None."""
        return self._pending.pop(id, None)

    def set_mark(self, serial: int | None) -> None:
        """Move the mark of unread lines above the entry `serial`, or remove it."""
        old, self.mark = self.mark, serial
        for changed in (old, serial):
            if changed is not None and self.first <= changed < self.next:
                self._settle((changed - self.first) // BLOCK, anew=True)

    def set_columns(self, columns: Columns) -> None:
        """Change the layout. All blocks get an estimate, which is fast for any number of entries."""
        if columns == self._columns:
            return
        self._columns = columns
        width = max(columns.width - columns.text - 1, 1)
        for block in self._blocks:
            entries = len(block.entries)
            # The last row of an entry is half full on average; a short entry has only that row.
            block.rows = max(entries, block.characters // width + entries // 2)
        self._starts = None

    def clear(self) -> None:
        """Remove all entries but the pending lines."""
        self.first, self.mark = self.next, None
        self._blocks.clear()
        self._starts = None

    # Settling

    def settle(self, first: int, last: int) -> bool:
        """Settle the blocks of the entries `first` to `last`, and their neighbours. Returns whether one changed."""
        low, high = self._block_of(first) - 1, self._block_of(last) + 1
        changed = [self._settle(index) for index in range(max(low, 0), min(high + 1, len(self._blocks)))]
        return any(changed)

    def settle_more(self, near: int) -> bool:
        """Settle the block that is nearest to the entry `near`. Returns False if all are settled."""
        unsettled = [index for index, block in enumerate(self._blocks) if block.columns != self._columns]
        if not unsettled:
            return False
        at = self._block_of(near)
        return self._settle(min(unsettled, key=lambda index: abs(index - at)))

    def _settle(self, index: int, anew: bool = False) -> bool:
        block = self._blocks[index]
        if block.columns == self._columns and not anew:
            return False
        columns = self._columns
        block.counts = array("H", [count_rows(entry, columns) for entry in block.entries])
        if self.mark is not None and index == (self.mark - self.first) // BLOCK and self.mark < self.next:
            block.counts[(self.mark - self.first) % BLOCK] += 1
        block.rows, block.columns = sum(block.counts), columns
        self._starts = None
        return True

    # Looking up

    def entry(self, serial: int) -> Entry | None:
        """The entry with this number, or None."""
        index = serial - self.first
        if 0 <= index < len(self):
            return self._blocks[index // BLOCK].entries[index % BLOCK]
        pending = index - len(self)
        return list(self._pending.values())[pending] if 0 <= pending < len(self._pending) else None

    def entries(self, first: int) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on, each with its serial number; without pending lines."""
        serial = max(first, self.first)
        index = (serial - self.first) // BLOCK
        for block in self._blocks[index:]:
            low = (serial - self.first) % BLOCK
            for entry in block.entries[low:]:
                yield serial, entry
                serial += 1

    def locate(self, y: int) -> Place:
        """The entry at row `y` of the pane, and the row within it."""
        starts = self._block_starts()
        y = max(y, 0)
        if y >= starts[-1]:
            return self._locate_pending(y - starts[-1])
        index = bisect_right(starts, y) - 1
        block, rest = self._blocks[index], y - starts[index]
        serial = self.first + index * BLOCK
        if block.columns != self._columns:
            entries = len(block.entries)
            return Place(serial + min(-(-rest * entries // block.rows), entries - 1), 0)
        for count in block.counts:
            if rest < count:
                break
            rest -= count
            serial += 1
        return Place(serial, rest)

    def _locate_pending(self, rest: int) -> Place:
        serial = self.next
        for entry in self._pending.values():
            count = self._count(entry)
            if rest < count:
                return Place(serial, rest)
            rest -= count
            serial += 1
        return Place(serial, rest)

    def top(self, serial: int) -> int:
        """The first row of the entry `serial`. It is exact if the blocks up to this entry are settled."""
        starts = self._block_starts()
        index = serial - self.first
        if index < 0:
            return 0
        if index >= len(self):
            ahead = list(self._pending.values())[: index - len(self)]
            return starts[-1] + sum(self._count(entry) for entry in ahead)
        block = self._blocks[index // BLOCK]
        if block.columns != self._columns:
            return starts[index // BLOCK] + (index % BLOCK) * block.rows // len(block.entries)
        return starts[index // BLOCK] + sum(block.counts[: index % BLOCK])

    def count(self, serial: int) -> int:
        """The number of rows of the entry `serial`; 0 if there is none."""
        entry = self.entry(serial)
        return self._count(entry) + (serial == self.mark) if entry else 0

    def _count(self, entry: Entry) -> int:
        return count_rows(entry, self._columns)

    def _block_of(self, serial: int) -> int:
        return min(max(serial - self.first, 0), max(len(self) - 1, 0)) // BLOCK

    def _block_starts(self) -> list[int]:
        """The first row of each block, followed by the number of all rows."""
        if self._starts is None:
            self._starts = list(accumulate((block.rows for block in self._blocks), initial=0))
        return self._starts

    def _drop_oldest(self) -> None:
        """Remove the oldest blocks until there is room for one more."""
        characters = sum(block.characters for block in self._blocks)
        while self._blocks and (len(self) + BLOCK > MAX_ENTRIES or characters > MAX_CHARACTERS):
            characters -= self._blocks.pop(0).characters
            self.first += BLOCK
        self._starts = None
