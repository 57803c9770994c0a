"""The master's side of a worker, and the order in which the master writes to all workers.

A worker that does not read its pipe must neither delay the others nor use unlimited memory. So the master queues up to
MAX_QUEUED_BYTES for a full pipe, and writes them when it can. The child's code is in `worker`.
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
from server.session_types import DeliveryFlags, Request

log = logging.getLogger("chat.server")

MAX_QUEUED_BYTES = 8 * 2**20
"""Bytes that may be queued for one worker, in addition to its largest single write, before it counts as stuck. A
welcome is as long as all that its member has missed."""
MAX_TRACKED_OUTBOXES = 100
"""Outboxes that one worker may track at a time."""
BATCH = 50
"""Workers to which the master writes before it reads again."""
WAKEUP_COST = 10e-6
"""Seconds of pause for each worker in a batch, so that the cores can wake it."""


class WorkerFailed(Exception):
    """Carries the traceback of a worker, as text."""


class Worker:
    """A child that serves one connection, and the pipes to it. See `pipes` for the frames.

    `ParkedConnection` has the methods that the model calls: `receive`, `send`, `take_back` and `close`.
    """

    def __init__(
        self, connection: Connection, fork_server: ForkServer, selector: BaseSelector, scheduler: "WriteScheduler"
    ) -> None:
        """Fork the worker and send it the session. Raises OSError if the system has no process or descriptor left."""
        self.connection = connection
        self.number = connection.number
        self.is_over = False
        """The connection has ended, or the worker has returned it."""
        self.failed = True
        """False as soon as the worker reports a regular end of the connection, or returns the session."""
        self.session_requested = False
        """The master has asked for the session. Deliveries from then on wait until the session is back."""
        self._is_ending = False
        """The worker was killed, has died, or has sent its last frame."""
        self._session = b""
        self._unsent: list[bytes] = []
        """Frames to be written by `write`."""
        self._deferred: list[tuple[bytes, int]] = []
        """Deliveries to be made when the session is back."""
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

    def send(self, data: bytes, flags: int) -> None:
        """Queue a delivery until the scheduler writes to this worker. Kills the worker if too many bytes are queued, or
        with DeliveryFlags.KILL."""
        if self.session_requested:
            self._deferred.append((data, flags))
        else:
            self._unsent.append(pack_delivery(data, flags))
            self._scheduler.add(self)
        if flags & DeliveryFlags.KILL:
            self.kill("is killed on purpose")
        elif len(self._channel.unsent) > MAX_QUEUED_BYTES + self._largest_write:
            self.kill("does not read its pipe")

    def track(self, outbox: Outbox) -> None:
        """Ask the worker to report when it has written all that is queued. The outbox has been flushed then."""
        if not self.session_requested and len(self._tracked) < MAX_TRACKED_OUTBOXES:
            self._tracked.append(outbox)
            self._unsent.append(pack(FLUSHED))

    def request_session(self) -> None:
        """Ask for the session."""
        self._unsent.append(pack(RETURN))
        self.write()
        self.session_requested = True

    def write(self) -> None:
        """Write the queue without waiting. If the pipe is full, `receive` writes the rest."""
        frames, self._unsent = b"".join(self._unsent), []
        was_full = bool(self._channel.unsent)
        self._channel.send(frames)
        if self._channel.unsent:
            self._largest_write = max(self._largest_write, len(frames))
            if not was_full:
                self._selector.register(self._channel.writing, EVENT_WRITE, self)

    # From the worker

    def receive(self, ready: int) -> list[tuple[Request, float]]:
        """Write and read once, as the pipes are ready. Returns the requests to the room, each with the time since when
        it may have waited."""
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
            self.is_over = True
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
        self.is_over = self._is_ending = True
        self.failed = kind == FAILURE
        if kind == SESSION:
            self._session = payload
        elif self.failed:
            failure = WorkerFailed(payload.decode())
            log.error("connection %d failed, and ends", self.number, exc_info=failure)

    def take_back(self) -> Connection | None:
        """The connection with the session that the worker has returned, and all deliveries since; None if the worker
        has not returned it."""
        if not self._session:
            return None
        limits = self.connection.session.limits
        self.connection.session = session_in(self._session)
        self.connection.session.limits = limits  # All sessions share one Limits object.
        for data, flags in self._deferred:
            self.connection.send(data, flags, monotonic())
        return self.connection

    # The end

    def close(self) -> None:
        """Close the pipes, and kill the worker unless it has sent its last frame. Must be called once."""
        self._kill()
        self._scheduler.forget(self)
        for descriptor in (self._channel.reading, self._channel.writing):
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        self._channel.close()

    def kill(self, reason: str) -> None:
        """Kill the worker, even if it is stuck. `receive` returns the earlier frames, then finds the end."""
        if not self._is_ending:
            log.warning("process %d %s, and its connection ends", self.pid, reason)
            self._kill()

    def _kill(self) -> None:
        """Kill the worker. Its pid cannot belong to another process: the system does not reuse a pid so soon."""
        if not self._is_ending:
            self._is_ending = True
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class WriteScheduler:
    """The order in which the master writes to its workers, and how fast.

    A line is for all workers, and waking a thousand of them keeps two cores busy for 30 ms. If the master wrote to all
    of them for each line, the next line would have to wait. So the master writes to them round-robin, to a BATCH at a
    time, and each worker gets all that has been queued since its last time. No worker waits longer than one round, and
    none is woken more often.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` returns seconds."""
        self.flushed: list[Outbox] = []
        """Outboxes that all peers have, and that `write_next` has not returned yet."""
        self._clock = clock
        self._waiting: dict[Worker, None] = {}
        self._next_at = 0.0

    def add(self, worker: Worker) -> None:
        """Append a worker with queued frames to the order, unless it is in it already."""
        self._waiting[worker] = None

    def forget(self, worker: Worker) -> None:
        """Remove a worker that has ended."""
        self._waiting.pop(worker, None)

    def delay(self) -> float:
        """Seconds until the next batch is due; infinity while no worker waits."""
        return max(0.0, self._next_at - self._clock()) if self._waiting else inf

    def write_next(self, outbox: Outbox) -> list[Outbox]:
        """Write to the next batch, if it is due. Returns the outboxes that all peers have by now. `outbox` has been
        queued; the last worker in the order will report when it has written it."""
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
