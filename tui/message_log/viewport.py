"""Viewport: the rows of an EntryStore that are in view.

Row numbers change with the width, when old entries are removed, and when estimates become exact. So the first visible
row is kept as an anchor: an entry and a row of it. While the end is in view, the viewport follows it.
"""

from tui.message_log.store import EntryStore, Place

MAX_SETTLE_ROUNDS = 4
"""Settling can bring more entries into view if their estimates were too high, so it is repeated."""


class Viewport:
    """A view of `height` rows. After changes of `height` or of the store, call `settle`."""

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
    def anchor(self) -> int:
        """The serial number of the entry at the top."""
        return self._anchor.serial

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
        self._store.settle(serial - self.height, serial + self.height)
        top = self._store.top(serial)
        if not self.y <= top < self.y + self.height:
            self.look_at(max(top - self.height // 2, 0))

    def settle(self) -> None:
        """Settle the entries in view and around it. The first visible row stays the same."""
        store = self._store
        for _ in range(MAX_SETTLE_ROUNDS):
            first = store.next - self.height if self.follows_end else self._anchor.serial
            if not store.settle(first, first + self.height):
                break
        self._anchor = store.locate(self.y) if self.follows_end else max(self._anchor, Place(store.first, 0))
