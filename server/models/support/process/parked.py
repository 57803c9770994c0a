"""Connections without a worker: before it starts, and once it has given the session back.

To start a thousand workers takes a second, and to end them too. Meanwhile the master itself serves the connections that
have none, so that no member has to wait.
"""

from collections import deque
from collections.abc import Collection, Mapping
from selectors import EVENT_READ, BaseSelector
from time import monotonic

from server.connection import Connection
from server.models.support.process.worker_handle import Worker
from server.session import Request

WORKERS_AT_ONCE = 8
"""Workers that start, or give their sessions back, at a time. More would be done sooner, and leave the cores no time
for the lines that are said meanwhile."""
COLLECT_INTERVAL = 0.05
"""Seconds between two looks at who has answered. If more have passed, the master itself was stopped for the rest."""
STUCK_AFTER = 0.8
"""Seconds without a word from any of the workers that were asked, after which these are stuck."""


class ParkedConnection:
    """A connection that the master serves. It has the methods of `Worker` that the model calls.

    It reads once and never waits. Whatever takes longer is left to the worker or the model that serves it next.
    """

    over = False
    asked_back = False
    failed = True
    """Only `receive` can fail here."""

    def __init__(self, connection: Connection, selector: BaseSelector) -> None:
        self.connection = connection
        self.number = connection.number
        self._selector = selector

    def listen(self) -> None:
        """Have the selector find it when it can be read. Raises OSError where the system has too little left."""
        if self._wants_read():
            self._selector.register(self.connection, EVENT_READ, self)

    def receive(self, ready: int) -> list[tuple[Request, float]]:
        """Read once. Returns what the connection asks of the room, each item with the time since when it may have
        waited."""
        items = self.connection.read(monotonic()) if self._wants_read() else []
        if not self._wants_read():
            self.close()
        return [(item, monotonic()) for item in items]

    def send(self, data: bytes, mark: int) -> None:
        """Write without waiting; the session keeps the rest."""
        self.connection.send(data, mark, monotonic())

    def take_back(self) -> None:
        """No worker has it."""

    def close(self) -> None:
        """Read from it no longer. Harmless to do twice."""
        if self.connection in self._selector.get_map():
            self._selector.unregister(self.connection)

    def _wants_read(self) -> bool:
        """Not while it is rate-limited, closed, or has a fault injected: all others would wait with the master."""
        now, connection = monotonic(), self.connection
        return bool(connection.interest(now) & EVENT_READ) and not connection.over(now) and not connection.session.fault


class SessionCollector:
    """Gets all sessions back from the workers when the model stops, from a few at a time.

    As long as any of those that were asked answers, the others are waited for, however many they are and however slow
    the machine is. So all the stuck ones together cost no more time than one.
    """

    def __init__(self, peers: Mapping[int, Worker | ParkedConnection]) -> None:
        """`peers` is the model's own mapping, which loses a worker that has ended or has answered."""
        self._peers = peers
        self._to_ask = deque(worker.number for worker in self._workers())
        self._silence = 0.0
        self._looked_at = monotonic()

    def ask(self) -> bool:
        """Ask a few more; all of them, if none of those asked answers. Returns whether any worker is left."""
        workers = self._workers()
        asked = sum(worker.asked_back for worker in workers)
        while self._to_ask and (asked < WORKERS_AT_ONCE or self._silence >= COLLECT_INTERVAL):
            if isinstance(worker := self._peers.get(self._to_ask.popleft()), Worker):
                worker.ask_back()
                asked += 1
        return bool(workers)

    def stuck(self, heard: Collection[Worker | ParkedConnection]) -> list[Worker]:
        """Kill the workers that are stuck, after a look at all in which these were heard; returns those workers."""
        now = monotonic()
        passed, self._looked_at = now - self._looked_at, now
        if any(peer.asked_back for peer in heard):
            self._silence = 0.0
        else:
            self._silence += min(passed, COLLECT_INTERVAL)
        if self._silence < STUCK_AFTER:
            return []
        stuck = [worker for worker in self._workers() if worker.asked_back]
        for worker in stuck:
            worker.kill("is stuck")
        return stuck

    def _workers(self) -> list[Worker]:
        return [peer for peer in self._peers.values() if isinstance(peer, Worker)]
