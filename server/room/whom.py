"""Whom: who is meant by an order, how they are called, and telling everybody openly what is done."""

from protocol.messages import Notice, Refused
from protocol.text import harmless
from server.room.state import RoomState

SHOWN = 40
"""Characters of a name that nobody has, in what is answered."""


def find(room: RoomState, nick: str) -> int | Refused:
    """The connection of who is named: a nickname, or `#12` for a connection that may have none. Who was told goodbye is
    not here any more."""
    if nick.startswith("#"):
        number = int(nick[1:]) if nick[1:].isdecimal() and len(nick) < 20 else 0
        seat = room.seats.get(number)
        if seat is not None and not seat.let_go:
            return number
        return Refused("unknown-person", f"there is no connection {harmless(nick[1:SHOWN])}".rstrip())
    member = room.roster.named(nick) if nick else None
    return member.seat if member else Refused("unknown-person", f"nobody here is called {harmless(nick[:SHOWN])}")


def called(room: RoomState, number: int) -> str:
    """What to call a connection: its nickname, if it has one."""
    seat = room.seats.get(number)
    return seat.member.nick if seat and seat.member else f"connection {number}"


def openly(room: RoomState, text: str, now: float) -> None:
    """Tell everybody, and the log."""
    room.journal(text)
    room.broadcast(Notice(text, room.record.seq + 1, now))
