"""History: the events the room has told, kept for those who come back and those who come new. Bounded.

However much is kept, one welcome brings no more than MAX_REPLAY_BYTES: whoever asks for everything and does not read it
costs the room about as much as any other slow reader.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice

from protocol.dialects import RICH, Dialect
from protocol.messages import Said, Sequenced

MAX_REPLAY_BYTES = 2**20
"""Bytes of the events that one welcome brings, as its dialect writes them."""


class History:
    """The last `keep` events in the order they were told, and the last `history` lines that were said."""

    def __init__(self, keep: int, history: int) -> None:
        self.seq = 0
        """The number of the last event."""
        self._events: deque[Sequenced] = deque(maxlen=keep)
        self._lines: deque[Said] = deque(maxlen=history)

    def add(self, event: Sequenced) -> None:
        """Keep an event whose `seq` is the next one."""
        self.seq = event.seq
        self._events.append(event)
        if isinstance(event, Said):
            self._lines.append(event)

    def find_event(self, seq: int) -> Sequenced | None:
        """The event with this `seq`, as long as it is kept."""
        ago = self.seq - seq
        return self._events[-1 - ago] if 0 <= ago < len(self._events) else None

    def events_after(self, after: int, max_bytes: int = MAX_REPLAY_BYTES) -> tuple[list[Sequenced], int, int]:
        """The events with a `seq` above `after`; how many of them are missed, as they are not kept any more or do not
        fit into so many bytes; and the bytes of those brought.

        It is the newest that are brought, so that what follows has no gap. For the rich dialect.
        """
        wanted = max(0, self.seq - after)
        brought, size = _newest_within(islice(reversed(self._events), wanted), RICH, max_bytes)
        return brought, wanted - len(brought), size

    def clear_lines(self) -> None:
        """Show newcomers nothing of what was said so far. Who was here already can still catch up."""
        self._lines.clear()

    def recent_lines(self, dialect: Dialect, max_bytes: int = MAX_REPLAY_BYTES) -> tuple[list[Sequenced], int]:
        """The lines a newcomer is shown: the newest that fit into so many bytes, and the bytes of them."""
        return _newest_within(reversed(self._lines), dialect, max_bytes)


def _newest_within(newest_first: Iterable[Sequenced], dialect: Dialect, max_bytes: int) -> tuple[list[Sequenced], int]:
    """As many as fit, oldest first, and the bytes of them."""
    brought: list[Sequenced] = []
    total = 0
    for event in newest_first:
        size = len(dialect.encode(event))
        if total + size > max_bytes:
            break
        total += size
        brought.append(event)
    brought.reverse()
    return brought, total
