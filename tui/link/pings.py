"""Pings: measures the round trip to the room, and detects a silent connection. Pure: times are arguments."""

import secrets
from collections import deque

from protocol.messages import Limits

PING_INTERVAL_S = 5.0
"""Seconds."""
PING_SHARE = 10.0
"""A ping counts as a line in the room's flood limit, so at most one line in this many is a ping."""
SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 0.1, 3600.0
"""Bounds of the interval for any limits that a room announces."""
FIRST_PING_DELAY_S = 1.0
"""The delay after a client has entered: until then it is busy with showing the room."""
COMPARED_PINGS = 3
"""The fastest of this many last pings counts. A single slow ping is usually due to a busy machine, not the network."""
NOTABLY_FASTER_S, NOTABLY_SLOWER_S = 0.002, 0.010
MAX_SILENT_INTERVALS = 3
"""Ping intervals without a received byte, after which the connection is treated as lost."""


class Pings:
    """The pings of one connection after another, one at a time."""

    def __init__(self) -> None:
        self.round_trip: float | None = None
        """The round trip to show, in seconds. It changes only notably (`is_notable`). None before the first answer on
        this connection."""
        self.waiting = False
        """Whether a ping has no answer yet."""
        self._id = ""
        self._sent = 0.0
        self._latest: deque[float] = deque(maxlen=COMPARED_PINGS)

    def begin(self, now: float) -> str:
        """Start a ping at `now` and return its id."""
        self._id, self._sent, self.waiting = f"link-{secrets.token_hex(4)}", now, True
        return self._id

    def answered(self, id: str, now: float) -> bool:
        """Record a pong. Returns whether it answers the current ping."""
        if not self.waiting or id != self._id:
            return False
        self.waiting = False
        self._latest.append(now - self._sent)
        measured = min(self._latest)
        if self.round_trip is None or is_notable(self.round_trip, measured):
            self.round_trip = measured
        return True

    def forget(self) -> None:
        """Reset after the connection has ended."""
        self.round_trip, self.waiting = None, False
        self._latest.clear()


def is_notable(before: float, now: float) -> bool:
    """Whether a round trip differs enough from the previous one to be shown. An idle client is not redrawn."""
    if now < before:
        return now < before / 2 and before - now > NOTABLY_FASTER_S
    return now - before > max(NOTABLY_SLOWER_S, before / 2)


def interval(limits: Limits) -> float:
    """Seconds between two pings in a room with these limits."""
    seconds = max(PING_INTERVAL_S, PING_SHARE / limits.rate) if limits.rate else PING_INTERVAL_S
    # A member that only reads is not idle: ping before the room closes the connection as silent.
    wanted = min(seconds, limits.idle_timeout / 2) if limits.idle_timeout else seconds
    return min(max(wanted, SHORTEST_INTERVAL_S), LONGEST_INTERVAL_S)


def first_delay(limits: Limits) -> float:
    """Seconds until the first ping."""
    return min(FIRST_PING_DELAY_S, interval(limits))


def is_silent(seconds: float, limits: Limits) -> bool:
    """Whether this many seconds without a received byte mean that the connection is lost."""
    return seconds >= MAX_SILENT_INTERVALS * max(PING_INTERVAL_S, interval(limits))
