"""Latencies: how long deliveries took, over the whole run and over time. Pure: times are arguments, in seconds.

A thousand members that hear a hundred lines a second are a hundred thousand measurements a second, so none is kept:
each is counted in a bucket that is one per cent wide.
"""

from collections import defaultdict
from math import exp, log

from msgspec import Struct

BUCKETS_PER_E = 100
"""Buckets for each factor of e: neighbours differ by one per cent."""
MIN_LATENCY_S = 1e-6
"""Seconds; whatever is shorter counts as this."""


class Histogram:
    """How many measurements fell into each bucket."""

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)

    def record(self, seconds: float) -> None:
        """Count one measurement."""
        self.counts[int(log(max(seconds, MIN_LATENCY_S) / MIN_LATENCY_S) * BUCKETS_PER_E)] += 1

    def add(self, other: "Histogram") -> None:
        """Count another histogram's measurements too."""
        for bucket, count in other.counts.items():
            self.counts[bucket] += count

    @property
    def total(self) -> int:
        """How many measurements were counted."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> float:
        """The seconds that this share (0 to 1) of the measurements did not exceed; 0 where nothing was measured."""
        wanted = share * self.total
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return MIN_LATENCY_S * exp((bucket + 1) / BUCKETS_PER_E)
        return 0.0


class Sample(Struct, frozen=True):
    """The deliveries of one stretch of time: when it began, how many there were, and how long they took. Seconds."""

    at: float
    deliveries: int
    p50: float
    p99: float
    longest: float


class Timeline:
    """Latencies by the time they were measured at."""

    def __init__(self, start: float, width: float) -> None:
        """`width` seconds make one sample; `start` is the zero of the samples' times."""
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
        """Everything that was measured."""
        histogram = Histogram()
        for stretch in self._stretches.values():
            histogram.add(stretch)
        return histogram

    def samples(self) -> list[Sample]:
        """The stretches in which something was measured, in order."""
        return [
            Sample(
                number * self._width, stretch.total, stretch.quantile(0.5), stretch.quantile(0.99), stretch.quantile(1)
            )
            for number, stretch in sorted(self._stretches.items())
        ]
