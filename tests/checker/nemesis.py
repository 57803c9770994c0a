"""Nemesis: carries out a plan of disturbances against a running room."""

import asyncio
import resource
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import permutations
from random import Random
from time import time

from protocol.messages import Model
from tests.checker import strangers
from tests.checker.history import Silence
from tests.checker.host import KEY, Host
from tests.checker.limit_checks import LATE
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind, Step
from tests.checker.proxy import Proxy
from tests.checker.talk import Talk
from tests.checker.waiting import until
from tests.checker.weather import Weather

LONGEST_STALL = 12.0
"""Seconds: longer than the server has patience with a reader that takes nothing."""
PATIENT = 8.0
"""Seconds for which it surely has."""
BACK_WITHIN = 2.0
"""Seconds for somebody to come back, before the nemesis goes on without it."""
SILENT = 30
"""Connections that say nothing, at a time."""


class Nemesis:
    """Has a hand on everything."""

    def __init__(
        self,
        host: Host,
        weather: Weather,
        proxy: Proxy,
        members: list[Participant],
        plain: list[PlainParticipant],
        talk: Talk,
        invite: Callable[[], None],
        join_timeout: float,
    ) -> None:
        """`invite` brings somebody new into `members`; a silent connection has `join_timeout` seconds."""
        self.done: Counter[str] = Counter()
        """What was done, and how often."""
        self.switches: Counter[tuple[str, str]] = Counter()
        self.model = ""
        """What runs the room, as far as the operator knows."""
        self._host, self._weather, self._proxy, self._talk = host, weather, proxy, talk
        self._members, self._plain = members, plain
        self._operator = members[0]
        self._invite = invite
        self._join_timeout = join_timeout
        self._ends = 0.0
        self.silences: list[Silence] = []
        self._acts: dict[Kind, Callable[[Random], Awaitable[None]]] = {
            Kind.SWITCH: self._switch,
            Kind.HURRY: self._hurry,
            Kind.KILL: self._kill_worker,
            Kind.FREEZE: self._freeze_worker,
            Kind.CUT: self._cut,
            Kind.NURSERY: self._strike_nursery,
            Kind.STALL: self._stall,
            Kind.CLOG: self._clog,
            Kind.THROTTLE: self._throttle,
            Kind.RESET: self._reset,
            Kind.STOP: self._stop_server,
            Kind.STARVE: self._starve,
            Kind.SILENT: self._silent,
            Kind.GARBAGE: self._garbage,
            Kind.FLOOD: self._flood,
            Kind.TURNOVER: self._turnover,
            Kind.RESTART: lambda random: self._restart(random, signal.SIGTERM),
            Kind.CRASH: lambda random: self._restart(random, signal.SIGKILL),
        }

    async def run(self, steps: list[Step]) -> None:
        """Carry the plan out, each step at its time; then wait until every disturbance is over."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        self._ends = start + (steps[-1].at if steps else 0.0)
        acts: list[asyncio.Task[None]] = []
        for step in steps:
            await asyncio.sleep(max(0.0, start + step.at - loop.time()))
            if self._weather.restarting:
                continue  # There is nothing to disturb.
            act = self._acts[step.kind](Random(step.seed))
            acts.append(asyncio.ensure_future(act))
        await asyncio.gather(*acts)

    def _left(self) -> float:
        """Seconds until the last step."""
        return self._ends - asyncio.get_running_loop().time()

    def _staying(self) -> list[Participant]:
        """Everybody but the operator, and those who have left."""
        return [member for member in self._members[1:] if not member.leaving]

    # The models

    async def _switch(self, random: Random) -> None:
        """The way taken least often from where the room is."""
        if not self._operator.granted:
            self._operator.prove(KEY)
            await asyncio.sleep(0.3)
        running = self._operator.model
        if not self._operator.granted or not running:
            return
        ways = [way for way in permutations(Model, 2) if way[0] == running]
        random.shuffle(ways)
        way = min(ways, key=lambda way: self.switches[way])
        self.switches[way] += 1
        self._operator.switch(way[1])
        self._did(Kind.SWITCH)

    async def _hurry(self, random: Random) -> None:
        """Two wishes at once: the second is refused, or comes after the first."""
        await self._switch(random)
        await self._switch(random)
        self._did(Kind.HURRY)

    async def _kill_worker(self, random: Random) -> None:
        victim, pid = await self._worker(random)
        if victim.here and pid and self._host.signal_worker(pid, signal.SIGKILL):
            victim.excused = "its worker was killed"
            self._did(Kind.KILL)

    async def _freeze_worker(self, random: Random) -> None:
        """Whoever it serves may be let go, if a switch comes meanwhile. Nobody else may notice."""
        victim, pid = await self._worker(random)
        if victim.here and pid and self._host.signal_worker(pid, signal.SIGSTOP):
            self._did(Kind.FREEZE)
            async with self._excused(victim, "its worker was stopped"):
                await asyncio.sleep(random.uniform(0.5, 4))
                self._host.signal_worker(pid, signal.SIGCONT)

    async def _worker(self, random: Random) -> tuple[Participant | PlainParticipant, int]:
        """Somebody, and the process that serves it; 0 where none does."""
        victim = random.choice([*self._staying(), *self._plain])
        if isinstance(victim, Participant):
            pid = victim.served_by.removeprefix("process ")
            return victim, int(pid) if pid.isdecimal() else 0
        victim.ask_where()
        await asyncio.sleep(0.3)
        return victim, victim.worker

    async def _strike_nursery(self, random: Random) -> None:
        """What forks the workers is killed, or stopped for a while: nobody who is in may notice."""
        if not (pid := self._host.nursery()):
            return
        self._did(Kind.NURSERY)
        if random.random() < 0.5:
            self._host.signal_worker(pid, signal.SIGKILL)
            return
        with self._stopped():
            self._host.signal_worker(pid, signal.SIGSTOP)
            await asyncio.sleep(random.uniform(0.2, 1))
            self._host.signal_worker(pid, signal.SIGCONT)

    @asynccontextmanager
    async def _excused(self, victim: Participant | PlainParticipant, why: str) -> AsyncIterator[None]:
        """Its connection may end while this lasts, and a second longer: what came meanwhile, a goodbye perhaps, is
        read only then."""
        victim.excused = why or victim.excused
        yield
        await asyncio.sleep(1)
        if victim.excused == why:
            victim.excused = ""

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        began = time()
        try:
            yield
        finally:
            self._weather.stops.append((began, time()))

    async def _stop_server(self, random: Random) -> None:
        self._did(Kind.STOP)
        with self._stopped():
            self._host.pause()
            await asyncio.sleep(1.0)
            self._host.go_on()

    async def _restart(self, random: Random, number: int) -> None:
        if self._weather.restarting:
            return
        self._weather.restarting = True
        await asyncio.to_thread(self._host.end, number)
        await asyncio.sleep(0.2)
        self._host.model = random.choice(list(Model))
        await asyncio.to_thread(self._host.start)
        self._weather.epoch = f"epoch {self._host.epoch}"
        self._weather.restarting = False
        self._did(Kind.RESTART if number == signal.SIGTERM else Kind.CRASH)

    async def _starve(self, random: Random) -> None:
        """A model that cannot take all of them over hands back to the one before, and nobody notices."""
        if not hasattr(resource, "prlimit"):  # Not on macOS.
            return
        self._weather.starving = True
        self._host.allow_files(random.randint(1, 40))
        await self._switch(random)
        self._did(Kind.STARVE)
        await asyncio.sleep(random.uniform(0.5, 1.5))
        if not self._weather.restarting:
            self._host.allow_files(None)
        await asyncio.sleep(0.5)  # Who was turned away hears of it.
        self._weather.starving = False

    # Connections

    async def _cut(self, random: Random) -> None:
        for victim in random.sample(self._staying(), max(1, len(self._members) // 20)):
            line = self._talk.line(victim.history.name, random)
            victim.say_and_cut(line, whole=random.random() < 0.5, reset=random.random() < 0.3)
        if self._plain and random.random() < 0.5:
            random.choice(self._plain).cut("it cut its own connection")
        self._did(Kind.CUT)

    async def _stall(self, random: Random) -> None:
        victims = [member for member in random.sample(self._staying(), max(1, len(self._members) // 20)) if member.here]
        self._did(Kind.STALL)
        longest = max(2.0, min(LONGEST_STALL, self._left()))
        await asyncio.gather(*(self._stall_one(victim, random.uniform(1, longest)) for victim in victims))

    async def _stall_one(self, victim: Participant, seconds: float) -> None:
        async with self._excused(victim, "it read nothing for a while" if seconds > PATIENT else ""):
            await victim.stop_reading(seconds)

    async def _clog(self, random: Random) -> None:
        """Who does not read for less than its limit is carried over, with all that it has not taken. It comes anew for
        that: the kernel keeps ten times as much for a connection that it has come to trust."""
        victims = [member for member in self._staying() if member.slow and member.here and member.reading.is_set()]
        self._did(Kind.CLOG)
        for victim in victims:
            victim.cut("it came anew", reset=False)
        await asyncio.sleep(0.1)
        await until(lambda: all(victim.here for victim in victims), BACK_WITHIN)
        stalls = [asyncio.create_task(victim.stop_reading(random.uniform(2, 4))) for victim in victims]
        self._talk_much(random)
        await asyncio.sleep(0.7)
        await self._switch(random)
        await asyncio.gather(*stalls)

    async def _throttle(self, random: Random) -> None:
        self._proxy.throttled = True
        self._did(Kind.THROTTLE)
        self._talk_much(random)
        await asyncio.sleep(random.uniform(0.5, 3))
        self._proxy.throttled = False

    async def _reset(self, random: Random) -> None:
        ports = self._proxy.ports()
        chosen = set(random.sample(ports, min(len(ports), max(1, len(ports) // 10))))
        for victim in self._members:
            if victim.local_port() in chosen:
                victim.excused = "the network reset it"
        for port in chosen:
            self._proxy.reset(port)
        self._did(Kind.RESET)

    async def _turnover(self, random: Random) -> None:
        random.choice(self._staying()).leave()
        self._invite()
        self._did(Kind.TURNOVER)

    # Strangers

    async def _silent(self, random: Random) -> None:
        """Some stay until the server lets them go, where there is time for it."""
        self._did(Kind.SILENT)
        longest = self._join_timeout + LATE + 0.5
        seconds = longest if self._left() > longest and random.random() < 0.7 else random.uniform(0.2, 2)
        keep_silent = (strangers.keep_silent(self._host.address, seconds) for _ in range(SILENT))
        epoch, hard_times = self._weather.epoch, self._weather.starving
        for closed in await asyncio.gather(*keep_silent):
            if not (hard_times or self._weather.excuse_at_the_door(epoch)):
                self.silences.append(Silence(epoch, closed, seconds))

    async def _garbage(self, random: Random) -> None:
        self._did(Kind.GARBAGE)
        await strangers.talk_garbage(self._host.address, random)

    # Talk

    async def _flood(self, random: Random) -> None:
        flooder = random.choice(self._staying())
        for _ in range(random.randint(15, 60)):
            flooder.say(self._talk.line(flooder.history.name, random))
        self._did(Kind.FLOOD)

    def _talk_much(self, random: Random) -> None:
        """More than the buffers on the way to a narrow connection hold."""
        for speaker in random.sample(self._staying(), min(10, len(self._staying()))):
            for _ in range(10):
                speaker.say(self._talk.long_line(speaker.history.name))

    def _did(self, kind: Kind) -> None:
        self.done[kind] += 1
