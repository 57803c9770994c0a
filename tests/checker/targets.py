"""Targets: all that the nemesis can disturb, and its records."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from time import time

from tests.checker.conditions import Conditions
from tests.checker.history import SilentConnection
from tests.checker.host import Host
from tests.checker.participant import Participant
from tests.checker.plain_participant import PlainParticipant
from tests.checker.plan import Kind
from tests.checker.proxy import Proxy
from tests.checker.talk import Talk


@dataclass
class Targets:
    """The parts of a run. `add_member` adds a member to `members`, of which the first is the operator.

    A connection must give a nickname within `join_timeout` seconds.
    """

    host: Host
    conditions: Conditions
    proxy: Proxy
    members: list[Participant]
    plain: list[PlainParticipant]
    talk: Talk
    add_member: Callable[[], None]
    join_timeout: float
    done: Counter[str] = field(default_factory=Counter)
    """The number of disturbances of each kind."""
    silent_connections: list[SilentConnection] = field(default_factory=list)
    end_at: float = 0.0
    """The time of the last step, on the clock of the event loop."""

    @property
    def operator(self) -> Participant:
        """The member that may switch the model."""
        return self.members[0]

    def staying_members(self) -> list[Participant]:
        """Return the members without the operator and those that have left."""
        return [member for member in self.members[1:] if not member.is_leaving]

    def remaining_s(self) -> float:
        """Return the seconds until the last step."""
        return self.end_at - asyncio.get_running_loop().time()

    def count(self, kind: Kind) -> None:
        """Count a disturbance."""
        self.done[kind] += 1

    @asynccontextmanager
    async def may_end(self, victim: Participant | PlainParticipant, why: str) -> AsyncIterator[None]:
        """The connection may end in this context and within a second after it, in which it reads a pending goodbye."""
        victim.end_cause = why or victim.end_cause
        yield
        await asyncio.sleep(1)
        if victim.end_cause == why:
            victim.end_cause = ""

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Record that the server or its fork server is stopped in this context."""
        began = time()
        try:
            yield
        finally:
            self.conditions.stops.append((began, time()))
