"""Connections without a worker: the worker has not started yet, or has returned the session.

A thousand workers need a second to start, and another to end. Meanwhile the master itself serves the connections that
have no worker, so that no member has to wait.
"""

from collections import deque
from collections.abc import Collection, Mapping
from selectors import EVENT_READ, BaseSelector
from time import monotonic

from server.connection import Connection
from server.models.support.process.worker_handle import Worker
from server.session_types import Request

WORKERS_AT_ONCE = 8
"""Workers that start, or return their sessions, at a time. A larger number would be faster, but would delay the lines
that members send meanwhile."""
COLLECT_INTERVAL = 0.05
"""Seconds between two checks for answers. If more time has passed, the master itself was suspended for the rest."""
STUCK_AFTER = 0.8
"""Seconds without an answer from any worker that was asked, after which all of these count as stuck."""


class ParkedConnection:
    """A connection that the master serves. It has the methods of `Worker` that the model calls.

    It reads once and never waits. All longer work is left to the worker or the model that serves it next.
    """

    is_over = False
    session_requested = False
    failed = True
    """Only `receive` can fail here."""

    def __init__(self, connection: Connection, selector: BaseSelector) -> None:
        self.connection = connection
        self.number = connection.number
        self._selector = selector

    def listen(self) -> None:
        """Register it for reading. Raises OSError if the system has no memory left."""
        if self._wants_read():
            self._selector.register(self.connection, EVENT_READ, self)

    def receive(self, ready: int) -> list[tuple[Request, float]]:
        """Read once. Returns the requests, each with the time since when it may have waited."""
        items = self.connection.read(monotonic()) if self._wants_read() else []
        if not self._wants_read():
            self.close()
        return [(item, monotonic()) for item in items]

    def send(self, data: bytes, flags: int) -> None:
        """Write without waiting. The session keeps the rest."""
        self.connection.send(data, flags, monotonic())

    def take_back(self) -> None:
        """Returns None, because no worker has the session."""

    def close(self) -> None:
        """Stop reading. May be called twice."""
        if self.connection in self._selector.get_map():
            self._selector.unregister(self.connection)

    def _wants_read(self) -> bool:
        """False for rate-limited, closed and fault-injected connections, because the master must not wait for them."""
        now, connection = monotonic(), self.connection
        return (
            bool(connection.interest(now) & EVENT_READ)
            and not connection.is_over(now)
            and not connection.session.injected_fault
        )


class SessionCollector:
    """Collects the sessions from the workers when the model stops, from a few workers at a time.

    The collector goes on waiting as long as any worker that was asked answers, so a slow machine is no error. All stuck
    workers together cost no more time than one.
    """

    def __init__(self, peers: Mapping[int, Worker | ParkedConnection]) -> None:
        """`peers` is the model's own mapping. The model removes a worker that has ended or has answered."""
        self._peers = peers
        self._to_ask = deque(worker.number for worker in self._workers())
        self._silence = 0.0
        self._looked_at = monotonic()

    def request_sessions(self) -> bool:
        """Ask a few more workers, or all if none of those asked answers. Returns whether any worker is left."""
        workers = self._workers()
        asked = sum(worker.session_requested for worker in workers)
        while self._to_ask and (asked < WORKERS_AT_ONCE or self._silence >= COLLECT_INTERVAL):
            if isinstance(worker := self._peers.get(self._to_ask.popleft()), Worker):
                worker.request_session()
                asked += 1
        return bool(workers)

    def kill_stuck(self, served: Collection[Worker | ParkedConnection]) -> list[Worker]:
        """Kill and return the workers that are stuck. `served` are the peers that the last round has read."""
        now = monotonic()
        passed, self._looked_at = now - self._looked_at, now
        if any(peer.session_requested for peer in served):
            self._silence = 0.0
        else:
            self._silence += min(passed, COLLECT_INTERVAL)
        if self._silence < STUCK_AFTER:
            return []
        stuck = [worker for worker in self._workers() if worker.session_requested]
        for worker in stuck:
            worker.kill("is stuck")
        return stuck

    def _workers(self) -> list[Worker]:
        return [peer for peer in self._peers.values() if isinstance(peer, Worker)]
