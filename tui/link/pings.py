"""Pings: how long the way to the room and back takes, and when a silence is too long. Pure: times are arguments."""

import secrets
from collections import deque

from protocol.messages import Limits

PING_EVERY = 5.0
"""Seconds."""
PING_SHARE = 10.0
"""A ping costs the flood allowance a line: at most one in this many of what a second allows."""
SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 0.1, 3600.0
"""Bounds of the interval, whatever limits a room tells."""
FIRST_PING_DELAY_S = 1.0
"""After a client has entered, as long as it is busy with showing the room."""
COMPARED_PINGS = 3
"""The fastest of the last so many counts: that one alone is slow says little of the way, and much of either machine."""
NOTABLY_FASTER_S, NOTABLY_SLOWER_S = 0.002, 0.010
SILENT_PINGS = 3
"""Ping intervals without a byte, after which the connection is taken for dead."""


class Pings:
    """The pings of one connection after another, one at a time."""

    def __init__(self) -> None:
        self.round_trip: float | None = None
        """Seconds a ping takes, to be shown: it changes where that is notable; None where none was answered on this
        connection."""
        self.waiting = False
        """One is on its way."""
        self._id = ""
        self._sent = 0.0
        self._latest: deque[float] = deque(maxlen=COMPARED_PINGS)

    def begin(self, now: float) -> str:
        """The id of a ping that is sent now."""
        self._id, self._sent, self.waiting = f"link-{secrets.token_hex(4)}", now, True
        return self._id

    def answered(self, id: str, now: float) -> bool:
        """A pong came. Returns whether it is ours."""
        if not self.waiting or id != self._id:
            return False
        self.waiting = False
        self._latest.append(now - self._sent)
        measured = min(self._latest)
        if self.round_trip is None or is_notable(self.round_trip, measured):
            self.round_trip = measured
        return True

    def forget(self) -> None:
        """The connection is gone."""
        self.round_trip, self.waiting = None, False
        self._latest.clear()


def is_notable(before: float, now: float) -> bool:
    """Whether a round trip differs enough from the one before it to be shown: an idle client draws nothing."""
    if now < before:
        return now < before / 2 and before - now > NOTABLY_FASTER_S
    return now - before > max(NOTABLY_SLOWER_S, before / 2)


def interval(limits: Limits) -> float:
    """Seconds between two pings, where a room has these limits."""
    seconds = max(PING_EVERY, PING_SHARE / limits.rate) if limits.rate else PING_EVERY
    # A member that only reads is not idle: a room that closes silent connections hears from us in time.
    wanted = min(seconds, limits.idle_timeout / 2) if limits.idle_timeout else seconds
    return min(max(wanted, SHORTEST_INTERVAL_S), LONGEST_INTERVAL_S)


def first_delay(limits: Limits) -> float:
    """Seconds until the first ping."""
    return min(FIRST_PING_DELAY_S, interval(limits))


def is_silent(seconds: float, limits: Limits) -> bool:
    """Whether so many seconds without a byte are too long."""
    return seconds >= SILENT_PINGS * max(PING_EVERY, interval(limits))
