"""Latencies of deliveries, over the whole run and over time. Pure: times are arguments, in seconds.

A thousand members that receive a hundred lines a second make a hundred thousand measurements a second. So no
measurement is stored; each is counted in a bucket that is one per cent wide.
"""

from collections import defaultdict
from math import exp, log

from msgspec import Struct

BUCKETS_PER_E = 100
"""Adjacent buckets differ by one per cent."""
MIN_LATENCY_S = 1e-6
"""Shorter latencies count as this."""


class Histogram:
    """The number of measurements in each bucket."""

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)

    def record(self, seconds: float) -> None:
        """Count one measurement."""
        self.counts[int(log(max(seconds, MIN_LATENCY_S) / MIN_LATENCY_S) * BUCKETS_PER_E)] += 1

    def add(self, other: "Histogram") -> None:
        """Add another histogram's measurements."""
        for bucket, count in other.counts.items():
            self.counts[bucket] += count

    @property
    def total(self) -> int:
        """The number of measurements."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> float:
        """The seconds that this share (0 to 1) of the measurements did not exceed; 0 without measurements."""
        wanted = share * self.total
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return MIN_LATENCY_S * exp((bucket + 1) / BUCKETS_PER_E)
        return 0.0


class Sample(Struct, frozen=True):
    """The deliveries of one interval: its start, their number, and their latencies. Times are in seconds."""

    at: float
    deliveries: int
    p50: float
    p99: float
    longest: float


class Timeline:
    """Latencies grouped by the time of the measurement."""

    def __init__(self, start: float, width: float) -> None:
        """Each sample covers `width` seconds; the samples' times are relative to `start`."""
        self.start = start
        self._width = width
        self._stretches: dict[int, Histogram] = {}

    def record(self, now: float, seconds: float) -> None:
        """Count one measurement, made at `now`."""
        number = int((now - self.start) / self._width)
        if (stretch := self._stretches.get(number)) is None:
            stretch = self._stretches[number] = Histogram()
        stretch.record(seconds)

    def whole(self) -> Histogram:
        """All measurements in one histogram."""
        histogram = Histogram()
        for stretch in self._stretches.values():
            histogram.add(stretch)
        return histogram

    def samples(self) -> list[Sample]:
        """The intervals that have measurements, in order."""
        return [
            Sample(
                number * self._width, stretch.total, stretch.quantile(0.5), stretch.quantile(0.99), stretch.quantile(1)
            )
            for number, stretch in sorted(self._stretches.items())
        ]
