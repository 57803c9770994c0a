"""Acts against connections: cuts, stalls, slow networks, resets, turnover, strangers and floods.

Each act is one disturbance with a seed of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.checker import strangers
from tests.checker.history import SilentConnection
from tests.checker.limit_checks import MAX_LATE_S
from tests.checker.participant import Participant
from tests.checker.plan import Kind
from tests.checker.targets import Targets
from tests.checker.waiting import until

MAX_STALL_S = 12.0
"""Seconds: longer than the server waits for a client that reads nothing."""
SAFE_STALL_S = 8.0
"""Seconds for which the server certainly waits for it."""
RECONNECT_TIMEOUT_S = 2.0
"""Seconds for a participant to reconnect before the nemesis goes on without it."""
SILENT = 30
"""Connections that one act opens and that send nothing."""


class ConnectionActs:
    """Each act takes its own random generator and returns when its disturbance is over."""

    def __init__(self, targets: Targets, switch: Callable[[Random], Awaitable[None]]) -> None:
        self._targets, self._switch = targets, switch

    async def cut(self, random: Random) -> None:
        for victim in random.sample(self._targets.staying_members(), max(1, len(self._targets.members) // 20)):
            line = self._targets.talk.line(victim.history.name, random)
            victim.say_and_cut(line, whole=random.random() < 0.5, reset=random.random() < 0.3)
        if self._targets.plain and random.random() < 0.5:
            random.choice(self._targets.plain).cut("it cut its own connection")
        self._targets.count(Kind.CUT)

    async def stall(self, random: Random) -> None:
        victims = [
            member
            for member in random.sample(self._targets.staying_members(), max(1, len(self._targets.members) // 20))
            if member.is_in_room
        ]
        self._targets.count(Kind.STALL)
        longest = max(2.0, min(MAX_STALL_S, self._targets.remaining_s()))
        await asyncio.gather(*(self._stall_one(victim, random.uniform(1, longest)) for victim in victims))

    async def _stall_one(self, victim: Participant, seconds: float) -> None:
        async with self._targets.may_end(victim, "it read nothing for a while" if seconds > SAFE_STALL_S else ""):
            await victim.stop_reading(seconds)

    async def clog(self, random: Random) -> None:
        """Switch while slow members read nothing: a handover carries their unsent output over.

        The slow members reconnect first, as the kernel buffers ten times as much for an older connection.
        """
        victims = [
            member
            for member in self._targets.staying_members()
            if member.slow and member.is_in_room and member.reading.is_set()
        ]
        self._targets.count(Kind.CLOG)
        for victim in victims:
            victim.cut("it reconnected", reset=False)
        await asyncio.sleep(0.1)
        await until(lambda: all(victim.is_in_room for victim in victims), RECONNECT_TIMEOUT_S)
        stalls = [asyncio.create_task(victim.stop_reading(random.uniform(1.5, 3))) for victim in victims]
        self._talk_much(random)
        await asyncio.sleep(0.7)
        await self._switch(random)
        await asyncio.gather(*stalls)

    async def throttle(self, random: Random) -> None:
        self._targets.proxy.throttled = True
        self._targets.count(Kind.THROTTLE)
        self._talk_much(random)
        await asyncio.sleep(random.uniform(0.5, 3))
        self._targets.proxy.throttled = False

    async def reset(self, random: Random) -> None:
        ports = self._targets.proxy.ports()
        chosen = set(random.sample(ports, min(len(ports), max(1, len(ports) // 10))))
        for victim in self._targets.members:
            if victim.local_port() in chosen:
                victim.end_cause = "the network reset it"
        for port in chosen:
            self._targets.proxy.reset(port)
        self._targets.count(Kind.RESET)

    async def turnover(self, random: Random) -> None:
        random.choice(self._targets.staying_members()).leave()
        self._targets.add_member()
        self._targets.count(Kind.TURNOVER)

    # Strangers

    async def silent(self, random: Random) -> None:
        """Open connections that send nothing; some stay until the server closes them, if time is left."""
        self._targets.count(Kind.SILENT)
        longest = self._targets.join_timeout + MAX_LATE_S + 0.5
        until_closed = self._targets.remaining_s() > self._targets.join_timeout and random.random() < 0.7
        seconds = longest if until_closed else random.uniform(0.2, 2)
        keep_silent = (strangers.keep_silent(self._targets.host.address, seconds) for _ in range(SILENT))
        epoch, hard_times = self._targets.conditions.epoch, self._targets.conditions.starving
        for closed in await asyncio.gather(*keep_silent):
            if not (hard_times or self._targets.conditions.explain_rejection(epoch)):
                self._targets.silent_connections.append(SilentConnection(epoch, closed, seconds))

    async def garbage(self, random: Random) -> None:
        self._targets.count(Kind.GARBAGE)
        await strangers.talk_garbage(self._targets.host.address, random)

    # Talk

    async def flood(self, random: Random) -> None:
        flooder = random.choice(self._targets.staying_members())
        for _ in range(random.randint(15, 60)):
            flooder.say(self._targets.talk.line(flooder.history.name, random))
        self._targets.count(Kind.FLOOD)

    def _talk_much(self, random: Random) -> None:
        """Send more than the buffers on the way to a narrow connection hold."""
        for speaker in random.sample(self._targets.staying_members(), min(10, len(self._targets.staying_members()))):
            for _ in range(10):
                speaker.say(self._targets.talk.long_line(speaker.history.name))
