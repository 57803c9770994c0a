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
from tests.checker.conditions import Conditions
from tests.checker.history import History, ServerResources
from tests.checker.host import KEY, Host
from tests.checker.limit_checks import resources_are_released
from tests.checker.nemesis import Nemesis
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind, plan
from tests.checker.proxy import Proxy
from tests.checker.scenario import Outcome, Scenario
from tests.checker.switch_checks import switches_in
from tests.checker.talk import Talk
from tests.checker.targets import Targets
from tests.checker.waiting import until
from tests.pace import allowed

JOIN_TIMEOUT_S = 30.0
QUIET_S = 0.5
"""Seconds without a new event for any member, after which the room counts as settled."""
LEAVE_TIMEOUT_S = 5.0
UNSENT = re.compile(r"connections? over, \d+ with unsent output")
"""The log line of a handover with unsent output."""
MODEL_CYCLES = (
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
        self.before: ServerResources | None = None
        self.after: ServerResources | None = None
        self.conditions = Conditions()
        self.talk = Talk()
        self.members: list[Participant] = []
        self.plain: list[PlainParticipant] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._half_line_tasks: list[asyncio.Task[None]] = []

    async def play(self, progress: Callable[[str], None] = lambda words: None) -> tuple[History, Outcome]:
        """Carry out the scenario, and check its history."""
        began = monotonic()
        await asyncio.to_thread(self.host.start)
        self.conditions.epoch = f"epoch {self.host.epoch}"
        self.proxy = Proxy(self.host.address, self.random)
        try:
            await self.proxy.start()
            self._add_people()
            await self._until(self._are_all_in_room, JOIN_TIMEOUT_S)
            progress(f"{len(self.tasks)} people are in the room")
            self.before = await self._cycle_models(MODEL_CYCLES[0])
            nemesis = await self._disturb()
            targets = nemesis.targets
            progress(f"it was disturbed {targets.done.total()} times; now everything is to come to rest")
            quiet_from = monotonic()
            history = await self._finish(nemesis)
            settled_after_s = monotonic() - quiet_from
        finally:
            for life in self.tasks:
                life.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await self.proxy.close()
            await asyncio.to_thread(self.host.close)
        return history, self._evaluate(history, targets, monotonic() - began, settled_after_s)

    async def _disturb(self) -> Nemesis:
        scenario = self.scenario
        targets = Targets(
            self.host,
            self.conditions,
            self.proxy,
            self.members,
            self.plain,
            self.talk,
            self._add_member,
            scenario.join_timeout,
        )
        nemesis = Nemesis(targets)
        talk = asyncio.create_task(self._talk())
        steps = plan(scenario.seed, scenario.seconds, scenario.kinds, scenario.every)
        try:
            await nemesis.run(steps, scenario.times_each)
        finally:
            talk.cancel()
            await asyncio.gather(talk, *self._half_line_tasks, return_exceptions=True)
        return nemesis

    def _add_people(self) -> None:
        """Add all participants; one in ten speaks the plain dialect."""
        plain = self.scenario.people // 10
        for _ in range(self.scenario.people - plain):
            self._add_member()
        for number in range(plain):
            person = PlainParticipant(f"p{number}", self.host.address, Random(self.random.random()), self.conditions)
            self.plain.append(person)
            self.tasks.append(asyncio.create_task(person.run()))

    def _add_member(self) -> None:
        """Add a member. Two of five connect through the proxy, two of five come as browsers do, one of ten has small
        buffers."""
        number = len(self.members)
        address = self.proxy.address if number % 5 in (3, 4) else self.host.address
        slow, in_browser = number % 10 == 7, number % 5 in (2, 4)
        random = Random(self.random.random())
        person = Participant(f"m{number}", address, random, self.conditions, slow=slow, in_browser=in_browser)
        self.members.append(person)
        self.tasks.append(asyncio.create_task(person.run()))

    def _staying_members(self) -> list[Participant]:
        return [member for member in self.members if not member.is_leaving]

    async def _talk(self) -> None:
        """Have random members say lines, in all the ways there are."""
        random = self.random
        while True:
            await asyncio.sleep(random.expovariate(self.scenario.talk))
            if self.plain and random.random() < 0.1:
                person = random.choice(self.plain)
                person.say(self.talk.one_line(person.history.name, random))
                continue
            member = random.choice(self._staying_members())
            line = self.talk.line(member.history.name, random)
            match random.random():
                case chance if chance < 0.2:
                    self._half_line_tasks.append(
                        asyncio.create_task(member.say_in_halves(line, random.uniform(0.02, 0.5)))
                    )
                case chance if chance < 0.3:
                    member.request_roster()
                case chance if chance < 0.33 and member is not self.members[0]:
                    member.rename(f"{member.history.name}x{random.randrange(100)}")
                case chance if chance < 0.36:
                    member.say(self.talk.refusable(member.history.name, random))
                case chance:
                    member.say(line, action=chance > 0.95)

    async def _until(self, true: Callable[[], bool], patience: float) -> bool:
        """Wait until `true()` is true for QUIET_S without a new event; returns False after `patience` seconds."""
        deadline = monotonic() + patience
        since = newest = None
        while (now := monotonic()) < deadline:
            heard = sum(member.last for member in self.members)
            if not true() or heard != newest:
                since, newest = now, heard
            if since is not None and now - since >= QUIET_S:
                return True
            await asyncio.sleep(0.05)
        return False

    def _are_all_in_room(self) -> bool:
        return all(person.is_in_room for person in (*self._staying_members(), *self.plain))

    def _is_settled(self) -> bool:
        staying = self._staying_members()
        newest = max(member.last for member in staying)
        return self._are_all_in_room() and all(member.is_up_to_date and member.last == newest for member in staying)

    async def _cycle_models(self, models: tuple[Model, ...]) -> ServerResources | None:
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
        return await self._measure_at_rest()

    async def _measure_at_rest(self) -> ServerResources:
        """Measure the resources when they are no more than before, or after `rest_within` seconds."""
        connections = len(self._staying_members()) + len(self.plain)
        deadline = monotonic() + allowed(self.scenario.rest_within)
        while True:
            await asyncio.sleep(0.2)
            taken = await asyncio.to_thread(self.host.measure_resources, connections)
            calm = self.before is None or not list(resources_are_released(History(before=self.before, after=taken)))
            if calm or monotonic() > deadline:
                return taken

    async def _finish(self, nemesis: Nemesis) -> History:
        """Wait until the room has settled, record the rosters, and have all participants leave."""
        settled = await self._until(self._is_settled, self.scenario.settle_within)
        if settled and Kind.CLOG in self.scenario.kinds and not UNSENT.search(self.host.log()):
            await nemesis.act(Kind.CLOG, self.random)  # Without disturbances beside it.
        self.after = await self._cycle_models(MODEL_CYCLES[1])
        self.members[0].say("this is the last line")
        settled = settled and await self._until(self._is_settled, self.scenario.settle_within)
        for member in self.members:
            member.history.present_at_end = member.is_in_room
            member.history.people_at_end = sorted(member.client.people)
            member.request_roster()
        for person in self.plain:
            person.history.present_at_end = person.is_in_room
        await asyncio.sleep(QUIET_S / 2)
        for somebody in (*self.members, *self.plain):
            somebody.leave()
        await asyncio.wait(self.tasks, timeout=LEAVE_TIMEOUT_S)
        return History(
            [member.history for member in self.members],
            [person.history for person in self.plain],
            self.conditions.epoch,
            settled,
            self.scenario.kept,
            self.scenario.shown,
            self.scenario.join_timeout,
            self.scenario.answer_within,
            nemesis.targets.silent_connections,
            self.conditions.stops,
            self.before,
            self.after,
        )

    def _evaluate(self, history: History, targets: Targets, seconds: float, settled_after_s: float) -> Outcome:
        operations = [operation for member in history.members for operation in member.operations.values()]
        switches = switches_in(history).values()
        return Outcome(
            scenario=self.scenario,
            violations=check(history),
            done=dict(targets.done),
            switches=Counter(f"{told.before} → {told.model}" for epoch in switches for told in epoch),
            seconds=seconds,
            settled_after_s=settled_after_s,
            lines=len(operations),
            acknowledged=sum(bool(operation.acknowledged) for operation in operations),
            refused=sum(bool(operation.refused) for operation in operations),
            observed=sum(len(stay.events) for _, stay in history.stays()),
            stays=len(history.stays()),
            epochs=self.host.epoch,
            carried_unsent=len(UNSENT.findall(self.host.log())),
            reported_gaps=sum(bool(stay.missed) for _, stay in history.stays()),
            log=self.host.log(),
        )
