"""Workers: the master's side of the children of the process model. What a child does is in `server.processes.worker`.

A worker that does not read its pipe must not hold up the others, nor cost memory for ever: what its pipe does not take
is kept, up to MAX_PIPED, and written when it does.
"""

import logging
import os
import signal
from collections import deque
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from time import monotonic

from server.connection import Connection
from server.processes.forking import ForkServer
from server.processes.frames import (
    ECHO,
    FAILURE,
    ITEM,
    RETURN,
    SESSION,
    item_in,
    pack,
    pack_delivery,
    pack_session,
    session_in,
)
from server.room.turn import Turn
from server.session import Item

log = logging.getLogger("chat.server")

MAX_PIPED = 8 * 2**20
"""Bytes that may wait for one worker, besides the most that was written to it at once, before it is taken to be stuck:
a welcome that brings what somebody missed is as long as that was."""
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
        self.over = False
        """It has ended, or has nothing more to say."""
        self.failed = True
        """Unless it says that the connection ended as it should, or gives the session back, it has failed."""
        self.recalled = False
        """It was asked for its session: what comes for it waits until it is back."""
        self._session = b""
        self._meanwhile: list[tuple[bytes, int]] = []
        self._followed: deque[Turn] = deque()
        self._echoes = 0
        self._selector = selector
        self._kept: list[bytes] = []
        self._most = 0
        self.pid, self._channel = forkserver.fork(connection.fileno())
        selector.register(self._channel.reading, EVENT_READ, self)
        self._kept.append(pack_session(connection.session))
        self.write()

    # What goes to it

    def send(self, data: bytes, mark: int) -> bool:
        """Keep what is for its peer until `write`; False where it is stuck, and too much waits for it."""
        if self.recalled:
            self._meanwhile.append((data, mark))
        else:
            self._kept.append(pack_delivery(data, mark))
        return len(self._channel.unsent) <= MAX_PIPED + self._most

    def follow(self, turn: Turn) -> None:
        """Have it say when it has passed on all that was kept for it: then this turn has arrived."""
        if not self.recalled and len(self._followed) < UNDER_WAY:
            self._followed.append(turn)
            self._kept.append(pack(ECHO))

    def recall(self) -> None:
        """Ask for the session."""
        self._kept.append(pack(RETURN))
        self.write()
        self.recalled = True

    def write(self) -> None:
        """Write what was kept for it, without waiting. What the pipe does not take goes out by `flush`."""
        frames, self._kept = b"".join(self._kept), []
        full = bool(self._channel.unsent)
        self._channel.send(frames)
        if self._channel.unsent:
            self._most = max(self._most, len(frames))
            if not full:
                self._selector.register(self._channel.writing, EVENT_WRITE, self)

    def flush(self) -> None:
        """Write more, as far as the pipe takes it now."""
        self._channel.flush()
        if not self._channel.unsent:
            self._selector.unregister(self._channel.writing)

    # What comes from it

    def receive(self) -> list[tuple[Item, float]]:
        """Read once; returns what its connection says to the room, and since when each may have waited."""
        items: list[tuple[Item, float]] = []
        frames = self._channel.receive()
        if frames is None:
            log.warning("process %d died, and its connection ends", self.pid)
            self.over = True
            return items
        for kind, payload in frames:
            if kind == ITEM:
                items.append(item_in(payload))
            elif kind == ECHO:
                self._echoes += 1
            else:  # Its last word.
                self.over = True
                self.failed = kind == FAILURE
                if kind == SESSION:
                    self._session = payload
                elif self.failed:
                    failure = WorkerFailed(payload.decode())
                    log.error("connection %d failed, and ends", self.number, exc_info=failure)
        return items

    def arrived(self) -> list[Turn]:
        """The turns of which it has said so: in the order in which they went out."""
        count, self._echoes = self._echoes, 0
        return [self._followed.popleft() for _ in range(count)]

    @property
    def returned(self) -> bool:
        """It has given the session back."""
        return bool(self._session)

    def take_back(self) -> Connection:
        """The connection, with its session as the worker left it. What came meanwhile is sent."""
        limits = self.connection.session.limits
        self.connection.session = session_in(self._session)
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
        """End it, even if it is stuck. Until its end was read from its pipe, it runs or has ended just now: nobody else
        has its pid so soon."""
        if not self._channel.closed:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
