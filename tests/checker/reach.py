"""Reach: what the nemesis has a hand on, and what it writes down."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from time import time

from tests.checker.history import Silence
from tests.checker.host import Host
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind
from tests.checker.proxy import Proxy
from tests.checker.talk import Talk
from tests.checker.weather import Weather


@dataclass
class Reach:
    """Everything around. `invite` brings somebody new into `members`, of whom the first is the operator; a silent
    connection has `join_timeout` seconds."""

    host: Host
    weather: Weather
    proxy: Proxy
    members: list[Participant]
    plain: list[PlainParticipant]
    talk: Talk
    invite: Callable[[], None]
    join_timeout: float
    done: Counter[str] = field(default_factory=Counter)
    """What was done, and how often."""
    silences: list[Silence] = field(default_factory=list)
    ends: float = 0.0
    """When the last step is due, on the loop's clock."""

    @property
    def operator(self) -> Participant:
        """Who may switch."""
        return self.members[0]

    def staying(self) -> list[Participant]:
        """Everybody but the operator, and those who have left."""
        return [member for member in self.members[1:] if not member.leaving]

    def left(self) -> float:
        """Seconds until the last step."""
        return self.ends - asyncio.get_running_loop().time()

    def did(self, kind: Kind) -> None:
        """Something was done."""
        self.done[kind] += 1

    @asynccontextmanager
    async def excused(self, victim: Participant | PlainParticipant, why: str) -> AsyncIterator[None]:
        """Its connection may end while this lasts, and a second longer: what came meanwhile, a goodbye perhaps, is
        read only then."""
        victim.excused = why or victim.excused
        yield
        await asyncio.sleep(1)
        if victim.excused == why:
            victim.excused = ""

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """While this lasts, the server, or what it needs to switch, does not run."""
        began = time()
        try:
            yield
        finally:
            self.weather.stops.append((began, time()))
