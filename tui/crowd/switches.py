"""Switches: chooses the next model, and measures the latencies around a switch. Pure: times are arguments, in seconds.

The pause of a switch is the longest latency of a line around it, for any member. Silence does not measure it, because
an audience may be silent by itself. So the measurement needs a crowd that talks.
"""

from collections import Counter
from collections.abc import Iterable
from statistics import median

from msgspec import Struct, field

from protocol.messages import Model, ModelSwitched
from tui.crowd.member import Member
from tui.crowd.server_text import MAX_MODEL_CHARACTERS, sanitized

AFTERMATH_S = 2.0
"""Time after a switch that is measured with it, so that a slow start of a model counts."""
SWITCH_TIMEOUT_S = 20.0
"""Time without an answer after which a requested switch counts as failed."""

MODEL_CYCLE = (Model.PROCESS, Model.THREAD, Model.EVENT)
"""Both ways around this cycle are the six directions."""


class SwitchMeasurement(Struct):
    """The measurements of a switch. Times are in seconds; `at` is the time since the talk began."""

    at: float
    before: str
    after: str
    reported_pause: float = field(name="told_pause")
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


class DirectionChooser:
    """Chooses the next model so that all six directions are used evenly."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, str]] = Counter()

    def next(self, running: str) -> Model:
        """The model to switch to from `running`, by the direction used least."""
        # From an unknown model, all known ones are candidates.
        start = next((place for place, model in enumerate(MODEL_CYCLE) if model == running), 0)
        ways = [model for step in range(3) if (model := MODEL_CYCLE[(start + step) % len(MODEL_CYCLE)]) != running]
        target = min(ways, key=lambda model: self._taken[running, model])
        self._taken[running, target] += 1
        return target


class SwitchWatch:
    """Measures each switch from its request, or else from its event, until AFTERMATH_S after the event."""

    def __init__(self) -> None:
        self.done: list[SwitchMeasurement] = []
        self.failed = 0
        self._asked: float | None = None
        self._seen: SwitchMeasurement | None = None
        self._seq = 0
        self._closes = 0.0
        self._dropped = 0

    @property
    def is_idle(self) -> bool:
        """Whether no switch is being measured."""
        return self._asked is None and self._seen is None

    def ask(self, members: Iterable[Member], now: float) -> None:
        """Start to measure a requested switch."""
        self._asked, self._dropped = now, 0
        _forget_waits(members)

    def refused(self) -> None:
        """Record that the requested switch failed."""
        self._asked = None
        self.failed += 1

    def dropped(self) -> None:
        """Count an ended connection."""
        self._dropped += 1

    def saw(self, switched: ModelSwitched, now: float, start: float) -> bool:
        """Record the event of a switch. Returns whether it is the first member's."""
        if switched.seq == self._seq:
            return False
        took = 0.0 if self._asked is None else now - self._asked
        self._seq, self._asked, self._closes = switched.seq, None, now + AFTERMATH_S
        self._seen = SwitchMeasurement(
            now - start,
            sanitized(switched.before, MAX_MODEL_CHARACTERS),
            sanitized(switched.model, MAX_MODEL_CHARACTERS),
            switched.pause,
            switched.carried,
            took=took,
        )
        return True

    def tick(self, members: Iterable[Member], now: float) -> None:
        """End measurements and timeouts that are due. Call it several times a second."""
        if self._asked is not None and now > self._asked + SWITCH_TIMEOUT_S:
            self.refused()
        if self._seen is not None and now >= self._closes:
            pauses = [max(member.longest_wait, member.waits(now)) for member in members]
            self._seen.pause = max(pauses, default=0.0)
            self._seen.median_pause = median(pauses) if pauses else 0.0
            self._seen.dropped = self._dropped
            self.done.append(self._seen)
            self._seen = None
        if self.is_idle:
            self._dropped = 0
            _forget_waits(members)


def _forget_waits(members: Iterable[Member]) -> None:
    for member in members:
        member.longest_wait = 0.0
