"""Targets of commands: finding and naming connections and members, and announcing actions to all members."""

from itertools import chain

from msgspec import Struct

from protocol.format import plural
from protocol.messages import Notice, Refused
from protocol.sanitize import sanitize
from server.address_groups import address_group
from server.room.member import Member
from server.room.state import RoomState

MAX_SHOWN_CHARS = 40
"""Characters of an unknown name that an answer repeats."""


def find_connection(room: RoomState, nick: str) -> int | Refused:
    """The connection with this nickname, or with this number (`#12`), if it is not closing."""
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
    """The person that a command applies to."""

    name: str
    group: str
    """The address group."""
    member: Member | None
    """None for a connection without a nickname."""
    connection_id: int = 0
    """The number of the connection; 0 for a member that has left."""


def find_target(room: RoomState, nick: str, now: float) -> Target | Refused:
    """The person with this nickname or connection number, present or gone for at most ten minutes."""
    seat = find_connection(room, nick)
    if not isinstance(seat, Refused):
        place = room.seats[seat]
        return Target(display_name(room, seat), place.address_group, place.member, seat)
    former = room.roster.find_former(nick, now) if nick else None
    return Target(former.nick, address_group(former.host), former) if former else seat


def refuse_against_key_holder(target: Target, operator: Member) -> Refused | None:
    """The refusal of a command by an appointed operator against a holder of the key, or None."""
    if target.member is None or not target.member.holds_key or operator.holds_key:
        return None
    return Refused("operator", f"{target.name} holds the room's key, and you were made an operator: you cannot do that")


def display_name(room: RoomState, number: int) -> str:
    """The nickname of a connection, or a description if it has none."""
    seat = room.seats.get(number)
    return seat.member.nick if seat and seat.member else f"connection {number}"


def announce_restored(room: RoomState, member: Member | None, now: float) -> None:
    """Announce the restored rules, if `member` is a holder of the key and they have not been announced yet."""
    if not room.is_restored or member is None or not member.holds_key:
        return
    room.is_restored = False
    members = chain(room.roster.present(), room.roster.former_members())
    operators = sum(one.operator and not one.holds_key for one in members)
    appointed = [plural(operators, "appointed operator")] if operators else []
    if held := [*room.moderation.describe(now), *appointed]:
        announce(room, f"the server was started again, and these rules still hold: {', '.join(held)}", now)


def announce(room: RoomState, text: str, now: float) -> None:
    """Send a notice to all members, and log it."""
    room.audit_log(text)
    room.broadcast(Notice(text, room.history.seq + 1, room.timestamp(now)))
