"""Mutants: servers with one deliberate mistake each, to prove that the checker sees it.

    python -m tests.checker.mutants NAME[+NAME…] [options of the server]

makes the mistakes by patching the code, and runs the real command. Most mistakes happen rarely, as real ones do.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from math import inf

from protocol.dialects import PLAIN
from protocol.messages import Say, Sequenced
from server.room.history import History
from server.room.outbox import Outbox
from server.room.room import Room
from server.room.roster import Member, PendingPresence
from server.session_types import Request
from tests.checker.handover_mutants import HANDOVER_MUTANTS

MISTAKE_INTERVAL = 40
"""A rare mistake is made at one of so many opportunities."""
SAID = b'{"type":"said"'
MAX_FRAME_HEAD = 4
"""Bytes before the event in a WebSocket, for events below 64 KiB."""
Deliveries = Iterator[tuple[int, bytes, int]]
"""The deliveries of an outbox: connection number, bytes, and flags."""


def begins_with_said(data: bytes) -> bool:
    """Whether the first event is a line of a member, also in the frame of a WebSocket."""
    return SAID in data[: len(SAID) + MAX_FRAME_HEAD]


def dropped_line() -> None:
    """Now and then one connection does not get a line that all others get."""
    chances = count(1)

    def told(outbox: Outbox, everything: Deliveries) -> Deliveries:
        for number, data, flags in everything:
            if not flags and begins_with_said(data) and next(chances) % MISTAKE_INTERVAL == 0:
                continue
            yield number, data, flags

    _replace_deliveries(told)


def swapped_lines() -> None:
    """Now and then one connection gets two lines of an outbox in the wrong order."""

    def told(outbox: Outbox, everything: Deliveries) -> Deliveries:
        for number, data, flags in everything:
            lines = data.splitlines(keepends=True)
            if not flags and number % 7 == 0 and len(lines) > 1 and all(map(begins_with_said, lines)):
                lines[0], lines[1] = lines[1], lines[0]
            yield number, b"".join(lines), flags

    _replace_deliveries(told)


def double_on_resume() -> None:
    """A member that resumes gets the last event that it has again. The client library hides that; the wire shows it."""
    original = History.events_after

    def events_after(history: History, after: int, max_bytes: int) -> tuple[list[Sequenced], int, int]:
        return original(history, max(0, after - 1), max_bytes)

    History.events_after = events_after  # type: ignore[method-assign]


def forgotten_answers() -> None:
    """A line that is sent again because the connection broke before its acknowledgement is delivered twice."""
    Member.remember = lambda member, id, result: None  # type: ignore[method-assign]


def lost_plain_line() -> None:
    """Each fifth line in the plain dialect is lost."""
    chances = count(1)
    original = Room.apply

    def apply(room: Room, number: int, item: Request, now: float, since: float = inf) -> None:
        plain = isinstance(item, Say) and room.seats[number].dialect is PLAIN
        if not plain or next(chances) % 5:
            original(room, number, item, now, since)

    Room.apply = apply  # type: ignore[method-assign]


def deaf_plain_members() -> None:
    """Plain clients get no lines of other members."""

    def told(outbox: Outbox, everything: Deliveries) -> Deliveries:
        for number, data, flags in everything:
            plain = not flags and outbox.audience.get(number) is PLAIN
            lines = data.splitlines(keepends=True)
            yield number, b"".join(line for line in lines if line.startswith(b"*** ")) if plain else data, flags

    _replace_deliveries(told)


def no_history() -> None:
    """New members get no history."""
    History.recent_lines = lambda history, dialect, max_bytes: ([], 0)  # type: ignore[method-assign]


def stale_roster() -> None:
    """No member is told of departures. (A rare mistake might hit only members that come back at once.)"""
    original = PendingPresence.record_change

    def record_change(pending: PendingPresence, token: str, nick: str | None) -> None:
        if nick is not None:
            original(pending, token, nick)

    PendingPresence.record_change = record_change  # type: ignore[method-assign]


def _replace_deliveries(told: Callable[[Outbox, Deliveries], Deliveries]) -> None:
    """Replace the deliveries of each outbox by those that `told` returns."""
    original = Outbox.by_recipient

    def by_recipient(outbox: Outbox) -> tuple[list[tuple[bytes, Iterable[int]]], Deliveries]:
        shared, personal = original(outbox)
        return [], told(outbox, chain(((number, data, 0) for data, numbers in shared for number in numbers), personal))

    Outbox.by_recipient = by_recipient  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        dropped_line,
        swapped_lines,
        double_on_resume,
        forgotten_answers,
        stale_roster,
        lost_plain_line,
        deaf_plain_members,
        no_history,
        *HANDOVER_MUTANTS,
    )
}


if __name__ == "__main__":
    for name in sys.argv.pop(1).split("+"):
        MUTANTS[name]()
    from server.cli import main

    main()
