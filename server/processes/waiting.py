"""Waiting: how a worker sleeps until its peer or the master has something for it, or something is due.

By one poll(2) for its whole life, told only what changes: a worker is woken for every line in the room. Most often that
is to pass the line on and to sleep again, so it is done here.
"""

import os
from math import inf
from select import POLLIN, POLLOUT, poll
from selectors import EVENT_READ, EVENT_WRITE
from socket import SocketType
from time import monotonic

from server.connection import LONGEST_SLEEP
from server.processes.frames import NUL
from server.processes.pipes import READ_SIZE, Channel

FLAGS = {EVENT_READ: POLLIN, EVENT_WRITE: POLLOUT, EVENT_READ | EVENT_WRITE: POLLIN | POLLOUT}


class Waiter:
    """Waits for a peer and for the master."""

    def __init__(self, peer: SocketType, channel: Channel) -> None:
        self._peer = peer
        self._channel = channel
        self._interest = 0
        self._due = inf
        self._poll = poll()
        self._poll.register(channel.reading, POLLIN)

    def expect(self, interest: int, due: float) -> None:
        """What to wait for from now on: of the peer (as `selectors` has it), and until when (infinity for ever)."""
        self._due = due
        if interest != self._interest:
            if self._interest:
                self._poll.unregister(self._peer)  # Else poll(2) would tell of a hang-up, again and again.
            if interest:
                self._poll.register(self._peer, FLAGS[interest])
            self._interest = interest

    def wait(self) -> tuple[int, list[tuple[bytes, bytes]] | None, bool]:
        """Sleep. Returns what the peer is ready for, what frames have come from the master (None once it is gone), and
        whether it is time."""
        never = self._due == inf
        if never and self._channel.between and not self._interest & EVENT_WRITE:
            found, data = self._relay()
        else:
            left = min(LONGEST_SLEEP, max(0.0, self._due - monotonic()))
            found, data = self._poll.poll(left * 1000 + 1), None
        ready = 0
        frames: list[tuple[bytes, bytes]] | None = []
        for descriptor, flags in found:
            if descriptor == self._channel.reading:
                frames = self._channel.receive() if data is None else self._channel.take(data)
            else:  # An error or a hang-up is found out by reading.
                ready = EVENT_READ * bool(flags & ~POLLOUT) | EVENT_WRITE * bool(flags & POLLOUT)
                ready &= self._interest
        return ready, frames, not never and monotonic() >= self._due

    def _relay(self) -> tuple[list[tuple[int, int]], bytes | None]:
        """Sleep, and pass on to the peer what the master has for it, until there is something else to do.

        Returns what poll(2) found then, and what was read from the master and is not passed on. A line wakes a thousand
        workers, each on a core that has just worked for others: what is not touched in here need not be fetched again.
        """
        look, pipe, peer = self._poll.poll, self._channel.reading, self._peer.fileno()
        while True:
            found = look()
            if found[0][0] != pipe or len(found) > 1:
                return found, None
            data = os.read(pipe, READ_SIZE)
            if not data or NUL in data:
                return found, data
            try:
                taken = os.write(peer, data)
            except OSError:
                taken = 0  # Whatever it is, the session will meet it again.
            if taken < len(data):
                return found, data[taken:]
