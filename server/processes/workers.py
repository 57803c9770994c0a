"""Workers: the master's side of the children of the process model. What a child does is in `server.processes.worker`.

A worker that does not read its pipe must not hold up the others, nor cost memory for ever: what its pipe does not take
is kept, up to MAX_PIPED, and written when it does.
"""

import os
import signal
from collections import deque
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from time import monotonic

from server.connection import Connection
from server.processes.forking import ForkServer
from server.processes.frames import ECHO, RETURN, pack, pack_delivery, pack_session, session_in
from server.room.turn import Turn

MAX_PIPED = 8 * 2**20
"""Bytes that may wait for one worker, besides its longest frame, before it is taken to be stuck: a welcome that brings
what somebody missed is as long as that was."""
UNDER_WAY = 100
"""Turns that one worker may be followed with at a time."""


class WorkerFailed(Exception):
    """A worker's traceback, as text."""


class Worker:
    """A child that serves one connection, and the pipes to it. Frames are told by `server.processes.frames`."""

    def __init__(self, connection: Connection, forkserver: ForkServer, selector: BaseSelector) -> None:
        """Have it forked, and give it the session. Raises OSError where there is no process to be had."""
        self.connection = connection
        self.number = connection.number
        self.last_word = b""
        """The kind of its last frame: ENDED, FAILURE or SESSION. Without one it has died."""
        self.recalled = False
        """It was asked for its session: what comes for it waits until it is back."""
        self._meanwhile: list[tuple[bytes, int]] = []
        self._followed: deque[Turn] = deque()
        self._selector = selector
        self._most = 0
        self.pid, self._channel = forkserver.fork(connection.fileno())
        selector.register(self._channel.reading, EVENT_READ, self)
        self._send(pack_session(connection.session))

    # What goes to it

    def deliver(self, data: bytes, mark: int) -> bool:
        """Write to it without waiting; False where it is stuck, and too much waits for it."""
        if self.recalled:
            self._meanwhile.append((data, mark))
        else:
            self._send(*pack_delivery(data, mark))
        return len(self._channel.unsent) <= MAX_PIPED + self._most

    def follow(self, turn: Turn) -> None:
        """Have it say when it has written all that it was given to its peer: then this turn has arrived."""
        if not self._channel.closed and not self.recalled and len(self._followed) < UNDER_WAY:
            self._followed.append(turn)
            self._send(pack(ECHO))

    def recall(self) -> None:
        """Ask for the session."""
        self._send(pack(RETURN))
        self.recalled = True

    def flush(self) -> None:
        """Write what was kept, as far as the pipe takes it."""
        self._channel.flush()
        if not self._channel.unsent:
            self._selector.unregister(self._channel.writing)

    def _send(self, frame: bytes, rest: bytes = b"") -> None:
        waiting = bool(self._channel.unsent)
        self._channel.send(frame, rest)
        if self._channel.unsent:
            self._most = max(self._most, len(frame) + len(rest))
            if not waiting:
                self._selector.register(self._channel.writing, EVENT_WRITE, self)

    # What comes from it

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """The frames that have come, as (kind, payload); None once it has ended."""
        return self._channel.receive()

    def arrived(self) -> Turn:
        """The turn that an echo is about: they come in the order in which the turns went out."""
        return self._followed.popleft()

    def returned(self, payload: bytes) -> Connection:
        """The connection, with its session as the worker left it. What came meanwhile is sent."""
        limits = self.connection.session.limits
        self.connection.session = session_in(payload)
        self.connection.session.limits = limits  # One for all, not a copy for each.
        for data, mark in self._meanwhile:
            self.connection.send(data, mark, monotonic())
        return self.connection

    # Its end

    def close(self) -> None:
        """Close the pipes: if it still runs, it ends, unless it is stuck. Harmless to do twice."""
        if not self._channel.closed:
            self._selector.unregister(self._channel.reading)
            if self._channel.unsent:
                self._selector.unregister(self._channel.writing)
            self._channel.close()

    def kill(self) -> None:
        """End it, even if it is stuck. While its pipe is open it runs, so the pid is still its own."""
        if not self._channel.closed:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
