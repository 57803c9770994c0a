"""Crowd: an audience in one process and one loop that talks, listens and counts.

It has four phases. The members join, a few dozen at a time; they talk; they are silent until each has received all
lines; they leave. The loop uses `selectors` instead of asyncio: the main cost of a member is one read for each
broadcast, and a loop without other work keeps up with a thousand members and a hundred lines a second.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from math import inf
from random import Random
from secrets import token_hex
from time import monotonic

from msgspec import Struct

from protocol.client import ClientConnection
from protocol.json_lines import AnyEvent
from protocol.messages import MAX_COUNT, ModelSwitched, Refused
from tui.crowd.checker import SharedDecoder
from tui.crowd.loop import Loop, MemberSocket, Phase, Unreachable
from tui.crowd.measurements import AFTERMATH_S, SwitchWatch, Timeline
from tui.crowd.member import Member
from tui.crowd.operator import CrowdOperator
from tui.crowd.report import Progress, Report, Violations
from tui.crowd.script import nicknames, pause, rounds, words
from tui.crowd.web import SharedFrames

REACH_TIMEOUT_S = 5.0
"""Time within which the first member must join; otherwise the room is unreachable."""
JOIN_TIMEOUT_S, MAX_JOIN_S, MIN_JOINS_PER_S = 20.0, 120.0, 20
"""Joining ends after JOIN_TIMEOUT_S without a further member. In total it may take MAX_JOIN_S, or longer for a large
crowd that joins at a rate of at least MIN_JOINS_PER_S."""
SETTLE_TIMEOUT_S = 15.0
"""Longer than the reconnect delay of a member."""
QUIET_S, QUIET_WITH_MISSING_S = 0.75, 3.0
"""Silence after which no more lines are expected: if none is missing, and if some are."""
LEAVE_TIMEOUT_S = 3.0
TICK_S = 0.25
ROSTER_INTERVAL_S = 2.0
"""Interval at which a checking member requests the roster."""
MAX_SAMPLES = 240
"""Limit of the points in the plot."""
MAX_REASONS = 20
"""Limit of the different reasons of lost connections that are counted."""
OTHER_REASONS = "other reasons"


class Plan(Struct, frozen=True):
    """The options of a run. Times are in seconds (0 means no end), `talk` is in lines a second of the whole crowd."""

    people: int
    seconds: float
    talk: float
    checks: int = 10
    switch_every: float = 0.0
    key: bytes = b""
    seed: int = 0
    door: str = "tcp"
    """`tcp`, `web` for members that come as browsers do, or `mixed` for both in turn."""


class Crowd:
    """Call `run` once and then `report`. `interrupt` ends the talk early."""

    def __init__(self, host: str, port: int, plan: Plan) -> None:
        self._host, self._port, self._plan = host, port, plan
        self._random = Random(plan.seed)
        self._decoder = SharedDecoder()
        self._frames = SharedFrames()
        self._watch = SwitchWatch()
        self._operator = CrowdOperator(holds_key=bool(plan.key))
        self._loop = Loop(self._random, self._on_event, self._on_lost, self._record)
        self._timeline = Timeline(monotonic(), 1.0)
        self.interrupted = False
        """Whether `interrupt` was called."""
        self._endings: Counter[str] = Counter()
        self._joined_in = self._talked = 0.0
        self._started = monotonic()
        self._said = self._refused = self._unanswered = self._absent = self._deliveries = 0

    def interrupt(self) -> None:
        """Stop talking. Lines that are under way are still awaited."""
        self.interrupted = True

    def run(self) -> Iterator[Progress]:
        """Run all phases. Yields the progress several times a second. Raises Unreachable, also if it is interrupted
        before a member has joined."""
        try:
            names = islice(nicknames(), self._plan.people)
            sockets = [self._make_socket(number, nick) for number, nick in enumerate(names)]
            self._loop.open(self._host, self._port, sockets, lambda: self.interrupted)
            for phase in (self._join, self._talk, self._settle, self._leave):
                yield from phase()
        finally:
            self._loop.close()
            gc.unfreeze()

    def _make_socket(self, number: int, nick: str) -> MemberSocket:
        # Random ids: another client that guesses an id could be taken for the sender of the line.
        client = ClientConnection(nick, lambda: token_hex(8))
        member = Member(number, client, self._decoder, is_checking=number < self._plan.checks)
        is_web = self._plan.door == "web" or (self._plan.door == "mixed" and number % 2 == 1)
        key = self._plan.key if number == 0 else b""
        return MemberSocket(member, self._loop.selector, key, self._frames if is_web else None)

    # Phases

    def _join(self) -> Iterator[Progress]:
        began = since = monotonic()
        here, end = 0, began + max(MAX_JOIN_S, self._plan.people / MIN_JOINS_PER_S)
        while here < self._plan.people and not self.interrupted:
            self._loop.turn(monotonic() + TICK_S)
            now = monotonic()
            if (count := len(self._loop.here())) > here:
                here, since = count, now
            elif now > min(since + (JOIN_TIMEOUT_S if here else REACH_TIMEOUT_S), end):
                break
            yield self._progress("joining", 0.0)
        if not here:
            raise Unreachable(self._loop.sockets[0].ending or "there was no answer")
        self._joined_in = monotonic() - began

    def _talk(self) -> Iterator[Progress]:
        # The present objects live until the end. A garbage collection of them would delay this process, and the delay
        # would be measured as the server's.
        gc.collect()
        gc.freeze()
        plan = self._plan
        start = self._started = monotonic()
        end = start + plan.seconds if plan.seconds else inf
        self._timeline = Timeline(start, max(TICK_S, plan.seconds / MAX_SAMPLES) if plan.seconds else 1.0)
        before = self._count_deliveries()
        speakers = rounds(self._loop.sockets, self._random)
        next_line = start + pause(self._random, plan.talk)
        next_tick, next_roster = start, start
        next_switch = start + plan.switch_every if plan.switch_every else inf
        while (now := monotonic()) < end and not self.interrupted:
            while next_line <= now:
                self._say_something(speakers)
                next_line += pause(self._random, plan.talk)
            if next_switch <= now < end - AFTERMATH_S and self._switch(now):
                next_switch = now + plan.switch_every
            if now >= next_roster:
                self._ask_rosters()
                next_roster = now + ROSTER_INTERVAL_S
            if now >= next_tick:
                self._operator.prove(self._loop.sockets[0])
                self._watch.tick(self._members(), now)
                next_tick = now + TICK_S
                yield self._progress("talking", now - start)
            self._loop.turn(min(next_line, next_tick, end))
        self._talked = monotonic() - start
        self._deliveries = self._count_deliveries() - before

    def _settle(self) -> Iterator[Progress]:
        """Wait until all members have received the same events, each line is answered, and no new event arrives."""
        deadline = monotonic() + SETTLE_TIMEOUT_S
        quiet_since, before, newest = monotonic(), -1, 0
        while (now := monotonic()) < deadline:
            self._loop.turn(now + TICK_S)
            self._watch.tick(self._members(), now)
            newest = max(member.checker.last for member in self._members())
            if newest != before:
                quiet_since, before = now, newest
            if now - quiet_since > (
                QUIET_S if self._settled(newest) else QUIET_WITH_MISSING_S if self._all_here() else inf
            ):
                break
            yield self._progress("settling", now - self._started)
        here = self._loop.here()
        for sock in here:
            # An event that a present member has not received by now is lost. An absent member would still get it later.
            sock.member.checker.expect(newest)
        self._absent = len(self._awaited()) - len(here)
        self._unanswered = sum(len(sock.member.client.unacknowledged) for sock in here)

    def _all_here(self) -> bool:
        return self._watch.is_idle and all(sock.phase is Phase.HERE for sock in self._awaited())

    def _awaited(self) -> list[MemberSocket]:
        """All members, but after an interrupt only those that had joined."""
        return [sock for sock in self._loop.sockets if sock.has_joined or not self.interrupted]

    def _settled(self, newest: int) -> bool:
        return self._all_here() and all(
            member.checker.last == newest and not member.client.unacknowledged for member in self._members()
        )

    def _leave(self) -> Iterator[Progress]:
        self._loop.reconnects_lost = False
        deadline = monotonic() + LEAVE_TIMEOUT_S
        for sock in self._loop.here():
            sock.member.client.quit()
            sock.flush()
        while monotonic() < deadline and self._loop.here():
            self._loop.turn(monotonic() + TICK_S)
            yield self._progress("leaving", self._talked)

    # Steps of the phases

    def _on_event(self, sock: MemberSocket, event: AnyEvent) -> None:
        if self._operator.on_event(sock, event):
            self._watch.on_refused()
        if isinstance(event, ModelSwitched):
            self._watch.on_switched(event, monotonic(), self._started)
        elif isinstance(event, Refused) and event.id:
            self._refused += 1

    def _on_lost(self, sock: MemberSocket) -> None:
        if self._loop.reconnects_lost:
            count_reason(self._endings, sock.ending)
            self._watch.on_dropped()

    def _record(self, now: float, seconds: float) -> None:
        self._timeline.record(now, seconds)

    def _switch(self, now: float) -> bool:
        if not (self._watch.is_idle and self._operator.switch(self._loop.sockets[0])):
            return False
        self._watch.on_requested(self._members(), now)
        return True

    def _say_something(self, speakers: Iterator[MemberSocket]) -> None:
        """Say a line as the next speaker that is in the room."""
        for sock in islice(speakers, len(self._loop.sockets)):
            if sock.phase is Phase.HERE:
                sock.say(words(self._random), monotonic())
                self._said += 1
                return

    def _ask_rosters(self) -> None:
        for sock in self._loop.here()[: self._plan.checks]:
            sock.member.client.who()
            sock.flush()

    def _members(self) -> list[Member]:
        return [sock.member for sock in self._loop.sockets]

    def _count_deliveries(self) -> int:
        return sum(member.deliveries for member in self._members())

    # Results

    def violations(self) -> Violations:
        """The faults of the server so far."""
        members = self._members()
        return Violations(
            lost=min(sum(member.checker.lost for member in members) + self._unanswered, MAX_COUNT),
            doubled=sum(member.checker.doubled for member in members) + self._decoder.doubled,
            out_of_order=sum(member.checker.disordered for member in members) + self._decoder.conflict_count,
            wrong=[*self._decoder.conflicts, *(f"{m.client.nick}: {words}" for m in members for words in m.wrong)],
        )

    def _progress(self, phase: str, seconds: float) -> Progress:
        return Progress(
            phase=phase,
            seconds=seconds,
            of=self._plan.seconds,
            here=len(self._loop.here()),
            people=self._plan.people,
            model=self._operator.model,
            said=self._said,
            deliveries=self._count_deliveries(),
            reconnects=self._endings.total(),
            switches=len(self._watch.done),
            violations=self.violations(),
        )

    def report(self) -> Report:
        """The report of the run."""
        whole = self._timeline.whole()
        return Report(
            people=self._plan.people,
            talk=self._plan.talk,
            seconds=self._talked,
            joined_in=self._joined_in,
            said=self._said,
            refused=self._refused,
            deliveries=self._deliveries,
            p50=whole.quantile(0.5),
            p99=whole.quantile(0.99),
            p999=whole.quantile(0.999),
            longest=whole.quantile(1.0),
            reconnects=self._endings.total(),
            endings=dict(self._endings),
            absent=self._absent,
            reported_gaps=min(sum(member.checker.reported_gaps for member in self._members()), MAX_COUNT),
            violations=self.violations(),
            switches=self._watch.done,
            switches_failed=self._watch.failed,
            no_operator=self._operator.refusal,
            samples=self._timeline.samples(),
        )


def count_reason(reasons: Counter[str], reason: str) -> None:
    """Count a reason. After MAX_REASONS different ones, all others are counted together."""
    reasons[reason if reason in reasons or len(reasons) < MAX_REASONS else OTHER_REASONS] += 1
