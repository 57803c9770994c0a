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
from tests.checker.reach import Reach
from tests.checker.waiting import until

SWITCH_TIMEOUT_S = 2.0
"""The wait for the process model, before the nemesis goes on without it."""
ANSWER_TIMEOUT_S = 0.3
"""The wait for the process id of a worker; a member that does not get it is left alone."""


class ServerActs:
    """Each act takes its own random generator and returns when its disturbance is over."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._ways: Counter[tuple[str, str]] = Counter()
        """The number of requests for each direction."""

    async def switch(self, random: Random) -> None:
        """Switch to the model to which the running one was switched least often."""
        if not await self._can_switch():
            return
        running = self._reach.operator.model
        ways = [way for way in permutations(Model, 2) if way[0] == running]
        random.shuffle(ways)
        way = min(ways, key=lambda way: self._ways[way])
        self._ways[way] += 1
        self._reach.operator.switch(way[1])
        self._reach.did(Kind.SWITCH)

    async def _can_switch(self) -> bool:
        operator = self._reach.operator
        if not operator.granted:
            operator.prove(KEY)
            await until(lambda: operator.granted, 0.3)
        return operator.granted and bool(operator.model)

    async def _enter_process_model(self) -> None:
        """Switch to the process model, as the acts against its processes have no effect in the others."""
        operator = self._reach.operator
        if operator.model != Model.PROCESS and await self._can_switch():
            operator.switch(Model.PROCESS)
            await until(lambda: operator.model == Model.PROCESS, SWITCH_TIMEOUT_S)

    async def hurry(self, random: Random) -> None:
        """Request two switches at once: the second is refused, or comes after the first."""
        await self.switch(random)
        await self.switch(random)
        self._reach.did(Kind.HURRY)

    async def kill_worker(self, random: Random) -> None:
        victim, pid = await self._worker(random)
        if victim.here and pid and self._reach.host.signal_worker(pid, signal.SIGKILL):
            victim.excused = "its worker was killed"
            self._reach.did(Kind.KILL)

    async def freeze_worker(self, random: Random) -> None:
        """Stop a worker. Its connection may end if a switch comes meanwhile; the others must not notice."""
        victim, pid = await self._worker(random)
        if victim.here and pid and self._reach.host.signal_worker(pid, signal.SIGSTOP):
            self._reach.did(Kind.FREEZE)
            async with self._reach.excused(victim, "its worker was stopped"):
                await asyncio.sleep(random.uniform(0.5, 4))
                self._reach.host.signal_worker(pid, signal.SIGCONT)

    async def _worker(self, random: Random) -> tuple[Participant | PlainParticipant, int]:
        """Choose a member; returns it and the process id of its worker, or 0 without one."""
        await self._enter_process_model()
        plain = self._reach.plain if random.random() < 0.3 else []
        victim = random.choice(plain or self._reach.staying())
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
        if not (pid := self._reach.host.forkserver()):
            return
        self._reach.did(Kind.FORKSERVER)
        if random.random() < 0.5:
            self._reach.host.signal_worker(pid, signal.SIGKILL)
            return
        with self._reach.stopped():
            self._reach.host.signal_worker(pid, signal.SIGSTOP)
            await asyncio.sleep(random.uniform(0.2, 1))
            self._reach.host.signal_worker(pid, signal.SIGCONT)

    async def stop_server(self, random: Random) -> None:
        self._reach.did(Kind.STOP)
        with self._reach.stopped():
            self._reach.host.pause()
            await asyncio.sleep(1.0)
            self._reach.host.go_on()

    async def restart(self, random: Random, number: int) -> None:
        if self._reach.weather.restarting:
            return
        self._reach.weather.restarting = True
        await asyncio.to_thread(self._reach.host.end, number)
        await asyncio.sleep(0.2)
        self._reach.host.model = random.choice(list(Model))
        await asyncio.to_thread(self._reach.host.start)
        self._reach.weather.epoch = f"epoch {self._reach.host.epoch}"
        self._reach.weather.restarting = False
        self._reach.did(Kind.RESTART if number == signal.SIGTERM else Kind.CRASH)

    async def starve(self, random: Random) -> None:
        """Switch without free descriptors: the new model may fail, and members must not notice."""
        if not hasattr(resource, "prlimit"):  # Not on macOS.
            return
        self._reach.weather.starving = True
        self._reach.host.allow_files(random.randint(1, 40))
        await self.switch(random)
        self._reach.did(Kind.STARVE)
        await asyncio.sleep(random.uniform(0.5, 1.5))
        if not self._reach.weather.restarting:
            self._reach.host.allow_files(None)
        await asyncio.sleep(0.5)  # Rejected clients read the reason.
        self._reach.weather.starving = False
