"""Mutants of switches: what a handover may get wrong. See tests.checker.mutants."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from math import inf
from typing import Any

from protocol.messages import Model, Refused
from server import handover
from server.connection import Connection
from server.control import StopEvent
from server.listener import Listener
from server.room.inbox import Inbox
from server.room.operators import Operators


def at_each_handover(mistake: Callable[[Listener, list[Connection]], None]) -> None:
    """Have it made whenever a model takes over."""
    original = handover.run

    def run(
        model: Model, listener: Listener, connections: list[Connection], inbox: Inbox, stop: StopEvent
    ) -> list[Connection]:
        mistake(listener, connections)
        return original(model, listener, connections, inbox, stop)

    handover.run = run  # type: ignore[assignment]


def lost_half_line() -> None:
    """A handover forgets what had come of a line that was not whole."""

    def forget(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            connection.session.lines.data = b""
            connection.session.lines.start = 0

    at_each_handover(forget)


def lost_unsent() -> None:
    """A handover forgets what somebody has not taken yet, but for the line that was begun."""

    def forget(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            unsent = connection.session.unsent
            del unsent[unsent.find(b"\n") + 1 :]

    at_each_handover(forget)


def leak() -> None:
    """Each handover leaves a thread and a descriptor behind."""

    def leave_behind(listener: Listener, connections: list[Connection]) -> None:
        threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
        os.open(os.devnull, os.O_RDONLY)

    at_each_handover(leave_behind)


def new_allowance() -> None:
    """A handover gives everybody a whole burst again."""

    def give(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            connection.session.allowance.tokens = float(connection.session.allowance.burst)

    at_each_handover(give)


def no_deadline() -> None:
    """A handover forgets until when somebody has to say who it is."""

    def forget(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            connection.session.join_by = inf

    at_each_handover(forget)


def refused_newcomers() -> None:
    """A handover closes who waits in the listen queue."""

    def refuse(listener: Listener, connections: list[Connection]) -> None:
        with suppress(OSError):
            while True:
                listener.sources[0].accept()[0].close()

    at_each_handover(refuse)


def slow_switch() -> None:
    """Now and then a model takes its time to take over."""
    chances = count(1)
    at_each_handover(lambda listener, connections: time.sleep(0 if next(chances) % 6 else 2.5))


def ignored_switch() -> None:
    """Once nothing comes of a switch, and nobody says why."""
    chances = count(1)
    original = Operators.switch

    def switch(operators: Operators, *what: Any) -> Refused | None:
        return None if next(chances) == 6 else original(operators, *what)

    Operators.switch = switch  # type: ignore[method-assign]


HANDOVER_MUTANTS: tuple[Callable[[], None], ...] = (
    lost_half_line,
    lost_unsent,
    leak,
    new_allowance,
    no_deadline,
    refused_newcomers,
    slow_switch,
    ignored_switch,
)
