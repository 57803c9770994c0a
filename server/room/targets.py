"""Whom: who is meant by an order, how they are called, and telling everybody announce what is done."""

from itertools import chain

from msgspec import Struct

from protocol.format import plural
from protocol.messages import Notice, Refused
from protocol.sanitize import sanitize
from server.address_groups import address_group
from server.room.member import Member
from server.room.state import RoomState

MAX_SHOWN_CHARS = 40
"""Characters of a name that nobody has, in what is answered."""


def find_connection(room: RoomState, nick: str) -> int | Refused:
    """The connection of who is named: a nickname, or `#12` for a connection that may have none. Who was told goodbye is
    not here any more."""
    if nick.startswith("#"):
        number = int(nick[1:]) if nick[1:].isdecimal() and len(nick) < 20 else 0
        seat = room.seats.get(number)
        if seat is not None and not seat.is_closing:
            return number
        return Refused("unknown-person", f"there is no connection {sanitize(nick[1:MAX_SHOWN_CHARS])}".rstrip())
    member = room.roster.find_holder(nick) if nick else None
    if member is None:
        return Refused("unknown-person", f"nobody here is called {sanitize(nick[:MAX_SHOWN_CHARS])}")
    return member.connection_id


class Target(Struct):
    """The person that an order is about."""

    name: str
    group: str
    """The address group."""
    member: Member | None
    """None for a connection that has given no nickname."""
    connection_id: int = 0
    """The number of the connection; 0 for a member that has left."""


def find_target(room: RoomState, nick: str, now: float) -> Target | Refused:
    """The person of this nickname or connection number, here or gone for up to ten minutes."""
    seat = find_connection(room, nick)
    if not isinstance(seat, Refused):
        place = room.seats[seat]
        return Target(display_name(room, seat), place.address_group, place.member, seat)
    former = room.roster.find_former(nick, now) if nick else None
    return Target(former.nick, address_group(former.host), former) if former else seat


def refuse_against_key_holder(target: Target, operator: Member) -> Refused | None:
    """The refusal of what an appointed operator would do to the holder of the room's key, or None."""
    if target.member is None or not target.member.key_holder or operator.key_holder:
        return None
    return Refused("operator", f"{target.name} holds the room's key, and you were made an operator: you cannot do that")


def display_name(room: RoomState, number: int) -> str:
    """What to call a connection: its nickname, if it has one."""
    seat = room.seats.get(number)
    return seat.member.nick if seat and seat.member else f"connection {number}"


def announce_restored(room: RoomState, member: Member | None, now: float) -> None:
    """Say what holds of an earlier room, once the holder of the key is there to hear it."""
    if not room.is_restored or member is None or not member.key_holder:
        return
    room.is_restored = False
    everybody = chain(room.roster.present(), room.roster.former_members())
    operators = sum(one.operator and not one.key_holder for one in everybody)
    appointed = [plural(operators, "appointed operator")] if operators else []
    if held := [*room.moderation.describe(now), *appointed]:
        announce(room, f"the server was started again, and these rules still hold: {', '.join(held)}", now)


def announce(room: RoomState, text: str, now: float) -> None:
    """Tell everybody, and the log."""
    room.audit_log(text)
    room.broadcast(Notice(text, room.history.seq + 1, room.timestamp(now)))
