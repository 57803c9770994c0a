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

from server.connection import LONGEST_SLEEP, Connection

T = TypeVar("T")

FLAGS = {EVENT_READ: POLLIN, EVENT_WRITE: POLLOUT, EVENT_READ | EVENT_WRITE: POLLIN | POLLOUT}
"""What poll(2) calls what `selectors` calls so."""


class HasFileno(Protocol):
    """A socket, or anything else with a descriptor."""

    def fileno(self) -> int: ...


class ReadyClock:
    """How long what is found ready may have waited, as the meter counts it. One for each loop, thread or worker.

    If poll() returns without sleeping, data may have arrived at any time since the previous poll. That whole interval
    is reported as its possible waiting time: the delay that one slow step of a loop causes shows nowhere else.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._woken_at = self.ready_since = clock()
        """When the last poll returned, and since when what it found may have been ready (monotonic clock)."""

    def wait(self, poll: Callable[..., T], *args: object) -> T:
        """Call `poll`, which sleeps until something is ready; returns what it returns."""
        began = self._clock()
        found = poll(*args)
        now = self._clock()
        busy, slept = began - self._woken_at, now - began
        self.ready_since = now - max(0.0, busy - slept)
        self._woken_at = now
        return found


class TimerHeap:
    """The next deadline of each connection. A deadline that was moved to a later time still fires at the earlier one:
    what it wakes looks for itself whether something is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._scheduled: dict[int, float] = {}

    def __len__(self) -> int:
        """The number of entries, outdated ones included."""
        return len(self._heap)

    def schedule(self, number: int, due: float) -> None:
        """Wake connection `number` at `due` (seconds), or earlier if that was scheduled before."""
        if due < self._scheduled.get(number, inf):
            self._scheduled[number] = due
            heappush(self._heap, (due, number))
            if len(self._heap) > 2 * len(self._scheduled) + 64:
                # Most entries are outdated, and far ones would stay until their time.
                self._heap = [(when, number) for number, when in self._scheduled.items()]
                heapify(self._heap)

    def cancel(self, number: int) -> None:
        """The connection has ended."""
        self._scheduled.pop(number, None)

    def next_due(self) -> float:
        """When to wake next; infinity for never."""
        return self._heap[0][0] if self._heap else inf

    def pop_due(self, now: float) -> list[int]:
        """The connections whose deadlines have passed."""
        due: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            when, number = heappop(self._heap)
            if self._scheduled.get(number) == when:
                del self._scheduled[number]
                due.append(number)
        return due


class Poller:
    """What one loop waits for: `sources`, which are always read, and the connections it has to watch.

    Raises OSError where the system has no descriptor left for it, or no memory to register one.
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
        """Since when the sockets found last may have been ready, in seconds of the monotonic clock."""
        return self._clock.ready_since

    def select(self, timeout: float) -> Iterator[tuple[object, int]]:
        """Sleep at most so many seconds. Yields each source and connection that is ready, with EVENT_READ or
        EVENT_WRITE or both; then each connection whose deadline has passed, with 0."""
        began = monotonic()
        left = min(timeout, max(0.0, self._timers.next_due() - began))
        for key, ready in self._clock.wait(self._selector.select, left):
            yield key.fileobj, ready
        # Only deadlines that had passed before the sockets were polled: what was sent in time was found.
        for number in self._timers.pop_due(began):
            if (connection := self._watched.get(number)) is not None:
                yield connection, 0

    def watch(self, connection: Connection) -> None:
        """Wait for what this connection needs now. To be called again whenever that may have changed."""
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
        self._timers.schedule(connection.number, now if connection.over(now) else connection.session.due(now))

    def forget(self, connection: Connection) -> None:
        """Wait for this connection no longer."""
        if connection in self._selector.get_map():
            self._selector.unregister(connection)
        self._timers.cancel(connection.number)
        self._watched.pop(connection.number, None)

    def close(self) -> None:
        """Wait for nothing any more. Harmless to do twice."""
        self._selector.close()


class PeerPoll:
    """A poll(2) for one peer and for other descriptors, which is told only changes. It needs no descriptor itself."""

    def __init__(self, peer: HasFileno, *others: int | HasFileno) -> None:
        """The `others` are always read."""
        self._peer = peer
        self._interest = 0
        self._poll = poll()
        for other in others:
            self._poll.register(other, POLLIN)

    def expect(self, interest: int) -> None:
        """What to wait for of the peer from now on, as `selectors` has it."""
        if interest != self._interest:
            if self._interest:
                self._poll.unregister(self._peer)  # Else poll(2) would report a hang-up, again and again.
            if interest:
                self._poll.register(self._peer, FLAGS[interest])
            self._interest = interest

    def sleep(self, until: float) -> list[tuple[int, int]]:
        """Sleep until something is ready, or until then on the monotonic clock; returns what poll(2) does."""
        left = min(LONGEST_SLEEP, max(0.0, until - monotonic()))
        return self._poll.poll(left * 1000 + 1)  # It rounds down, and waking too early would be for nothing.

    def ready(self, flags: int) -> int:
        """What the peer is ready for, as `selectors` has it. An error or a hang-up is found by reading."""
        return (EVENT_READ * bool(flags & ~POLLOUT) | EVENT_WRITE * bool(flags & POLLOUT)) & self._interest
