"""AdmissionQueue: connections that were accepted and wait to be served, in fair turns between address groups. Pure.

A group is admitted one connection a turn, as far as its token buckets go. So a flood from one address delays the others
by a turn, and itself by its rate. Within a group, members that come back are before newcomers, with buckets of their
own: an attacker in the audience's network hurts newcomers from there at most. Times are seconds of one clock.
"""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from server.address_limits import LOOPBACK_GROUPS, AddressLimits

CONNECTIONS_AT_ONCE, CONNECTIONS_RATE = 1000, 50.0
"""From one address group, newcomers at once, then a second; the same again for members that come back. An audience of
500 behind one address can come at once, and come back at once."""
LOOPBACK_FACTOR = 10
MAX_DELAYED = 500
"""Newcomers of a group that wait for tokens: ten seconds' worth."""

T = TypeVar("T")


class AdmissionQueue(Generic[T]):
    """Holds at most `max_waiting` connections, besides those that can be admitted at once."""

    def __init__(self, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._new: dict[str, deque[T]] = {}
        """Newcomers by group. The group whose turn comes next is first."""
        self._returning: dict[str, deque[T]] = {}
        self._size = 0
        self._new_limits = AddressLimits(CONNECTIONS_AT_ONCE, CONNECTIONS_RATE, LOOPBACK_FACTOR)
        self._returning_limits = AddressLimits(CONNECTIONS_AT_ONCE, CONNECTIONS_RATE, LOOPBACK_FACTOR)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[T]:
        for queues in (self._returning, self._new):
            for queue in queues.values():
                yield from queue

    def add(self, group: str, item: T) -> None:
        """Add a newcomer."""
        self._new.setdefault(group, deque()).append(item)
        self._size += 1

    def promote(self, group: str, item: T) -> None:
        """Move a newcomer that is a returning member."""
        self._remove(self._new, group, item)
        self._returning.setdefault(group, deque()).append(item)
        self._size += 1

    def discard(self, group: str, item: T) -> None:
        """Remove a connection. Harmless if it does not wait."""
        self._remove(self._new, group, item)
        self._remove(self._returning, group, item)

    def admissible(self, now: float) -> int:
        """How many connections the buckets allow at once."""
        kinds = ((self._returning, self._returning_limits), (self._new, self._new_limits))
        waiting = ((group, len(queue), limits) for queues, limits in kinds for group, queue in queues.items())
        return sum(int(min(count, limits.available(group, now))) for group, count, limits in waiting)

    def delayed(self, now: float) -> list[T]:
        """The newcomers of those groups that have no token left."""
        queues = self._new.items()
        return [item for group, queue in queues if self._new_limits.wait(group, now) > 0 for item in queue]

    def take(self, now: float, limit: int) -> list[T]:
        """The next connections to be admitted, at most `limit`, one of each group in turn. Half of the turns are for
        loopback, as long as it has connections that wait."""
        groups = dict.fromkeys([*self._returning, *self._new])
        own = deque(group for group in groups if group in LOOPBACK_GROUPS)
        taken = self._in_turns(own, now, (limit + 1) // 2)
        return taken + self._in_turns(deque(groups), now, limit - len(taken))

    def drop_excess(self, group: str, now: float) -> list[T]:
        """Remove and return the connections above the limits after `group` has got a newcomer, the newest first."""
        dropped: list[T] = []
        queue = self._new.get(group, deque())
        while queue and len(queue) > MAX_DELAYED + self._new_limits.available(group, now):
            dropped.append(queue.pop())
            self._size -= 1
        while self._size > self.max_waiting and self._new:
            longest = max(self._new, key=lambda name: len(self._new[name]))
            dropped.append(self._new[longest].pop())
            self._size -= 1
            if not self._new[longest]:
                del self._new[longest]
        return dropped

    def wait(self, group: str, now: float) -> float:
        """Seconds until a newcomer that is added to this group now would be admitted."""
        next_token = self._new_limits.wait(group, now)
        return next_token + len(self._new.get(group, ())) / CONNECTIONS_RATE if next_token else 0.0

    def _in_turns(self, turns: deque[str], now: float, limit: int) -> list[T]:
        taken: list[T] = []
        while turns and len(taken) < limit:
            group = turns.popleft()
            if (item := self._next(group, now)) is not None:
                taken.append(item)
                turns.append(group)
        return taken

    def _next(self, group: str, now: float) -> T | None:
        for queues, limits in ((self._returning, self._returning_limits), (self._new, self._new_limits)):
            queue = queues.pop(group, None)  # It goes to the end: other groups have their turn before its next one.
            if queue is None:
                continue
            item = queue.popleft() if limits.try_consume(group, now) else None
            if queue:
                queues[group] = queue
            if item is not None:
                self._size -= 1
                return item
        return None

    def _remove(self, queues: dict[str, deque[T]], group: str, item: T) -> None:
        queue = queues.get(group, deque())
        if item in queue:
            queue.remove(item)
            self._size -= 1
            if not queue:
                del queues[group]
