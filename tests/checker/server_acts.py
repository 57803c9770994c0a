"""Acts against the server: switches, and signals to its processes. Each is one disturbance with its own seed."""

import asyncio
import resource
import signal
from collections import Counter
from itertools import permutations
from random import Random

from protocol.messages import Model
from tests.checker.host import KEY
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind
from tests.checker.targets import Targets
from tests.checker.waiting import until

SWITCH_TIMEOUT_S = 2.0
"""The wait for the process model, before the nemesis goes on without it."""
ANSWER_TIMEOUT_S = 0.3
"""The wait for the process id of a worker; a member that does not get it is left alone."""


class ServerActs:
    """Each act takes its own random generator and returns when its disturbance is over."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._ways: Counter[tuple[str, str]] = Counter()
        """The number of requests for each direction."""

    async def switch(self, random: Random) -> None:
        """Switch to the model to which the running one was switched least often."""
        if not await self._can_switch():
            return
        running = self._targets.operator.model
        ways = [way for way in permutations(Model, 2) if way[0] == running]
        random.shuffle(ways)
        way = min(ways, key=lambda way: self._ways[way])
        self._ways[way] += 1
        self._targets.operator.switch(way[1])
        self._targets.count(Kind.SWITCH)

    async def _can_switch(self) -> bool:
        operator = self._targets.operator
        if not operator.is_operator:
            operator.prove(KEY)
            await until(lambda: operator.is_operator, 0.3)
        return operator.is_operator and bool(operator.model)

    async def _enter_process_model(self) -> None:
        """Switch to the process model, as the acts against its processes have no effect in the others."""
        operator = self._targets.operator
        if operator.model != Model.PROCESS and await self._can_switch():
            operator.switch(Model.PROCESS)
            await until(lambda: operator.model == Model.PROCESS, SWITCH_TIMEOUT_S)

    async def hurry(self, random: Random) -> None:
        """Request two switches at once: the second is refused, or comes after the first."""
        await self.switch(random)
        await self.switch(random)
        self._targets.count(Kind.HURRY)

    async def kill_worker(self, random: Random) -> None:
        victim, pid = await self._worker(random)
        if victim.is_in_room and pid and self._targets.host.signal_worker(pid, signal.SIGKILL):
            victim.end_cause = "its worker was killed"
            self._targets.count(Kind.KILL)

    async def freeze_worker(self, random: Random) -> None:
        """Stop a worker. Its connection may end if a switch comes meanwhile; the others must not notice."""
        victim, pid = await self._worker(random)
        if victim.is_in_room and pid and self._targets.host.signal_worker(pid, signal.SIGSTOP):
            self._targets.count(Kind.FREEZE)
            async with self._targets.may_end(victim, "its worker was stopped"):
                await asyncio.sleep(random.uniform(0.5, 4))
                self._targets.host.signal_worker(pid, signal.SIGCONT)

    async def _worker(self, random: Random) -> tuple[Participant | PlainParticipant, int]:
        """Choose a member; returns it and the process id of its worker, or 0 without one."""
        await self._enter_process_model()
        plain = self._targets.plain if random.random() < 0.3 else []
        victim = random.choice(plain or self._targets.staying_members())
        victim.ask_where()
        if not isinstance(victim, Participant):
            await until(lambda: victim.worker, ANSWER_TIMEOUT_S)
            return victim, victim.worker
        await until(lambda: victim.served_by, ANSWER_TIMEOUT_S)
        pid = victim.served_by.removeprefix("process ")
        return victim, int(pid) if pid.isdecimal() else 0

    async def strike_forkserver(self, random: Random) -> None:
        """Kill the fork server or stop it for a while: the members must not notice."""
        await self._enter_process_model()
        if not (pid := self._targets.host.fork_server_pid()):
            return
        self._targets.count(Kind.FORKSERVER)
        if random.random() < 0.5:
            self._targets.host.signal_worker(pid, signal.SIGKILL)
            return
        with self._targets.stopped():
            self._targets.host.signal_worker(pid, signal.SIGSTOP)
            await asyncio.sleep(random.uniform(0.2, 1))
            self._targets.host.signal_worker(pid, signal.SIGCONT)

    async def stop_server(self, random: Random) -> None:
        self._targets.count(Kind.STOP)
        with self._targets.stopped():
            self._targets.host.pause()
            await asyncio.sleep(1.0)
            self._targets.host.go_on()

    async def restart(self, random: Random, number: int) -> None:
        if self._targets.conditions.restarting:
            return
        self._targets.conditions.restarting = True
        await asyncio.to_thread(self._targets.host.end, number)
        await asyncio.sleep(0.2)
        self._targets.host.model = random.choice(list(Model))
        await asyncio.to_thread(self._targets.host.start)
        self._targets.conditions.epoch = f"epoch {self._targets.host.epoch}"
        self._targets.conditions.restarting = False
        self._targets.count(Kind.RESTART if number == signal.SIGTERM else Kind.CRASH)

    async def starve(self, random: Random) -> None:
        """Switch without free descriptors: the new model may fail, and members must not notice."""
        if not hasattr(resource, "prlimit"):  # Not on macOS.
            return
        self._targets.conditions.starving = True
        self._targets.host.limit_open_files(random.randint(1, 40))
        await self.switch(random)
        self._targets.count(Kind.STARVE)
        await asyncio.sleep(random.uniform(0.5, 1.5))
        if not self._targets.conditions.restarting:
            self._targets.host.limit_open_files(None)
        await asyncio.sleep(0.5)  # Rejected clients read the reason.
        self._targets.conditions.starving = False
