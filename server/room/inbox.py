"""Inbox: the requests of all connections to the room, in one order, until they are applied.

Any thread may append a request, without waiting. Only one thread at a time may apply them: the one that owns the room
at that moment.
"""

import logging
from collections import deque
from collections.abc import Callable

from protocol.messages import Goodbye
from server.room.outbox import Outbox
from server.room.room import Room
from server.session_types import Request

log = logging.getLogger("chat.server")


class Inbox:
    """The models' way to the room. `open`, `handle` and `close` only append; `flush` applies them in that order."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._requests: deque[tuple[int, Callable[[float], None]]] = deque()

    def open(self, number: int, served_by: str, host: str = "", worker: int = 0) -> None:
        """Connection `number` is served by that process, thread or loop. See `Room.open`."""
        self._requests.append((number, lambda now: self.room.open(number, served_by, host, worker)))

    def handle(self, number: int, item: Request, since: float) -> None:
        """Connection `number` makes a request, which may have waited to be read since `since` (seconds of the monotonic
        clock)."""
        self._requests.append((number, lambda now: self.room.apply(number, item, now, since)))

    def close(self, number: int, *, failed: bool = False) -> None:
        """Connection `number` has ended. `failed` means that an error of the server has ended it."""
        self._requests.append((number, lambda now: self.room.close(number, failed=failed)))

    def evict(self, number: int, goodbye: Goodbye) -> None:
        """Connection `number` gives its place up. See `Room.evict`."""
        self._requests.append((number, lambda now: self.room.evict(number, goodbye)))

    @property
    def has_work(self) -> bool:
        """Whether `flush` has requests to apply or output to return. Safe to call from any thread."""
        return bool(self._requests) or self.room.has_output

    def flush(self, now: float) -> Outbox:
        """Apply all requests, and return the resulting output. `now` is in seconds of the monotonic clock."""
        self.apply(now)
        return self.room.flush(now)

    def apply(self, now: float) -> None:
        """Apply all requests. If one raises an exception, only the connection that made it is closed."""
        while self._requests:
            number, request = self._requests.popleft()
            try:
                request(now)
            except Exception:
                log.exception("connection %d failed, and ends", number)
                self.room.abort(number)

    def end_switch(self, now: float) -> None:
        """The model has taken over all connections."""
        self.apply(now)
        self.room.end_switch(now)

    def delivered(self, outbox: Outbox, now: float) -> None:
        """The whole outbox has been written to all connections."""
        self.room.delivered(outbox, now)
