"""The latencies of deliveries, over the whole run and over time, and around each switch. Pure: times are arguments, in
seconds.

A thousand members that receive a hundred lines a second make a hundred thousand measurements a second. So no
measurement is stored; each is counted in a bucket that is one per cent wide.

The pause of a switch is the longest latency of a line around it, for any member. Silence does not measure it, because
an audience may be silent by itself. So the measurement needs a crowd that talks.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import exp, log
from statistics import median

from msgspec import Struct

from protocol.messages import ModelSwitched
from tui.crowd.member import MAX_MODEL_CHARACTERS, Member, sanitized

BUCKETS_PER_E = 100
"""Adjacent buckets differ by one per cent."""
MIN_LATENCY_S = 1e-6
"""Shorter latencies count as this."""
AFTERMATH_S = 2.0
"""Time after a switch that is measured with it, so that a slow start of a model counts."""
SWITCH_TIMEOUT_S = 20.0
"""Time without an answer after which a requested switch counts as failed."""


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


class SwitchMeasurement(Struct):
    """The measurements of a switch. Times are in seconds; `at` is the time since the talk began."""

    at: float
    before: str
    after: str
    reported_pause: float
    """The pause of deliveries that the room reported."""
    carried: int
    pause: float = 0.0
    """The longest latency of a line for any member."""
    median_pause: float = 0.0
    """The longest latency for the median member."""
    dropped: int = 0
    """Connections that ended between the request and the end of the measurement."""
    took: float = 0.0
    """Time from the request to the `switched` event; 0 if another client requested it."""


class SwitchWatch:
    """Measures each switch from its request, or else from its event, until AFTERMATH_S after the event."""

    def __init__(self) -> None:
        self.done: list[SwitchMeasurement] = []
        self.failed = 0
        self._requested_at: float | None = None
        self._current: SwitchMeasurement | None = None
        self._seq = 0
        self._measured_until = 0.0
        self._dropped = 0

    @property
    def is_idle(self) -> bool:
        """Whether no switch is being measured."""
        return self._requested_at is None and self._current is None

    def on_requested(self, members: Iterable[Member], now: float) -> None:
        """Start to measure a requested switch."""
        self._requested_at, self._dropped = now, 0
        _forget_waits(members)

    def on_refused(self) -> None:
        """Record that the requested switch failed."""
        self._requested_at = None
        self.failed += 1

    def on_dropped(self) -> None:
        """Count an ended connection."""
        self._dropped += 1

    def on_switched(self, switched: ModelSwitched, now: float, start: float) -> None:
        """Record the event of a switch. The events of all members but the first one are ignored."""
        if switched.seq == self._seq:
            return
        took = 0.0 if self._requested_at is None else now - self._requested_at
        self._seq, self._requested_at, self._measured_until = switched.seq, None, now + AFTERMATH_S
        self._current = SwitchMeasurement(
            now - start,
            sanitized(switched.before, MAX_MODEL_CHARACTERS),
            sanitized(switched.model, MAX_MODEL_CHARACTERS),
            switched.pause,
            switched.carried,
            took=took,
        )

    def tick(self, members: Iterable[Member], now: float) -> None:
        """End measurements and timeouts that are due. Call it several times a second."""
        if self._requested_at is not None and now > self._requested_at + SWITCH_TIMEOUT_S:
            self.on_refused()
        if self._current is not None and now >= self._measured_until:
            pauses = [max(member.longest_wait, member.waits(now)) for member in members]
            self._current.pause = max(pauses, default=0.0)
            self._current.median_pause = median(pauses) if pauses else 0.0
            self._current.dropped = self._dropped
            self.done.append(self._current)
            self._current = None
        if self.is_idle:
            self._dropped = 0
            _forget_waits(members)


def _forget_waits(members: Iterable[Member]) -> None:
    for member in members:
        member.longest_wait = 0.0
