"""RoomStats: current rates and latencies of the room, and its totals. Pure. Times are seconds."""

from collections import deque
from collections.abc import Iterable

from protocol.messages import Totals

MAX_LATENCIES = 1000
"""Latencies that are kept for the percentiles."""
OVERSIZED_CODES = frozenset(("line-too-long", "text-too-long", "too-many-lines"))
DISCONNECT_CODES = frozenset(("too-slow", "join-timeout", "idle", "kicked", "banned", "other-protocol"))
UNCOUNTED_CODES = frozenset(
    ("slow", "reminded", "escaped", "look-alike", "", "help", "wait", "quit", "closing", "taken-over")
)
"""Codes that do not count as refusals. A look-alike also causes the refusal of its nickname, which counts."""


class RoomStats:
    """Counters that the room updates."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._latencies: deque[float] = deque(maxlen=MAX_LATENCIES)
        self._lines = 0
        self._deliveries = 0
        self._since = 0.0

    def count_line(self, listeners: int) -> None:
        """Count a line with this number of recipients."""
        self.totals.lines += 1
        self._lines += 1
        self._deliveries += listeners

    def add_latencies(self, said_at: Iterable[float], now: float) -> None:
        """Lines that were read at these times have been written to all recipients."""
        for at in said_at:
            latency = max(0.0, now - at)
            self._latencies.append(latency)
            self.totals.longest = max(self.totals.longest, latency)

    def count_people(self, count: int) -> None:
        """Update the largest number of members with the current one."""
        self.totals.most_people = max(self.totals.most_people, count)

    def count_rejected(self) -> None:
        """Count a connection that was rejected because of a full or locked room, or a ban."""
        self.totals.turned_away += 1

    def count_code(self, code: str, *, by_operator: bool = False) -> None:
        """Count a refusal, notice or goodbye by its code. A mistyped command of an operator does not count."""
        totals = self.totals
        totals.slowed += code == "slow"
        totals.escaped += code == "escaped"
        totals.look_alikes += code == "look-alike"
        totals.oversized += code in OVERSIZED_CODES
        totals.let_go += code in DISCONNECT_CODES
        is_refusal = code not in UNCOUNTED_CODES and code not in DISCONNECT_CODES
        totals.refused += is_refusal and not by_operator

    def rates(self, now: float) -> tuple[float, float]:
        """Lines and deliveries per second since the last call."""
        passed = max(1e-3, now - self._since)
        rates = self._lines / passed, self._deliveries / passed
        self._lines = self._deliveries = 0
        self._since = now
        return rates

    def percentile(self, part: float) -> float:
        """The latency that `part` (0 to 1) of the last lines did not exceed; 0 if there are none."""
        ordered = sorted(self._latencies)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0

    def forget_latencies(self) -> None:
        """Drop the latencies of the previous model."""
        self._latencies.clear()
