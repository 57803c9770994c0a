"""Record: the events the room has told, kept for those who come back and those who come new. Bounded."""

from collections import deque
from itertools import islice

from protocol.messages import Said, Sequenced


class Record:
    """The last `keep` events in the order they were told, and the last `history` lines that were said."""

    def __init__(self, keep: int, history: int) -> None:
        self.seq = 0
        """The number of the last event."""
        self._events: deque[Sequenced] = deque(maxlen=keep)
        self._said: deque[Said] = deque(maxlen=history)

    def add(self, event: Sequenced) -> None:
        """Keep an event whose `seq` is the next one."""
        self.seq = event.seq
        self._events.append(event)
        if isinstance(event, Said):
            self._said.append(event)

    def since(self, after: int) -> tuple[list[Sequenced], int]:
        """The events with a `seq` above `after`, and how many of them are not kept any more."""
        wanted = max(0, self.seq - after)
        missed = max(0, wanted - len(self._events))
        return list(islice(self._events, len(self._events) - wanted + missed, None)), missed

    def clear_said(self) -> None:
        """Show newcomers nothing of what was said so far. Who was here already can still catch up."""
        self._said.clear()

    def said(self) -> list[Sequenced]:
        """The lines a newcomer is shown."""
        return list(self._said)
