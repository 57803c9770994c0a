"""Waiting: how a worker sleeps until its peer or the master has something for it, or something is due.

By one poll(2) for its whole life, told only what changes: a worker is woken for every line in the room.
"""

from math import inf
from select import POLLIN, POLLOUT, poll
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic

FLAGS = {EVENT_READ: POLLIN, EVENT_WRITE: POLLOUT, EVENT_READ | EVENT_WRITE: POLLIN | POLLOUT}


class Waiter:
    """Waits for a peer's socket and for the pipe from the master, both given by their descriptors."""

    def __init__(self, peer: int, pipe: int) -> None:
        self._peer = peer
        self._pipe = pipe
        self._interest = 0
        self._due = inf
        self._poll = poll()
        self._poll.register(pipe, POLLIN)

    def expect(self, interest: int, due: float) -> None:
        """What to wait for from now on: of the peer (as `selectors` has it), and until when (infinity for ever)."""
        self._due = due
        if interest != self._interest:
            if self._interest:
                self._poll.unregister(self._peer)  # Else poll(2) would tell of a hang-up, again and again.
            if interest:
                self._poll.register(self._peer, FLAGS[interest])
            self._interest = interest

    def wait(self) -> tuple[int, bool, bool]:
        """Sleep. Returns what the peer is ready for, whether the master says something, and whether it is time."""
        never = self._due == inf
        ready, news = 0, False
        for descriptor, flags in self._poll.poll(None if never else max(0.0, self._due - monotonic()) * 1000 + 1):
            if descriptor == self._pipe:
                news = True
            else:  # An error or a hang-up is found out by reading.
                ready = EVENT_READ * bool(flags & ~POLLOUT) | EVENT_WRITE * bool(flags & POLLOUT)
                ready &= self._interest
        return ready, news, not never and monotonic() >= self._due
