"""Acts against connections: cuts, stalls, slow networks, resets, turnover, strangers and floods.

Each act is one disturbance with a seed of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.checker import strangers
from tests.checker.history import Silence
from tests.checker.limit_checks import LATE
from tests.checker.participant import Participant
from tests.checker.plan import Kind
from tests.checker.reach import Reach
from tests.checker.waiting import until

LONGEST_STALL = 12.0
"""Seconds: longer than the server waits for a client that reads nothing."""
PATIENT = 8.0
"""Seconds for which the server certainly waits for it."""
BACK_WITHIN = 2.0
"""Seconds for a participant to reconnect before the nemesis goes on without it."""
SILENT = 30
"""Connections that one act opens and that send nothing."""


class ConnectionActs:
    """Each act takes its own random generator and returns when its disturbance is over."""

    def __init__(self, reach: Reach, switch: Callable[[Random], Awaitable[None]]) -> None:
        self._reach, self._switch = reach, switch

    async def cut(self, random: Random) -> None:
        for victim in random.sample(self._reach.staying(), max(1, len(self._reach.members) // 20)):
            line = self._reach.talk.line(victim.history.name, random)
            victim.say_and_cut(line, whole=random.random() < 0.5, reset=random.random() < 0.3)
        if self._reach.plain and random.random() < 0.5:
            random.choice(self._reach.plain).cut("it cut its own connection")
        self._reach.did(Kind.CUT)

    async def stall(self, random: Random) -> None:
        victims = [
            member
            for member in random.sample(self._reach.staying(), max(1, len(self._reach.members) // 20))
            if member.here
        ]
        self._reach.did(Kind.STALL)
        longest = max(2.0, min(LONGEST_STALL, self._reach.left()))
        await asyncio.gather(*(self._stall_one(victim, random.uniform(1, longest)) for victim in victims))

    async def _stall_one(self, victim: Participant, seconds: float) -> None:
        async with self._reach.excused(victim, "it read nothing for a while" if seconds > PATIENT else ""):
            await victim.stop_reading(seconds)

    async def clog(self, random: Random) -> None:
        """Switch while slow members read nothing: a handover carries their unsent output over.

        The slow members reconnect first, as the kernel buffers ten times as much for an older connection.
        """
        victims = [
            member for member in self._reach.staying() if member.slow and member.here and member.reading.is_set()
        ]
        self._reach.did(Kind.CLOG)
        for victim in victims:
            victim.cut("it reconnected", reset=False)
        await asyncio.sleep(0.1)
        await until(lambda: all(victim.here for victim in victims), BACK_WITHIN)
        stalls = [asyncio.create_task(victim.stop_reading(random.uniform(1.5, 3))) for victim in victims]
        self._talk_much(random)
        await asyncio.sleep(0.7)
        await self._switch(random)
        await asyncio.gather(*stalls)

    async def throttle(self, random: Random) -> None:
        self._reach.proxy.throttled = True
        self._reach.did(Kind.THROTTLE)
        self._talk_much(random)
        await asyncio.sleep(random.uniform(0.5, 3))
        self._reach.proxy.throttled = False

    async def reset(self, random: Random) -> None:
        ports = self._reach.proxy.ports()
        chosen = set(random.sample(ports, min(len(ports), max(1, len(ports) // 10))))
        for victim in self._reach.members:
            if victim.local_port() in chosen:
                victim.excused = "the network reset it"
        for port in chosen:
            self._reach.proxy.reset(port)
        self._reach.did(Kind.RESET)

    async def turnover(self, random: Random) -> None:
        random.choice(self._reach.staying()).leave()
        self._reach.invite()
        self._reach.did(Kind.TURNOVER)

    # Strangers

    async def silent(self, random: Random) -> None:
        """Open connections that send nothing; some stay until the server closes them, if time is left."""
        self._reach.did(Kind.SILENT)
        longest = self._reach.join_timeout + LATE + 0.5
        until_closed = self._reach.left() > self._reach.join_timeout and random.random() < 0.7
        seconds = longest if until_closed else random.uniform(0.2, 2)
        keep_silent = (strangers.keep_silent(self._reach.host.address, seconds) for _ in range(SILENT))
        epoch, hard_times = self._reach.weather.epoch, self._reach.weather.starving
        for closed in await asyncio.gather(*keep_silent):
            if not (hard_times or self._reach.weather.excuse_at_the_door(epoch)):
                self._reach.silences.append(Silence(epoch, closed, seconds))

    async def garbage(self, random: Random) -> None:
        self._reach.did(Kind.GARBAGE)
        await strangers.talk_garbage(self._reach.host.address, random)

    # Talk

    async def flood(self, random: Random) -> None:
        flooder = random.choice(self._reach.staying())
        for _ in range(random.randint(15, 60)):
            flooder.say(self._reach.talk.line(flooder.history.name, random))
        self._reach.did(Kind.FLOOD)

    def _talk_much(self, random: Random) -> None:
        """Send more than the buffers on the way to a narrow connection hold."""
        for speaker in random.sample(self._reach.staying(), min(10, len(self._reach.staying()))):
            for _ in range(10):
                speaker.say(self._reach.talk.long_line(speaker.history.name))
