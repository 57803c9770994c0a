"""Nemesis: carries out a plan of disturbances in a running room."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from random import Random

from tests.checker.connection_acts import ConnectionActs
from tests.checker.plan import Kind, Step, covered_at
from tests.checker.server_acts import ServerActs
from tests.checker.targets import Targets


class Nemesis:
    """Carries out each step of a plan."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        server = ServerActs(targets)
        connections = ConnectionActs(targets, server.switch)
        self._acts: dict[Kind, Callable[[Random], Awaitable[None]]] = {
            Kind.SWITCH: server.switch,
            Kind.HURRY: server.hurry,
            Kind.KILL: server.kill_worker,
            Kind.FREEZE: server.freeze_worker,
            Kind.FORKSERVER: server.strike_forkserver,
            Kind.STOP: server.stop_server,
            Kind.STARVE: server.starve,
            Kind.RESTART: lambda random: server.restart(random, signal.SIGTERM),
            Kind.CRASH: lambda random: server.restart(random, signal.SIGKILL),
            Kind.CUT: connections.cut,
            Kind.STALL: connections.stall,
            Kind.CLOG: connections.clog,
            Kind.THROTTLE: connections.throttle,
            Kind.RESET: connections.reset,
            Kind.SILENT: connections.silent,
            Kind.GARBAGE: connections.garbage,
            Kind.FLOOD: connections.flood,
            Kind.TURNOVER: connections.turnover,
        }

    async def run(self, steps: list[Step], times_each: int = 0) -> None:
        """Carry out each step at its time, then wait until all disturbances are over.

        If `times_each` is not 0, a kind that was done so often is skipped, without waiting for the time of its step.
        """
        loop = asyncio.get_running_loop()
        start = loop.time()
        self.targets.end_at = start + covered_at(steps, times_each or len(steps))
        acts: list[asyncio.Task[None]] = []
        skipped_s = previous_at = 0.0
        for step in steps:
            if times_each and self.targets.done[step.kind] >= times_each:
                skipped_s += step.at - previous_at
                previous_at = step.at
                continue
            previous_at = step.at
            await asyncio.sleep(max(0.0, start + step.at - skipped_s - loop.time()))
            if self.targets.conditions.restarting:
                continue  # No server is running.
            acts.append(asyncio.create_task(self.act(step.kind, Random(step.seed))))
        await asyncio.gather(*acts)

    async def act(self, kind: Kind, random: Random) -> None:
        """Carry out one disturbance; returns when it is over."""
        await self._acts[kind](random)
