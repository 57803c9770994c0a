"""Run: a room with participants and a nemesis for some time, then a quiet phase, and the history of both."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import monotonic

from protocol.messages import Model
from tests.checker.checks import check
from tests.checker.history import History, Taken
from tests.checker.host import KEY, Host
from tests.checker.limit_checks import nothing_is_left_behind
from tests.checker.nemesis import Nemesis
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind, plan
from tests.checker.proxy import Proxy
from tests.checker.reach import Reach
from tests.checker.scenario import Outcome, Scenario
from tests.checker.switch_checks import switches_in
from tests.checker.talk import Talk
from tests.checker.waiting import until
from tests.checker.weather import Weather
from tests.pace import allowed

JOIN_WITHIN = 30.0
QUIET = 0.5
"""Seconds without a new event for any member, after which the room counts as settled."""
LEAVE_WITHIN = 5.0
UNSENT = re.compile(r"connections? over, \d+ with unsent output")
"""The log line of a handover with unsent output."""
ROUNDS = (
    (Model.EVENT, Model.THREAD, Model.PROCESS, Model.EVENT),
    (Model.EVENT, Model.PROCESS, Model.THREAD, Model.EVENT),
)
"""The switches at the beginning and at the end; together they have all six directions."""


class Run:
    """One run of a scenario in a folder."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.random = Random(scenario.seed)
        self.host = Host(folder, scenario.model, *scenario.server_options, mutant=scenario.mutant)
        self.before: Taken | None = None
        self.after: Taken | None = None
        self.weather = Weather()
        self.talk = Talk()
        self.members: list[Participant] = []
        self.plain: list[PlainParticipant] = []
        self.lives: list[asyncio.Task[None]] = []
        self._halves: list[asyncio.Task[None]] = []

    async def play(self, progress: Callable[[str], None] = lambda words: None) -> tuple[History, Outcome]:
        """Carry out the scenario, and check its history."""
        began = monotonic()
        await asyncio.to_thread(self.host.start)
        self.weather.epoch = f"epoch {self.host.epoch}"
        self.proxy = Proxy(self.host.address, self.random)
        try:
            await self.proxy.start()
            self._invite()
            await self._until(self._in_the_room, JOIN_WITHIN)
            progress(f"{len(self.lives)} people are in the room")
            self.before = await self._round(ROUNDS[0])
            nemesis = await self._disturb()
            reach = nemesis.reach
            progress(f"it was disturbed {reach.done.total()} times; now everything is to come to rest")
            quiet_from = monotonic()
            history = await self._part(nemesis)
            settled_in = monotonic() - quiet_from
        finally:
            for life in self.lives:
                life.cancel()
            await asyncio.gather(*self.lives, return_exceptions=True)
            await self.proxy.close()
            await asyncio.to_thread(self.host.close)
        return history, self._judge(history, reach, monotonic() - began, settled_in)

    async def _disturb(self) -> Nemesis:
        scenario = self.scenario
        reach = Reach(
            self.host,
            self.weather,
            self.proxy,
            self.members,
            self.plain,
            self.talk,
            self._arrive,
            scenario.join_timeout,
        )
        nemesis = Nemesis(reach)
        talk = asyncio.create_task(self._talk())
        steps = plan(scenario.seed, scenario.seconds, scenario.kinds, scenario.every)
        try:
            await nemesis.run(steps, scenario.times_each)
        finally:
            talk.cancel()
            await asyncio.gather(talk, *self._halves, return_exceptions=True)
        return nemesis

    def _invite(self) -> None:
        """Add all participants; one in ten speaks the plain dialect."""
        plain = self.scenario.people // 10
        for _ in range(self.scenario.people - plain):
            self._arrive()
        for number in range(plain):
            person = PlainParticipant(f"p{number}", self.host.address, Random(self.random.random()), self.weather)
            self.plain.append(person)
            self.lives.append(asyncio.create_task(person.run()))

    def _arrive(self) -> None:
        """Add a member. Two of five connect through the proxy; one of ten has small buffers."""
        number = len(self.members)
        address = self.proxy.address if number % 5 in (3, 4) else self.host.address
        slow = number % 10 == 7
        person = Participant(f"m{number}", address, Random(self.random.random()), self.weather, slow=slow)
        self.members.append(person)
        self.lives.append(asyncio.create_task(person.run()))

    def _staying(self) -> list[Participant]:
        return [member for member in self.members if not member.leaving]

    async def _talk(self) -> None:
        """Have random members say lines, in all the ways there are."""
        random = self.random
        while True:
            await asyncio.sleep(random.expovariate(self.scenario.talk))
            if self.plain and random.random() < 0.1:
                person = random.choice(self.plain)
                person.say(self.talk.one_line(person.history.name, random))
                continue
            member = random.choice(self._staying())
            line = self.talk.line(member.history.name, random)
            match random.random():
                case chance if chance < 0.2:
                    self._halves.append(asyncio.create_task(member.say_in_halves(line, random.uniform(0.02, 0.5))))
                case chance if chance < 0.3:
                    member.look_around()
                case chance if chance < 0.33 and member is not self.members[0]:
                    member.rename(f"{member.history.name}x{random.randrange(100)}")
                case chance if chance < 0.36:
                    member.say(self.talk.refusable(member.history.name, random))
                case chance:
                    member.say(line, action=chance > 0.95)

    async def _until(self, true: Callable[[], bool], patience: float) -> bool:
        """Wait until `true()` is true for QUIET seconds without a new event; returns False after `patience` seconds."""
        deadline = monotonic() + patience
        since = newest = None
        while (now := monotonic()) < deadline:
            heard = sum(member.last for member in self.members)
            if not true() or heard != newest:
                since, newest = now, heard
            if since is not None and now - since >= QUIET:
                return True
            await asyncio.sleep(0.05)
        return False

    def _in_the_room(self) -> bool:
        return all(person.here for person in (*self._staying(), *self.plain))

    def _settled(self) -> bool:
        staying = self._staying()
        newest = max(member.last for member in staying)
        return self._in_the_room() and all(member.up_to_date and member.last == newest for member in staying)

    async def _round(self, models: tuple[Model, ...]) -> Taken | None:
        """Have each model run once; returns the resources of the server after that.

        Returns None if the scenario has no switches, or if a switch does not happen.
        """
        operator = self.members[0]
        if Kind.SWITCH not in self.scenario.kinds:
            return None
        operator.prove(KEY)
        for model in models:
            if operator.model != model:
                operator.switch(model)
            if not await until(lambda model=model: operator.model == model, allowed(self.scenario.switch_within)):  # type: ignore[misc]
                return None
        return await self._at_rest()

    async def _at_rest(self) -> Taken:
        """Measure the resources when they are no more than before, or after `rest_within` seconds."""
        connections = len(self._staying()) + len(self.plain)
        deadline = monotonic() + allowed(self.scenario.rest_within)
        while True:
            await asyncio.sleep(0.2)
            taken = await asyncio.to_thread(self.host.taken, connections)
            calm = self.before is None or not list(nothing_is_left_behind(History(before=self.before, after=taken)))
            if calm or monotonic() > deadline:
                return taken

    async def _part(self, nemesis: Nemesis) -> History:
        """Wait until the room has settled, record the rosters, and have all participants leave."""
        settled = await self._until(self._settled, self.scenario.settle_within)
        if settled and Kind.CLOG in self.scenario.kinds and not UNSENT.search(self.host.log()):
            await nemesis.act(Kind.CLOG, self.random)  # Without disturbances beside it.
        self.after = await self._round(ROUNDS[1])
        self.members[0].say("this is the last line")
        settled = settled and await self._until(self._settled, self.scenario.settle_within)
        for member in self.members:
            member.history.present_at_end = member.here
            member.history.people_at_end = sorted(member.client.people)
            member.look_around()
        for person in self.plain:
            person.history.present_at_end = person.here
        await asyncio.sleep(QUIET / 2)
        for somebody in (*self.members, *self.plain):
            somebody.leave()
        await asyncio.wait(self.lives, timeout=LEAVE_WITHIN)
        return History(
            [member.history for member in self.members],
            [person.history for person in self.plain],
            self.weather.epoch,
            settled,
            self.scenario.kept,
            self.scenario.shown,
            self.scenario.join_timeout,
            self.scenario.answer_within,
            nemesis.reach.silences,
            self.weather.stops,
            self.before,
            self.after,
        )

    def _judge(self, history: History, reach: Reach, seconds: float, settled_in: float) -> Outcome:
        operations = [operation for member in history.members for operation in member.operations.values()]
        switches = switches_in(history).values()
        return Outcome(
            scenario=self.scenario,
            violations=check(history),
            done=dict(reach.done),
            switches=Counter(f"{told.before} → {told.model}" for epoch in switches for told in epoch),
            seconds=seconds,
            settled_in=settled_in,
            lines=len(operations),
            acknowledged=sum(bool(operation.acknowledged) for operation in operations),
            refused=sum(bool(operation.refused) for operation in operations),
            observed=sum(len(stay.events) for _, stay in history.stays()),
            stays=len(history.stays()),
            epochs=self.host.epoch,
            carried_unsent=len(UNSENT.findall(self.host.log())),
            told_gaps=sum(bool(stay.missed) for _, stay in history.stays()),
            log=self.host.log(),
        )
