"""FloodLog: counts events that are limited by address, and logs them in one line a minute. Pure; bounded.

The first event is logged at once, so that the operator finds the address; later ones are gathered.
"""

from collections import Counter
from collections.abc import Callable
from math import inf

from protocol.format import plural

INTERVAL_S = 60.0
MAX_KINDS = 4096
MAX_NAMED = 5
"""Addresses in a line; the others are counted."""


class FloodLog:
    """`write` gets each line."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._counts: Counter[tuple[str, str]] = Counter()
        self._next_at = -inf
        self._unremarkable: Counter[tuple[str, str]] = Counter()
        self._forget_at = -inf

    def count(self, what: str, group: str, now: float, *, allowed: int = 0) -> bool:
        """Something was limited, as "line not said", of a connection from this address group. `now` is in seconds. The
        first `allowed` in a minute are no flood; returns whether this one is part of one."""
        if not self._forget_at - INTERVAL_S <= now < self._forget_at:
            self._forget_at = now + INTERVAL_S
            self._unremarkable.clear()
        kind = (what, group)
        if self._unremarkable[kind] < allowed and len(self._unremarkable) <= MAX_KINDS:
            self._unremarkable[kind] += 1
            return False
        if kind in self._counts or len(self._counts) < MAX_KINDS:
            self._counts[kind] += 1
        self.flush(now)
        return True

    def flush(self, now: float) -> None:
        """Write what was counted, if a minute has passed since the last line."""
        if not self._counts or self._next_at - INTERVAL_S <= now < self._next_at:
            return
        self._next_at = now + INTERVAL_S
        counts, self._counts = self._counts, Counter()
        groups: dict[str, list[str]] = {}
        for (what, group), count in counts.most_common():
            thing, _, happened = what.partition(" ")
            groups.setdefault(group, []).append(f"{count:,} {thing}{'s' * (count != 1)} {happened}")
        named = [f"{', '.join(things)} from {group}" for group, things in list(groups.items())[:MAX_NAMED]]
        others = len(groups) - len(named)
        also = f"; and from {plural(others, 'other address', 'other addresses')}" if others else ""
        self._write(f"flood: {'; '.join(named)}{also}")
