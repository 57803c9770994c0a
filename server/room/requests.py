"""Requests: what a member asks of the room, and how it is answered."""

from msgspec.structs import replace

from protocol.messages import (
    AskStatus,
    Dialect,
    Notice,
    Operator,
    People,
    Ping,
    Pong,
    Refused,
    Rename,
    Said,
    Say,
    Where,
    Who,
)
from protocol.text import counted, size
from server.room.admission import taken
from server.room.member import Member
from server.room.state import RoomState, Seat
from server.session import Item

MOST_LISTED = 20
"""Connections told one by one; the others are counted."""


def answer(room: RoomState, number: int, seat: Seat, member: Member, item: Item, now: float, since: float) -> None:
    """Carry out what a member asks, which came at `now` and may have waited since `since`."""
    match item:
        case Say():
            say(room, number, member, item, now, since)
        case Rename():
            rename(room, number, member, item.nick, now)
        case Who():
            room.tell(number, people(room, seat))
            if item.nameless and member.operator and (words := nameless(room, now)):
                room.tell(number, Notice(words))
        case AskStatus():
            room.tell(number, room.status(seat, room.cost()))
        case Where():
            room.tell(number, Notice(where(room, seat)))
        case Ping():
            room.tell(number, Pong(item.id))
        case Operator():
            if (refused := room.operators.prove(number, member, seat.nonce, item.proof)) is not None:
                room.tell(number, refused)
            answer_proofs(room, now)


def answer_proofs(room: RoomState, now: float) -> None:
    """Answer those who gave a proof of the operators' key, and tell the log."""
    for number, member, result in room.operators.look(now):
        host = room.seats[number].host
        gave = "gave a wrong proof of" if isinstance(result, Refused) else "proved"
        room.journal(f"{member.nick} (connection {number} from {host}) {gave} the operator's key")
        room.tell(number, result)


def say(room: RoomState, number: int, member: Member, asked: Say, now: float, since: float) -> None:
    """Tell everybody a line. The same `id` again gets the first answer again, and nobody else hears of it."""
    if asked.id and (result := member.results.get(asked.id)) is not None:
        kept = room.record.find(result.seq) if isinstance(result, Said) else result
        room.tell(number, kept or replace(result, text=asked.text))
        return
    if (refused := room.moderation.refuse_speech(member, asked.id, now)) is not None:
        room.tell(number, refused)
        if not refused.wait:
            member.remember(asked.id, refused)
        return
    if member.token in room.presence.changed:
        # Nobody speaks before the others know that they are here, and under which name.
        room.tell_presence(now)
    said = Said(room.record.seq + 1, member.nick, asked.text, now, asked.id, asked.action)
    room.broadcast(said, number)
    room.turn.said_at.append(since)
    room.figures.said(len(room.audience))
    member.remember(asked.id, said)


def rename(room: RoomState, number: int, member: Member, nick: str, now: float) -> None:
    """Give a member another nickname, if it is free for it."""
    if (refused := room.moderation.refuse_renaming(member)) is not None:
        room.tell(number, refused)
        return
    if not room.roster.free_for(member, nick):
        room.tell(number, taken(room, nick, room.roster.suggest(nick, room.limits.nick), member))
        return
    if member.token not in room.presence.announced:
        # Who was welcomed under one name must hear that it goes by another.
        room.tell_presence(now)
    room.roster.rename(member, nick)
    room.presence.note(member.token, nick)


def people(room: RoomState, seat: Seat) -> People:
    """The roster. A rich client keeps it by presence events, so it gets the one everybody was told as of `seq`."""
    rich = seat.dialect is Dialect.RICH
    nicks = room.presence.announced.values() if rich else (member.nick for member in room.roster.present())
    return People(room.record.seq, sorted(nicks, key=str.casefold))


def nameless(room: RoomState, now: float) -> str:
    """The connections that have given no nickname yet: ghosts, which can be kicked by their number."""
    found = [(number, seat) for number, seat in room.seats.items() if seat.member is None and not seat.let_go]
    told = [
        f"#{number} from {seat.host} for {max(0.0, now - seat.since):.0f} s" for number, seat in found[:MOST_LISTED]
    ]
    if not told:
        return ""
    others = f", and {len(found) - len(told)} more" if len(found) > len(told) else ""
    return f"{len(found)} without a nickname: {', '.join(told)}{others}"


def where(room: RoomState, seat: Seat) -> str:
    """What serves a member, and what that costs: for it, and for all."""
    cost = room.cost()
    return (
        f"you: {seat.served_by} · {size(cost.memory_each)}; everybody: {counted(len(room.seats), 'connection')} by the "
        f"{room.model} model, {counted(cost.processes, 'process', 'processes')}, {counted(cost.threads, 'thread')}, "
        f"{size(cost.memory)}"
    )
