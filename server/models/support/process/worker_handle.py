"""The master's side of a worker, and the order in which the master writes to all of them.

A worker that does not read its pipe must neither hold up the others nor cost memory for ever: what its pipe does not
take is kept, up to MAX_QUEUED_BYTES, and written when it does. The child's code is in `worker`.
"""

import logging
import os
import signal
from collections import deque
from collections.abc import Callable
from itertools import islice
from math import inf
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from time import monotonic

from server.connection import Connection
from server.models.support.process.fork_server_handle import ForkServer
from server.models.support.process.pipes import (
    FAILURE,
    FLUSHED,
    ITEM,
    RETURN,
    SESSION,
    item_in,
    pack,
    pack_delivery,
    pack_session,
    session_in,
)
from server.room.outbox import Outbox
from server.session import DeliveryFlags, Request

log = logging.getLogger("chat.server")

MAX_QUEUED_BYTES = 8 * 2**20
"""Bytes that may wait for one worker, besides the most that was written to it at once, before it is taken to be stuck:
a welcome is as long as what its member has missed."""
MAX_TRACKED_TURNS = 100
"""Turns that one worker may be tracked with at a time."""
BATCH = 50
"""Workers that are written to before the master reads again."""
WAKEUP_COST = 10e-6
"""Seconds to let pass for each worker that was written to, in which the cores can wake it."""


class WorkerFailed(Exception):
    """A worker's traceback, as text."""


class Worker:
    """A child that serves one connection, and the pipes to it. See `pipes` for the frames.

    `ParkedConnection` has the methods that the model calls: `receive`, `send`, `take_back` and `close`.
    """

    def __init__(
        self, connection: Connection, fork_server: ForkServer, selector: BaseSelector, scheduler: "WriteScheduler"
    ) -> None:
        """Fork it and give it the session. Raises OSError where the system has no process or descriptor left."""
        self.connection = connection
        self.number = connection.number
        self.over = False
        """Its connection has ended, or was given back."""
        self.failed = True
        """Unless it says that the connection has ended as it should, or gives the session back."""
        self.asked_back = False
        """It was asked for its session. What is sent to it from then on waits until the session is back."""
        self._is_ending = False
        """It was killed, has died, or has said its last word."""
        self._session = b""
        self._unsent: list[bytes] = []
        """Frames that wait for `write`."""
        self._deferred: list[tuple[bytes, int]] = []
        """Deliveries that wait for the session."""
        self._largest_write = 0
        self._tracked: deque[Outbox] = deque()
        self._selector = selector
        self._scheduler = scheduler
        self.pid, self._channel = fork_server.fork(connection.fileno())
        self._unsent.append(pack_session(connection.session))
        try:
            selector.register(self._channel.reading, EVENT_READ, self)
            self.write()
        except OSError:
            self.close()
            raise

    # To the worker

    def send(self, data: bytes, mark: int) -> None:
        """Queue a delivery, to be written when the scheduler has come to this worker. A worker that has too much queued
        is killed, and so is one with DeliveryFlags.KILL."""
        if self.asked_back:
            self._deferred.append((data, mark))
        else:
            self._unsent.append(pack_delivery(data, mark))
            self._scheduler.add(self)
        if mark & DeliveryFlags.KILL:
            self.kill("is killed on purpose")
        elif len(self._channel.unsent) > MAX_QUEUED_BYTES + self._largest_write:
            self.kill("does not read its pipe")

    def track(self, outbox: Outbox) -> None:
        """Have the worker report when it has written all that is queued for it: the turn has been flushed then."""
        if not self.asked_back and len(self._tracked) < MAX_TRACKED_TURNS:
            self._tracked.append(outbox)
            self._unsent.append(pack(FLUSHED))

    def ask_back(self) -> None:
        """Ask for the session."""
        self._unsent.append(pack(RETURN))
        self.write()
        self.asked_back = True

    def write(self) -> None:
        """Write what is queued, without waiting. The rest that the pipe does not take goes out in `receive`."""
        frames, self._unsent = b"".join(self._unsent), []
        was_full = bool(self._channel.unsent)
        self._channel.send(frames)
        if self._channel.unsent:
            self._largest_write = max(self._largest_write, len(frames))
            if not was_full:
                self._selector.register(self._channel.writing, EVENT_WRITE, self)

    # From the worker

    def receive(self, ready: int) -> list[tuple[Request, float]]:
        """Write and read once, as the pipes are ready. Returns what the connection asks of the room, each item with the
        time since when it may have waited."""
        if ready & EVENT_WRITE:
            self._channel.flush()
            if not self._channel.unsent:
                self._selector.unregister(self._channel.writing)
        if not ready & EVENT_READ:
            return []
        items: list[tuple[Request, float]] = []
        frames = self._channel.receive()
        if frames is None:
            if not self._is_ending:
                log.warning("process %d died, and its connection ends", self.pid)
                self._is_ending = True
            self.over = True
            return items
        for kind, payload in frames:
            if kind == ITEM:
                items.append(item_in(payload))
            elif kind == FLUSHED:
                self._scheduler.flushed.append(self._tracked.popleft())
            else:
                self._take_last_word(kind, payload)
        return items

    def _take_last_word(self, kind: bytes, payload: bytes) -> None:
        self.over = self._is_ending = True
        self.failed = kind == FAILURE
        if kind == SESSION:
            self._session = payload
        elif self.failed:
            failure = WorkerFailed(payload.decode())
            log.error("connection %d failed, and ends", self.number, exc_info=failure)

    def take_back(self) -> Connection | None:
        """The connection, if the worker has given the session back: as the worker left it, with all that was sent to it
        since."""
        if not self._session:
            return None
        limits = self.connection.session.limits
        self.connection.session = session_in(self._session)
        self.connection.session.limits = limits  # One object for all, not a copy for each.
        for data, mark in self._deferred:
            self.connection.send(data, mark, monotonic())
        return self.connection

    # The end

    def close(self) -> None:
        """Close the pipes, and kill the worker unless it has said its last word. To be called once."""
        self._kill()
        self._scheduler.forget(self)
        for descriptor in (self._channel.reading, self._channel.writing):
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        self._channel.close()

    def kill(self, reason: str) -> None:
        """End it even if it is stuck. `receive` finds that it has ended, once it has returned what it said before."""
        if not self._is_ending:
            log.warning("process %d %s, and its connection ends", self.pid, reason)
            self._kill()

    def _kill(self) -> None:
        """Until its end was read from its pipe, it runs or has ended just now: no other process has its pid so soon."""
        if not self._is_ending:
            self._is_ending = True
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class WriteScheduler:
    """The order in which the master writes to its workers, and how fast.

    A line is for all workers, and to wake a thousand keeps two cores busy for 30 ms. If all were written to for each
    line, the next line could not begin its own way before. So the master writes to them in a circle, to a BATCH at a
    time, and each gets all that has been queued since the last time: no worker waits longer than one round, and none is
    woken more often.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` returns seconds."""
        self.flushed: list[Outbox] = []
        """Turns that all peers have, and that `write_next` has not returned yet."""
        self._clock = clock
        self._waiting: dict[Worker, None] = {}
        self._next_at = 0.0

    def add(self, worker: Worker) -> None:
        """Something is queued for this worker. It comes last, unless it waits already."""
        self._waiting[worker] = None

    def forget(self, worker: Worker) -> None:
        """This worker has ended."""
        self._waiting.pop(worker, None)

    def delay(self) -> float:
        """Seconds until the next batch is due; infinity while no worker waits."""
        return max(0.0, self._next_at - self._clock()) if self._waiting else inf

    def write_next(self, outbox: Outbox) -> list[Outbox]:
        """Write to the next batch, if it is due. Returns the turns that all peers have by now. That `turn`, which is
        queued, is one of them, the last worker will report."""
        if (last := next(reversed(self._waiting), None)) is None:
            self.flushed.append(outbox)
        elif outbox.said_at:
            last.track(outbox)
        if not self.delay():
            batch = list(islice(self._waiting, BATCH))
            for worker in batch:
                worker.write()
                del self._waiting[worker]
            self._next_at = self._clock() + WAKEUP_COST * len(batch)
        flushed, self.flushed = self.flushed, []
        return flushed
