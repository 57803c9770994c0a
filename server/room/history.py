"""History: the past events of the room, for new and returning members. Bounded.

One welcome contains at most MAX_REPLAY_BYTES of them. So a client that asks for all events and does not read them costs
the room about as much as any other slow reader.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice

from protocol.dialects import RICH, Dialect
from protocol.messages import Said, Sequenced

MAX_REPLAY_BYTES = 2**20
"""Bytes of the events in one welcome, as its dialect encodes them."""


class History:
    """The last `keep` events, and the last `history` lines, in order."""

    def __init__(self, keep: int, history: int) -> None:
        self.seq = 0
        """The `seq` of the last event."""
        self._events: deque[Sequenced] = deque(maxlen=keep)
        self._lines: deque[Said] = deque(maxlen=history)

    def add(self, event: Sequenced) -> None:
        """Keep an event with the next `seq`."""
        self.seq = event.seq
        self._events.append(event)
        if isinstance(event, Said):
            self._lines.append(event)

    def find_event(self, seq: int) -> Sequenced | None:
        """The event with this `seq`, or None if it is not kept."""
        ago = self.seq - seq
        return self._events[-1 - ago] if 0 <= ago < len(self._events) else None

    def events_after(self, after: int, max_bytes: int = MAX_REPLAY_BYTES) -> tuple[list[Sequenced], int, int]:
        """The newest events above `after` that fit into `max_bytes`; how many are missing; and the bytes of the events.

        Events are missing if they are not kept or do not fit. No gap follows the returned events. For the rich dialect.
        """
        wanted = max(0, self.seq - after)
        events, size = _newest_within(islice(reversed(self._events), wanted), RICH, max_bytes)
        return events, wanted - len(events), size

    def clear_lines(self) -> None:
        """Show new members none of the lines so far. Returning members can still catch up."""
        self._lines.clear()

    def recent_lines(self, dialect: Dialect, max_bytes: int = MAX_REPLAY_BYTES) -> tuple[list[Sequenced], int]:
        """The lines for a new member: the newest that fit into `max_bytes`, and their bytes."""
        return _newest_within(reversed(self._lines), dialect, max_bytes)


def _newest_within(newest_first: Iterable[Sequenced], dialect: Dialect, max_bytes: int) -> tuple[list[Sequenced], int]:
    """As many events as fit, the oldest first, and their bytes."""
    events: list[Sequenced] = []
    total = 0
    for event in newest_first:
        size = len(dialect.encode(event))
        if total + size > max_bytes:
            break
        total += size
        events.append(event)
    events.reverse()
    return events, total
