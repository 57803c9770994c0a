"""RoomStats: what the room did over the last second, and what it will be remembered for. Pure; times are seconds."""

from collections import Counter, deque
from collections.abc import Iterable

from protocol.messages import Totals

MAX_LATENCIES = 1000
"""Lines whose way to everybody is kept, for the percentiles."""
OVERSIZED_CODES = frozenset(("line-too-long", "text-too-long", "too-many-lines"))
DISCONNECT_CODES = frozenset(("too-slow", "join-timeout", "idle", "kicked", "banned", "other-protocol"))
UNCOUNTED_CODES = frozenset(
    ("slow", "reminded", "escaped", "look-alike", "", "help", "wait", "quit", "closing", "taken-over")
)
"""A look-alike is told apart from the refusal of its nickname, which counts by itself."""


class RoomStats:
    """Counts, filled in by the room."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._latencies: deque[float] = deque(maxlen=MAX_LATENCIES)
        self._lines = 0
        self._deliveries = 0
        self._since = 0.0

    def count_line(self, listeners: int) -> None:
        """A line is told to so many."""
        self.totals.lines += 1
        self._lines += 1
        self._deliveries += listeners

    def add_latencies(self, said_at: Iterable[float], now: float) -> None:
        """Lines that were read at these times have been written to everybody."""
        for at in said_at:
            latency = max(0.0, now - at)
            self._latencies.append(latency)
            self.totals.longest = max(self.totals.longest, latency)

    def count_people(self, count: int) -> None:
        """So many are here."""
        self.totals.most_people = max(self.totals.most_people, count)

    def count_rejected(self) -> None:
        """A connection was not let in: the room is full or locked, or they are banned."""
        self.totals.turned_away += 1

    def count_code(self, code: str, *, by_operator: bool = False) -> None:
        """Something was refused, noticed or ended, by its code. What an operator mistyped is no refusal to remember."""
        counted = Counter(
            slowed=code == "slow",
            escaped=code == "escaped",
            look_alikes=code == "look-alike",
            oversized=code in OVERSIZED_CODES,
            let_go=code in DISCONNECT_CODES,
            refused=not by_operator and code not in UNCOUNTED_CODES and code not in DISCONNECT_CODES,
        )
        for name, count in counted.items():
            setattr(self.totals, name, getattr(self.totals, name) + count)

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
