"""Viewport: which rows of the log are in view, and what the reader holds on to.

Row numbers move: with the width, as the oldest entries fall off, and as estimates of the layout become exact. So what
the reader looks at is kept as an anchor, an entry and a row of it. While the end is in view the window follows the end.
"""

from tui.message_log.store import EntryStore, Place

MAX_SETTLE_ROUNDS = 4
"""To make exact what is in view can bring more into view, where entries were thought longer than they are."""


class Viewport:
    """A view of `height` rows. Change `height` and the log as you like, then call `settle`."""

    def __init__(self, log: EntryStore) -> None:
        self.height = 0
        self.follow = True
        """Whether the end is in view, and is to stay there."""
        self._store = log
        self._anchor = Place(0, 0)

    @property
    def last_y(self) -> int:
        """The first row in view when the end is."""
        return max(self._store.rows - self.height, 0)

    @property
    def y(self) -> int:
        """The first row in view."""
        if self.follow:
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
        return self._store.place(self.y + max(self.height, 1) - 1).serial

    def look_at(self, y: int) -> None:
        """The reader scrolled: row `y` is the first in view."""
        self.follow = y >= self.last_y
        self._anchor = self._store.place(y)

    def show(self, serial: int) -> None:
        """Bring an entry into the middle, unless it is in view already."""
        self._store.settle(serial - self.height, serial + self.height)
        top = self._store.top(serial)
        if not self.y <= top < self.y + self.height:
            self.look_at(max(top - self.height // 2, 0))

    def settle(self) -> None:
        """Make the layout of what is in view and around it exact; hold on to what the reader looks at."""
        log = self._store
        for _ in range(MAX_SETTLE_ROUNDS):
            first = log.next - self.height if self.follow else self._anchor.serial
            if not log.settle(first, first + self.height):
                break
        self._anchor = log.place(self.y) if self.follow else max(self._anchor, Place(log.first, 0))
