"""Requests: what a member asks of the room, and how it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from protocol.messages import AskStatus, Dialect, Notice, Operator, People, Ping, Pong, Rename, Said, Say, Where, Who
from server.room.admission import taken
from server.room.member import Member

if TYPE_CHECKING:
    from server.room.room import Room, Seat
    from server.session import Item


def answer(room: Room, number: int, seat: Seat, member: Member, item: Item, now: float) -> None:
    """Carry out what a member asks."""
    match item:
        case Say():
            say(room, number, member, item, now)
        case Rename():
            rename(room, number, member, item.nick, now)
        case Who():
            room.tell(number, people(room, seat))
        case AskStatus():
            room.tell(number, room.status(seat, room.cost()))
        case Where():
            room.tell(number, Notice(where(room, seat)))
        case Ping():
            room.tell(number, Pong(item.id))
        case Operator():
            room.tell(number, room.operators.prove(member, seat.nonce, item.proof, now))


def say(room: Room, number: int, member: Member, asked: Say, now: float) -> None:
    """Tell everybody a line. The same `id` again gets the first answer again, and nobody else hears of it."""
    if asked.id and (result := member.results.get(asked.id)) is not None:
        kept = room.record.find(result.seq) if isinstance(result, Said) else result
        room.tell(number, kept or replace(result, text=asked.text))
        return
    if (refused := room.moderation.hush(member, asked.id, now)) is not None:
        room.tell(number, refused)
        if not refused.wait:
            member.remember(asked.id, refused)
        return
    if member.token in room.gathered.changed:
        # Nobody speaks before the others know that they are here, and under which name.
        room.tell_presence(now)
    said = Said(room.record.seq + 1, member.nick, asked.text, now, asked.id, asked.action)
    room.broadcast(said, number)
    room.turn.said_at.append(now)
    room.figures.said(len(room.audience))
    member.remember(asked.id, said)


def rename(room: Room, number: int, member: Member, nick: str, now: float) -> None:
    """Give a member another nickname, if it is free for it."""
    if not room.roster.free_for(member, nick):
        room.tell(number, taken(room, nick, room.roster.suggest(nick, room.limits.nick), member))
        return
    if member.token not in room.gathered.announced:
        # Who was welcomed under one name must hear that it goes by another.
        room.tell_presence(now)
    room.roster.rename(member, nick)
    room.gathered.note(member.token, nick)


def people(room: Room, seat: Seat) -> People:
    """The roster. A rich client keeps it by presence events, so it gets the one everybody was told as of `seq`."""
    rich = seat.dialect is Dialect.RICH
    nicks = room.gathered.announced.values() if rich else (member.nick for member in room.roster.present())
    return People(room.record.seq, sorted(nicks, key=str.casefold))


def where(room: Room, seat: Seat) -> str:
    """What serves a member, and what that costs: for it, and for all."""
    cost = room.cost()
    size = f"{cost.memory_each / 1024:.0f} KiB"
    count = len(room.seats)
    return (
        f"you: {seat.served_by} · {size}; everybody: {count} connection{'s' * (count != 1)} by the {room.model} model, "
        f"{cost.processes} process{'es' * (cost.processes != 1)}, {cost.threads} thread{'s' * (cost.threads != 1)}, "
        f"{cost.memory / 2**20:.1f} MiB"
    )
