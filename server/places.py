"""Places: the connections that are served, and which of them makes room for a newcomer at a full room.

Members keep their places. A connection without a nickname gives its place up

- to another address group, if its own group keeps as many such connections as that one has then;
- to a connection of this machine, from any other address;
- to any newcomer, once it has had EVICTABLE_AFTER_S for a nickname;
- to a newcomer of its own group that has given a nickname.

So silent connections from one address cost other addresses nothing, and an audience behind the same address little.
No socket and no clock: times are seconds of one clock.
"""

import threading
from collections import Counter, deque
from typing import NamedTuple, Protocol

from server.address_limits import LOOPBACK_GROUPS

EVICTABLE_AFTER_S = 5.0
"""Seconds that a connection can count on at a full room, as long as its address group has no more than its share."""
MAX_EVICTED = 256
"""Evicted connections that are not closed yet. Each takes a descriptor, and a process in the process model."""
LOOPBACK_PLACES = 4
"""Places of this machine's own connections. If others hold all places, these come in above the limit."""


class Occupants(Protocol):
    """The room's answers about a connection. The listener asks from its own thread."""

    def is_nameless(self, number: int) -> bool:
        """Whether this connection has no member yet, and can be ended by the room."""

    def is_member(self, number: int) -> bool:
        """Whether this connection has a member."""


class Place(NamedTuple):
    """The place of a connection, since it was accepted."""

    number: int
    group: str
    since: float


class Places:
    """Counts connections, in all and by address group. An evicted connection is not counted while it closes.

    `remove` may be called from any thread, the other methods from one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the counts: a connection is removed by the thread that serves it."""
        self._counts: Counter[str] = Counter()
        self._taken: dict[int, Place] = {}
        """Oldest first."""
        self._evicted: dict[int, Place] = {}
        self._nameless: Counter[str] = Counter()
        """Connections without a member by group, as of the last survey."""
        self._evictable: dict[str, deque[Place]] = {}
        """Those that the room can end, oldest first."""
        self._surveyed_at: float | None = None

    def __len__(self) -> int:
        return self._counts.total()

    def count(self, group: str) -> int:
        """The connections of this group."""
        return self._counts[group]

    def has_own_share(self, group: str, limit: int) -> bool:
        """Whether a connection of this group comes in above the limit, as one of this machine's first few."""
        own = sum(self._counts[name] for name in LOOPBACK_GROUPS)
        return group in LOOPBACK_GROUPS and own < min(LOOPBACK_PLACES, limit)

    def add(self, number: int, group: str, now: float) -> None:
        """A connection was accepted."""
        with self._lock:
            self._taken[number] = Place(number, group, now)
            self._counts[group] += 1
            self._nameless[group] += 1

    def remove(self, number: int) -> None:
        """The connection is closed."""
        with self._lock:
            if self._evicted.pop(number, None) is None and number in self._taken:
                self._uncount(self._taken.pop(number))

    def evict(
        self, group: str, now: float, members: Occupants, *, has_nickname: bool = False, within_group: bool = False
    ) -> Place | None:
        """Free a place for a newcomer from this group. Returns the place, whose connection the caller has to end; None
        if each connection keeps its own.

        `has_nickname`: the newcomer has given one. `within_group`: only a connection of the same group makes room.
        """
        with self._lock:
            if self._surveyed_at != now:  # Newcomers of one pass come at the same time.
                self._surveyed_at = now
                self._survey(members)
            if len(self._evicted) >= MAX_EVICTED:
                return None
            while (place := self._choose(group, now, has_nickname, within_group)) is not None:
                self._evictable[place.group].popleft()
                if not self._evictable[place.group]:
                    del self._evictable[place.group]
                self._nameless[place.group] -= 1
                if place.number in self._taken:  # Otherwise it was closed a moment ago.
                    self._evicted[place.number] = self._taken.pop(place.number)
                    self._uncount(place)
                    break
            return place

    def has_evictable(self, group: str, now: float, members: Occupants) -> bool:
        """Whether a newcomer from this group that gives a nickname would get a place."""
        with self._lock:
            self._surveyed_at = now
            self._survey(members)
            return len(self._evicted) < MAX_EVICTED and self._choose(group, now, True, False) is not None

    def _choose(self, group: str, now: float, has_nickname: bool, within_group: bool) -> Place | None:
        groups = [group] * (group in self._evictable) if within_group else list(self._evictable)
        if others := [name for name in groups if name != group]:
            largest = max(others, key=self._nameless.__getitem__)
            if group in LOOPBACK_GROUPS or self._nameless[largest] > self._nameless[group] + 1:
                return self._evictable[largest][0]
        oldest = min((self._evictable[name][0] for name in groups), key=lambda place: place.since, default=None)
        if oldest is not None and now >= oldest.since + EVICTABLE_AFTER_S:
            return oldest
        return self._evictable[group][0] if has_nickname and group in groups else None

    def _survey(self, members: Occupants) -> None:
        """Find the connections that have no nickname by now."""
        for number in [number for number in self._evicted if members.is_member(number)]:
            place = self._taken[number] = self._evicted.pop(number)  # It joined before the room could end it.
            self._counts[place.group] += 1
        self._nameless.clear()
        self._evictable.clear()
        for number, place in self._taken.items():
            if not members.is_member(number):
                self._nameless[place.group] += 1
                if members.is_nameless(number):
                    self._evictable.setdefault(place.group, deque()).append(place)

    def _uncount(self, place: Place) -> None:
        self._counts[place.group] -= 1
        if not self._counts[place.group]:
            del self._counts[place.group]
