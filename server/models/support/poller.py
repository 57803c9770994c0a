"""Sleeping until sockets are ready or deadlines have passed: for a loop (Poller) and for one peer (PeerPoll).

Light on purpose: a worker process of the process model has little more than this.
"""

import selectors
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from math import inf
from select import POLLIN, POLLOUT, poll
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from typing import Protocol, TypeVar

from server.connection import MAX_SLEEP_S, Connection

T = TypeVar("T")

FLAGS = {EVENT_READ: POLLIN, EVENT_WRITE: POLLOUT, EVENT_READ | EVENT_WRITE: POLLIN | POLLOUT}
"""From the flags of `selectors` to those of poll(2)."""


class HasFileno(Protocol):
    """A socket, or another object with a descriptor."""

    def fileno(self) -> int: ...


class ReadyClock:
    """Tells how long data may have waited until poll() returned, for the meter. Each loop, thread or worker has one.

    If poll() returns without sleeping, data may have arrived at any time since the previous poll. That whole interval
    is reported as its possible waiting time. No other figure shows the delay that one slow step of a loop causes.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._woken_at = self.ready_since = clock()
        """When the last poll returned, and since when the data it found may have been ready (monotonic clock)."""

    def wait(self, poll: Callable[..., T], *args: object) -> T:
        """Call `poll`, which sleeps until something is ready, and return its result."""
        began = self._clock()
        found = poll(*args)
        now = self._clock()
        busy, slept = began - self._woken_at, now - began
        self.ready_since = now - max(0.0, busy - slept)
        self._woken_at = now
        return found


class TimerHeap:
    """The next deadline of each connection. A deadline that is moved to a later time still fires at the earlier one, so
    a connection that is woken checks for itself whether something is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._scheduled: dict[int, float] = {}

    def __len__(self) -> int:
        """The number of entries, outdated ones included."""
        return len(self._heap)

    def schedule(self, number: int, due: float) -> None:
        """Wake connection `number` at `due` (seconds), or earlier if an earlier time is scheduled."""
        if due < self._scheduled.get(number, inf):
            self._scheduled[number] = due
            heappush(self._heap, (due, number))
            if len(self._heap) > 2 * len(self._scheduled) + 64:
                # Most entries are outdated, and would stay until they are due.
                self._heap = [(when, number) for number, when in self._scheduled.items()]
                heapify(self._heap)

    def cancel(self, number: int) -> None:
        """The connection has ended."""
        self._scheduled.pop(number, None)

    def next_due(self) -> float:
        """The time of the next wake-up; infinity if there is none."""
        return self._heap[0][0] if self._heap else inf

    def pop_due(self, now: float) -> list[int]:
        """Remove and return the connections with a deadline at or before `now`."""
        due: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            when, number = heappop(self._heap)
            if self._scheduled.get(number) == when:
                del self._scheduled[number]
                due.append(number)
        return due


class Poller:
    """The selector of one loop: it watches `sources` for reading, and connections for their current interest.

    Raises OSError if the system has no descriptor left for it, or no memory to register one.
    """

    def __init__(self, *sources: HasFileno) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers = TimerHeap()
        self._watched: dict[int, Connection] = {}
        self._clock = ReadyClock()
        for source in sources:
            self._selector.register(source, EVENT_READ)

    @property
    def ready_since(self) -> float:
        """Since when the sockets of the last `select` may have been ready, in seconds of the monotonic clock."""
        return self._clock.ready_since

    def select(self, timeout: float) -> Iterator[tuple[object, int]]:
        """Sleep for at most `timeout` seconds. Yields each source and connection that is ready, with EVENT_READ,
        EVENT_WRITE or both; then each connection with a passed deadline, with 0."""
        began = monotonic()
        left = min(timeout, max(0.0, self._timers.next_due() - began))
        for key, ready in self._clock.wait(self._selector.select, left):
            yield key.fileobj, ready
        # Only deadlines that passed before the poll: bytes that arrived in time have been found by then.
        for number in self._timers.pop_due(began):
            if (connection := self._watched.get(number)) is not None:
                yield connection, 0

    def watch(self, connection: Connection) -> None:
        """Watch for the current interest of this connection. Call it again whenever the interest may have changed."""
        now = monotonic()
        interest = connection.interest(now)
        registered = self._selector.get_map().get(connection)
        if registered is None and interest:
            self._selector.register(connection, interest)
        elif registered is not None and not interest:
            self._selector.unregister(connection)
        elif registered is not None and registered.events != interest:
            self._selector.modify(connection, interest)
        self._watched[connection.number] = connection
        self._timers.schedule(connection.number, connection.session.next_deadline(now))

    def forget(self, connection: Connection) -> None:
        """Stop watching this connection."""
        if connection in self._selector.get_map():
            self._selector.unregister(connection)
        self._timers.cancel(connection.number)
        self._watched.pop(connection.number, None)

    def close(self) -> None:
        """Close the selector. May be called twice."""
        self._selector.close()


class PeerPoll:
    """A poll(2) for one peer and other descriptors, updated only on changes. It needs no descriptor of its own."""

    def __init__(self, peer: HasFileno, *others: int | HasFileno) -> None:
        """The `others` are always watched for reading."""
        self._peer = peer
        self._interest = 0
        self._poll = poll()
        for other in others:
            self._poll.register(other, POLLIN)

    def expect(self, interest: int) -> None:
        """Watch the peer for `interest` (flags of `selectors`) from now on."""
        if interest != self._interest:
            if self._interest:
                self._poll.unregister(self._peer)  # Otherwise poll(2) would report a hang-up again and again.
            if interest:
                self._poll.register(self._peer, FLAGS[interest])
            self._interest = interest

    def sleep(self, until: float) -> list[tuple[int, int]]:
        """Sleep until something is ready, or until `until` on the monotonic clock; returns the result of poll(2)."""
        left = min(MAX_SLEEP_S, max(0.0, until - monotonic()))
        return self._poll.poll(left * 1000 + 1)  # poll(2) rounds down, and a wake-up that is too early is useless.

    def ready(self, flags: int) -> int:
        """The readiness of the peer, as flags of `selectors`. Reading finds an error or a hang-up."""
        return (EVENT_READ * bool(flags & ~POLLOUT) | EVENT_WRITE * bool(flags & POLLOUT)) & self._interest
