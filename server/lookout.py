"""Lookout: since when what is found ready may have waited. Pure but for the clock.

Who does something else does not look: what comes meanwhile is found at once when it looks again. So where it found
something without sleeping, that may have waited for as long as nobody looked. It is what the meter takes for the wait,
and not less: one slow turn of an event loop delays all, and shows nowhere else.
"""

from collections.abc import Callable
from time import time
from typing import TypeVar

T = TypeVar("T")


class Lookout:
    """One for each who waits: a loop, a thread or a worker. Times are seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._woken = self.since = clock()
        """When it last woke; and since when what was found then may have waited."""

    def wait(self, look: Callable[..., T], *args: object) -> T:
        """Call `look`, which sleeps until it finds something; returns what it found."""
        began = self._clock()
        found = look(*args)
        now = self._clock()
        busy, slept = began - self._woken, now - began
        self.since = now - max(0.0, busy - slept)
        self._woken = now
        return found
