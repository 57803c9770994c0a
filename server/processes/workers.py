"""Workers: the master's side of the children of the process model. What a child does is in `server.processes.worker`.

A worker that does not read its pipe must not hold up the others, nor cost memory for ever: what its pipe does not take
is kept, up to MAX_PIPED, and written when it does.
"""

import os
import signal
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from server.connection import Connection
from server.processes import pipes
from server.processes.forking import Nursery
from server.processes.frames import ECHO, pack, pack_session, session_in
from server.room.turn import Turn

MAX_PIPED = 8 * 2**20
"""Bytes that may wait for one worker, besides its longest frame, before it is taken to be stuck: a welcome that brings
what somebody missed is as long as that was."""
UNDER_WAY = 100
"""Turns of which it is not known yet when they arrived."""


class WorkerFailed(Exception):
    """A worker's traceback, as text."""


class Worker:
    """A child that serves one connection, and the pipes to it. Frames are told by `server.processes.frames`."""

    def __init__(self, connection: Connection, nursery: Nursery, selector: BaseSelector) -> None:
        """Have it forked, and give it the session. Raises OSError where there is no process to be had."""
        self.connection = connection
        self.last_word = b""
        """The kind of its last frame: ENDED, FAILURE or SESSION. Without one it has died."""
        self._selector = selector
        self._most = 0
        self._channel, theirs = pipes.pair()
        try:
            self.pid = nursery.fork(connection.fileno(), theirs.reading, theirs.writing)
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()
        selector.register(self._channel.reading, EVENT_READ, self)
        self.send(pack_session(connection.session))

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """The frames that have come, as (kind, payload); None once it has ended."""
        return self._channel.receive()

    def send(self, frame: bytes) -> bool:
        """Write a frame without waiting; False where it is stuck, and too much waits for it."""
        self._channel.send(frame)
        self._most = max(self._most, len(frame))
        if self._channel.unsent and self._channel.writing not in self._selector.get_map():
            self._selector.register(self._channel.writing, EVENT_WRITE, self)
        return len(self._channel.unsent) <= MAX_PIPED + self._most

    def flush(self) -> None:
        """Write what was kept, as far as the pipe takes it."""
        self._channel.flush()
        if not self._channel.unsent and self._channel.writing in self._selector.get_map():
            self._selector.unregister(self._channel.writing)

    def take_back(self, payload: bytes) -> None:
        """The connection gets its session back, as the worker left it."""
        limits = self.connection.session.limits
        self.connection.session = session_in(payload)
        self.connection.session.limits = limits  # One for all, not a copy for each.

    def close(self) -> None:
        """Close the pipes: if it still runs, it ends, unless it is stuck."""
        for descriptor in (self._channel.reading, self._channel.writing):
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        self._channel.close()

    def kill(self) -> None:
        """End it, even if it is stuck. While its pipe is open it runs, so the pid is still its own."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Echoes:
    """Finds out when a turn has arrived: the last worker it went to says so, once it has written it to its peer."""

    def __init__(self) -> None:
        self._under_way: dict[bytes, Turn] = {}
        self._count = 0

    def ask(self, worker: Worker, turn: Turn) -> None:
        """Have `worker` say when it has come this far."""
        self._count += 1
        name = str(self._count).encode()
        self._under_way[name] = turn
        if len(self._under_way) > UNDER_WAY:
            del self._under_way[next(iter(self._under_way))]  # Its worker has ended meanwhile.
        worker.send(pack(ECHO, name))

    def came(self, name: bytes) -> Turn | None:
        """The turn that has arrived, if it is still waited for."""
        return self._under_way.pop(name, None)
