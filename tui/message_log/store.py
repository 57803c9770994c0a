"""Log: the entries in their order, and which row of the pane each is in, at whatever width.

Entries lie in blocks of BLOCK with a count of rows each. After a change of width a block's rows are an estimate until
it is settled (counted anew), so that 100,000 entries need not be wrapped before the first is painted. Entries are named
by a serial number that never changes; the oldest fall off by whole blocks. The lines that wait for the room's
acknowledgement lie behind all others.
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
"""Characters of text kept in all: a room that sends nothing but huge lines fills no memory either."""


class Place(NamedTuple):
    """A row of the pane: the entry's serial number, and the row within the entry."""

    serial: int
    row: int


class _Block:
    """Entries in a row. `counts` is exact for `columns`; else only `rows` is there, and an estimate."""

    __slots__ = ("characters", "columns", "counts", "entries", "rows")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.counts = array("H")
        self.rows = 0
        self.characters = 0
        self.columns: Columns | None = None


class EntryStore:
    """The pane's entries. Rows and serial numbers outside of it are taken for the nearest within."""

    def __init__(self) -> None:
        self.first = 0
        """The serial number of the oldest entry kept."""
        self.mark: int | None = None
        """The serial number above which the reader left off: it has one row more."""
        self._blocks: list[_Block] = []
        self._waiting: dict[str, Entry] = {}
        self._columns = Columns(80, 7, 10)
        self._starts: list[int] | None = None

    def __len__(self) -> int:
        """Entries, without those that wait."""
        return (len(self._blocks) - 1) * BLOCK + len(self._blocks[-1].entries) if self._blocks else 0

    @property
    def next(self) -> int:
        """The serial number the next entry gets."""
        return self.first + len(self)

    @property
    def rows(self) -> int:
        """Rows in all; an estimate while blocks are unsettled."""
        return self._block_starts()[-1] + sum(self._count(entry) for entry in self._waiting.values())

    # Changing

    def append(self, entry: Entry) -> int:
        """Add an entry behind the others; returns its serial number."""
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
        """Put `entry` in the place of the last one."""
        block = self._blocks[-1]
        block.characters += len(entry.text) - len(block.entries[-1].text)
        block.entries[-1] = entry
        self._settle(len(self._blocks) - 1, anew=True)

    def wait(self, id: str, entry: Entry) -> None:
        """Add a line that waits for its acknowledgement, behind all others."""
        self._waiting[id] = entry

    def arrived(self, id: str) -> Entry | None:
        """Take out the line that waited under `id`."""
        return self._waiting.pop(id, None)

    def set_mark(self, serial: int | None) -> None:
        """Draw the line that marks where the reader left off above `serial`, or nowhere."""
        old, self.mark = self.mark, serial
        for changed in (old, serial):
            if changed is not None and self.first <= changed < self.next:
                self._settle((changed - self.first) // BLOCK, anew=True)

    def set_columns(self, columns: Columns) -> None:
        """Lay out anew. What is not settled is estimated: cheap however many entries there are."""
        if columns == self._columns:
            return
        self._columns = columns
        width = max(columns.width - columns.text - 1, 1)
        for block in self._blocks:
            entries = len(block.entries)
            # An entry's last row is half full on average; that of a short one is its only row.
            block.rows = max(entries, block.characters // width + entries // 2)
        self._starts = None

    def clear(self) -> None:
        """Forget all but what waits."""
        self.first, self.mark = self.next, None
        self._blocks.clear()
        self._starts = None

    # Settling

    def settle(self, first: int, last: int) -> bool:
        """Count the rows of the entries from `first` to `last`, and their neighbours, exactly. Whether any changed."""
        low, high = self._block_of(first) - 1, self._block_of(last) + 1
        changed = [self._settle(index) for index in range(max(low, 0), min(high + 1, len(self._blocks)))]
        return any(changed)

    def settle_more(self, near: int) -> bool:
        """Count one unsettled block, the nearest to the entry `near`. Whether there was one."""
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
        """The entry with this number, or None where there is none."""
        index = serial - self.first
        if 0 <= index < len(self):
            return self._blocks[index // BLOCK].entries[index % BLOCK]
        waiting = index - len(self)
        return list(self._waiting.values())[waiting] if 0 <= waiting < len(self._waiting) else None

    def entries(self, first: int) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on, each with its serial number; without those that wait."""
        serial = max(first, self.first)
        index = (serial - self.first) // BLOCK
        for block in self._blocks[index:]:
            low = (serial - self.first) % BLOCK
            for entry in block.entries[low:]:
                yield serial, entry
                serial += 1

    def place(self, y: int) -> Place:
        """The entry in row `y` of the pane, and which of its rows that is."""
        starts = self._block_starts()
        y = max(y, 0)
        if y >= starts[-1]:
            return self._place_waiting(y - starts[-1])
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

    def _place_waiting(self, rest: int) -> Place:
        serial = self.next
        for entry in self._waiting.values():
            count = self._count(entry)
            if rest < count:
                return Place(serial, rest)
            rest -= count
            serial += 1
        return Place(serial, rest)

    def top(self, serial: int) -> int:
        """The first row of the entry `serial`; as exact as the blocks before it and its own are."""
        starts = self._block_starts()
        index = serial - self.first
        if index < 0:
            return 0
        if index >= len(self):
            ahead = list(self._waiting.values())[: index - len(self)]
            return starts[-1] + sum(self._count(entry) for entry in ahead)
        block = self._blocks[index // BLOCK]
        if block.columns != self._columns:
            return starts[index // BLOCK] + (index % BLOCK) * block.rows // len(block.entries)
        return starts[index // BLOCK] + sum(block.counts[: index % BLOCK])

    def count(self, serial: int) -> int:
        """Rows of the entry `serial`; 0 where there is none."""
        entry = self.entry(serial)
        return self._count(entry) + (serial == self.mark) if entry else 0

    def _count(self, entry: Entry) -> int:
        return count_rows(entry, self._columns)

    def _block_of(self, serial: int) -> int:
        return min(max(serial - self.first, 0), max(len(self) - 1, 0)) // BLOCK

    def _block_starts(self) -> list[int]:
        """The first row of each block, and behind them the number of rows."""
        if self._starts is None:
            self._starts = list(accumulate((block.rows for block in self._blocks), initial=0))
        return self._starts

    def _drop_oldest(self) -> None:
        """Let the oldest fall off, so that one more block has room."""
        characters = sum(block.characters for block in self._blocks)
        while self._blocks and (len(self) + BLOCK > MAX_ENTRIES or characters > MAX_CHARACTERS):
            characters -= self._blocks.pop(0).characters
            self.first += BLOCK
        self._starts = None
