"""Mutants with a mistake in the handover between two models. See tests.checker.mutants."""

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
from tests.checker.switch_checks import MAX_PAUSE_S


def at_each_handover(mistake: Callable[[Listener, list[Connection]], None]) -> None:
    """Make the mistake whenever a model takes over."""
    original = handover.run

    def run(
        model: Model, listener: Listener, connections: list[Connection], inbox: Inbox, stop: StopEvent
    ) -> list[Connection]:
        mistake(listener, connections)
        return original(model, listener, connections, inbox, stop)

    handover.run = run  # type: ignore[assignment]


def lost_half_line() -> None:
    """A handover loses the received part of an incomplete line."""

    def forget(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            connection.session.lines.data = b""
            connection.session.lines.start = 0

    at_each_handover(forget)


def lost_unsent() -> None:
    """A handover loses the unsent output of each connection, except for a line that was begun."""

    def forget(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            unsent = connection.session.unsent
            del unsent[unsent.find(b"\n") + 1 :]

    at_each_handover(forget)


def leak() -> None:
    """Each handover leaks a thread and a file descriptor."""

    def leave_behind(listener: Listener, connections: list[Connection]) -> None:
        threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
        os.open(os.devnull, os.O_RDONLY)

    at_each_handover(leave_behind)


def new_allowance() -> None:
    """A handover refills the token bucket of each connection."""

    def give(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            connection.session.allowance.tokens = float(connection.session.allowance.burst)

    at_each_handover(give)


def no_deadline() -> None:
    """A handover forgets the deadline by which a connection must give a nickname."""

    def forget(listener: Listener, connections: list[Connection]) -> None:
        for connection in connections:
            connection.session.join_by = inf

    at_each_handover(forget)


def refused_newcomers() -> None:
    """A handover closes the connections that wait in the listen queue."""

    def refuse(listener: Listener, connections: list[Connection]) -> None:
        with suppress(OSError):
            while True:
                listener.sources[0].accept()[0].close()

    at_each_handover(refuse)


def slow_switch() -> None:
    """Each sixth handover takes longer than a switch may."""
    chances = count(1)
    at_each_handover(lambda listener, connections: time.sleep(0 if next(chances) % 6 else MAX_PAUSE_S + 0.5))


def ignored_switch() -> None:
    """The sixth request for a switch is ignored without an answer."""
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
