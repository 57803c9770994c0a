"""Switches: which to ask for, and how long lines took around each. Pure: times are arguments, in seconds.

The pause is what the members noticed: the longest that a line said around the switch took to reach anybody. Silence is
no measure of it, as an audience is silent by itself. Where little is said nobody may notice anything: to measure, talk.
"""

from collections import Counter
from collections.abc import Iterable
from statistics import median

from msgspec import Struct, field

from protocol.messages import Model, ModelSwitched
from tui.crowd.member import Member
from tui.crowd.words import MAX_MODEL_CHARACTERS, sanitized

AFTERMATH_S = 2.0
"""Seconds after a switch that still count to it: a model that starts slowly is part of its price."""
SWITCH_TIMEOUT_S = 20.0
"""Seconds without an answer, after which a switch that was asked for has failed."""

MODEL_CYCLE = (Model.PROCESS, Model.THREAD, Model.EVENT)
"""Going round it and back again takes all six directions."""


class SwitchSeen(Struct):
    """One switch, as the crowd saw it. Times are seconds, `at` since the talk began."""

    at: float
    before: str
    after: str
    reported_pause: float = field(name="told_pause")
    """What the room says its deliveries paused for."""
    carried: int
    pause: float = 0.0
    """The longest that a line took to any member."""
    median_pause: float = 0.0
    """The same for the member in the middle."""
    dropped: int = 0
    """Connections that ended between the wish and the end of the switch."""
    took: float = 0.0
    """From the wish to the news that it is done; 0 where somebody else asked."""


class Directions:
    """Which model to ask for next, so that all six directions get their turn."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, str]] = Counter()

    def next(self, running: str) -> Model:
        """The model to go to from `running`: the way taken least often."""
        # A model that is not known here may lead to each of those that are.
        start = next((place for place, model in enumerate(MODEL_CYCLE) if model == running), 0)
        ways = [model for step in range(3) if (model := MODEL_CYCLE[(start + step) % len(MODEL_CYCLE)]) != running]
        target = min(ways, key=lambda model: self._taken[running, model])
        self._taken[running, target] += 1
        return target


class SwitchWatch:
    """Measures each switch from the moment it is asked for, or first heard of, to AFTERMATH_S seconds later."""

    def __init__(self) -> None:
        self.done: list[SwitchSeen] = []
        self.failed = 0
        self._asked: float | None = None
        self._seen: SwitchSeen | None = None
        self._seq = 0
        self._closes = 0.0
        self._dropped = 0

    @property
    def is_idle(self) -> bool:
        """Whether no switch is being measured."""
        return self._asked is None and self._seen is None

    def ask(self, members: Iterable[Member], now: float) -> None:
        """A switch is asked for now."""
        self._asked, self._dropped = now, 0
        _forget_waits(members)

    def refused(self) -> None:
        """It will not come."""
        self._asked = None
        self.failed += 1

    def dropped(self) -> None:
        """A connection ended."""
        self._dropped += 1

    def saw(self, switched: ModelSwitched, now: float, start: float) -> bool:
        """A member heard of a switch. True for the first that did."""
        if switched.seq == self._seq:
            return False
        took = 0.0 if self._asked is None else now - self._asked
        self._seq, self._asked, self._closes = switched.seq, None, now + AFTERMATH_S
        self._seen = SwitchSeen(
            now - start,
            sanitized(switched.before, MAX_MODEL_CHARACTERS),
            sanitized(switched.model, MAX_MODEL_CHARACTERS),
            switched.pause,
            switched.carried,
            took=took,
        )
        return True

    def tick(self, members: Iterable[Member], now: float) -> None:
        """To be called about once a second: ends what is due."""
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
