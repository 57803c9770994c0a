"""RoomStats: what the room did over the last second, and what it will be remembered for. Pure; times are seconds."""

from collections import Counter, deque
from collections.abc import Iterable

from protocol.messages import Totals

REMEMBERED = 1000
"""Lines whose way to everybody is kept, for the percentiles."""
OVERSIZED = frozenset(("line-too-long", "text-too-long", "too-many-lines"))
LET_GO = frozenset(("too-slow", "join-timeout", "idle", "kicked", "banned", "other-protocol"))
NO_REFUSAL = frozenset(
    ("slow", "reminded", "escaped", "look-alike", "", "help", "wait", "quit", "closing", "taken-over")
)
"""A look-alike is told apart from the refusal of its nickname, which counts by itself."""


class RoomStats:
    """Counts, filled in by the room."""

    def __init__(self) -> None:
        self.tally = Totals()
        self._latencies: deque[float] = deque(maxlen=REMEMBERED)
        self._lines = 0
        self._deliveries = 0
        self._since = 0.0

    def said(self, listeners: int) -> None:
        """A line is told to so many."""
        self.tally.lines += 1
        self._lines += 1
        self._deliveries += listeners

    def delivered(self, said_at: Iterable[float], now: float) -> None:
        """Lines that were read at these times have been written to everybody."""
        for at in said_at:
            latency = max(0.0, now - at)
            self._latencies.append(latency)
            self.tally.longest = max(self.tally.longest, latency)

    def people(self, count: int) -> None:
        """So many are here."""
        self.tally.most_people = max(self.tally.most_people, count)

    def turned_away(self) -> None:
        """A connection was not let in: the room is full or locked, or they are banned."""
        self.tally.turned_away += 1

    def answered(self, code: str, *, by_operator: bool = False) -> None:
        """Something was refused, noticed or ended, by its code. What an operator mistyped is no refusal to remember."""
        counted = Counter(
            slowed=code == "slow",
            escaped=code == "escaped",
            look_alikes=code == "look-alike",
            oversized=code in OVERSIZED,
            let_go=code in LET_GO,
            refused=not by_operator and code not in NO_REFUSAL and code not in LET_GO,
        )
        for name, count in counted.items():
            setattr(self.tally, name, getattr(self.tally, name) + count)

    def rates(self, now: float) -> tuple[float, float]:
        """Lines and deliveries a second since this was last asked."""
        passed = max(1e-3, now - self._since)
        rates = self._lines / passed, self._deliveries / passed
        self._lines = self._deliveries = 0
        self._since = now
        return rates

    def percentile(self, part: float) -> float:
        """What `part` (0 to 1) of the last lines took at most; 0 where there are none."""
        ordered = sorted(self._latencies)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0

    def forget_latencies(self) -> None:
        """Another model runs: what a line took before says nothing of it."""
        self._latencies.clear()
