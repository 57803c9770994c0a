"""Nemesis: carries out a plan of disturbances against a running room."""

import asyncio
import resource
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import permutations
from random import Random

from protocol.messages import Model
from tests.checker.host import KEY, Host
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind, Step
from tests.checker.proxy import Proxy
from tests.checker.resets import reset
from tests.checker.talk import Talk
from tests.checker.weather import Weather

LONGEST_STALL = 12.0
"""Seconds: longer than the server has patience with a reader that takes nothing."""
GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: room\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b'{"type":"hello","nick":',
    b'{"type":"say","id":"","text":"' + b"x" * 70_000,
    b"\xff\xfe\x00\x01\n" * 50,
    b"\r\n\r\n\r\n",
    b'{"type":"hello","nick":"' + b"a" * 3000 + b'"}\n' + b"[" * 3000 + b"\n",
    b"x" * 200_000,
)


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
    ) -> None:
        """`invite` brings somebody new into `members`."""
        self.done: Counter[str] = Counter()
        """What was done, and how often."""
        self.switches: Counter[tuple[str, str]] = Counter()
        self.model = ""
        """What runs the room, as far as the operator knows."""
        self._host, self._weather, self._proxy, self._talk = host, weather, proxy, talk
        self._members, self._plain = members, plain
        self._operator = members[0]
        self._invite = invite
        self._acts: dict[Kind, Callable[[Random], Awaitable[None]]] = {
            Kind.SWITCH: self._switch,
            Kind.KILL: self._kill_worker,
            Kind.FREEZE: self._freeze_worker,
            Kind.CUT: self._cut,
            Kind.STALL: self._stall,
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
        acts: list[asyncio.Task[None]] = []
        for step in steps:
            await asyncio.sleep(max(0.0, start + step.at - loop.time()))
            if self._weather.restarting:
                continue  # There is nothing to disturb.
            act = self._acts[step.kind](Random(step.seed))
            acts.append(asyncio.ensure_future(act))
        await asyncio.gather(*acts)

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

    async def _kill_worker(self, random: Random) -> None:
        victim = random.choice(self._staying())
        pid = victim.served_by.removeprefix("process ")
        if victim.here and pid.isdecimal() and self._host.signal_worker(int(pid), signal.SIGKILL):
            victim.excused = "its worker was killed"
            self._did(Kind.KILL)

    async def _freeze_worker(self, random: Random) -> None:
        """Whoever it serves may be let go, if a switch comes meanwhile. Nobody else may notice."""
        victim = random.choice(self._staying())
        pid = victim.served_by.removeprefix("process ")
        if victim.here and pid.isdecimal() and self._host.signal_worker(int(pid), signal.SIGSTOP):
            victim.excused = "its worker was stopped"
            self._did(Kind.FREEZE)
            await asyncio.sleep(random.uniform(0.5, 4))
            self._host.signal_worker(int(pid), signal.SIGCONT)

    async def _stop_server(self, random: Random) -> None:
        self._host.pause()
        self._did(Kind.STOP)
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
        self._host.allow_files(random.randint(1, 40))
        await self._switch(random)
        self._did(Kind.STARVE)
        await asyncio.sleep(random.uniform(0.5, 1.5))
        if not self._weather.restarting:
            self._host.allow_files(None)

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
        await asyncio.gather(*(self._stall_one(victim, random.uniform(1, LONGEST_STALL)) for victim in victims))

    async def _stall_one(self, victim: Participant, seconds: float) -> None:
        victim.excused = why = "it read nothing for a while"
        await victim.stop_reading(seconds)
        await asyncio.sleep(1)  # What came meanwhile, a goodbye perhaps, is read now.
        if victim.excused == why:
            victim.excused = ""

    async def _throttle(self, random: Random) -> None:
        self._proxy.throttled = True
        self._did(Kind.THROTTLE)
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
        await self._stranger(random, b"", 30)
        self._did(Kind.SILENT)

    async def _garbage(self, random: Random) -> None:
        await asyncio.gather(*(self._stranger(random, data, 2) for data in random.sample(GARBAGE, 4)))
        self._did(Kind.GARBAGE)

    async def _stranger(self, random: Random, data: bytes, count: int) -> None:
        """Connect, say that much, read nothing, and after a while reset the connection, or just go."""
        writers = []
        for _ in range(count):
            try:
                _, writer = await asyncio.open_connection(*self._host.address)
            except OSError:
                continue
            writers.append(writer)
            writer.write(data)
        await asyncio.sleep(random.uniform(0.2, 3))
        for writer in writers:
            if random.random() < 0.5:
                reset(writer)
            else:
                writer.close()

    async def _flood(self, random: Random) -> None:
        flooder = random.choice(self._staying())
        for _ in range(random.randint(15, 40)):
            flooder.say(self._talk.line(flooder.history.name, random))
        self._did(Kind.FLOOD)

    def _did(self, kind: Kind) -> None:
        self.done[kind] += 1
