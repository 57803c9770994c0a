"""Requests of members to the room, and the answers."""

from math import ceil

from msgspec.structs import replace

from protocol.format import format_bytes, plural
from protocol.messages import (
    Goodbye,
    Notice,
    Operator,
    People,
    Ping,
    Pong,
    Refused,
    Rename,
    Said,
    Say,
    StatusRequest,
    Where,
    Who,
)
from server.room.admission import enter, refuse_nickname
from server.room.roster import Member
from server.room.state import RoomState, Seat, announce_restored, display_name
from server.session_types import Request

MAX_LISTED = 20
"""Connections that are listed one by one; the others are counted."""
WRONG_PROOFS_LOGGED = 10
"""Wrong proofs from one address in a minute that are logged one by one. Further ones are counted as a flood."""


def execute(room: RoomState, number: int, seat: Seat, member: Member, item: Request, now: float, since: float) -> None:
    """Carry out a request of a member, read at `now`. It may have waited since `since`."""
    match item:
        case Say():
            say(room, number, member, item, now, since)
        case Rename():
            rename(room, number, member, item.nick, now)
        case Who():
            room.send(number, list_people(room, seat))
            if item.nameless and member.operator and (words := list_unnamed(room, now)):
                room.send(number, Notice(words))
        case StatusRequest():
            room.send(number, room.status(seat, room.usage()))
        case Where():
            room.send(number, Notice(describe_server(room, seat)))
        case Ping():
            room.send(number, Pong(item.id))
        case Operator():
            queue_proof(room, number, seat, item, now)


def queue_proof(room: RoomState, number: int, seat: Seat, asked: Operator, now: float) -> None:
    """Queue a proof of the operators' key, from a member or from a challenged connection."""
    refused = room.operators.queue_proof(number, seat.member, seat.nonce, asked.proof, seat.address_group)
    if refused is not None:
        room.send(number, refused)
    answer_proofs(room, now)


def answer_proofs(room: RoomState, now: float) -> None:
    """Answer the proofs that have been checked, and log them."""
    for number, result in room.operators.check_proofs(now):
        seat, wrong = room.seats[number], isinstance(result, Refused)
        if seat.is_closing:
            continue
        if not wrong or not room.floods.count("proof refused", seat.address_group, now, allowed=WRONG_PROOFS_LOGGED):
            gave = "gave a wrong proof of" if wrong else "proved"
            peer = f"{display_name(room, number)} (connection {number} from {seat.host})"
            room.audit_log(f"{peer} {gave} the operator's key")
        challenged, seat.challenged_hello = seat.challenged_hello, None
        if challenged is None:
            room.send(number, result)
            announce_restored(room, seat.member, now)
        elif wrong:
            room.send(number, result)
            room.disconnect(number, Goodbye("wrong-proof", "that proof is wrong, and you cannot come in without it"))
        else:
            seat.has_proved_key = True
            enter(room, number, seat, challenged, now)


def say(room: RoomState, number: int, member: Member, asked: Say, now: float, since: float) -> None:
    """Send a line to all members. A repeated `id` only gets its first answer again."""
    if asked.id and (result := member.results.get(asked.id)) is not None:
        kept = room.history.find_event(result.seq) if isinstance(result, Said) else result
        room.send(number, kept or replace(result, text=asked.text))
        return
    if (refused := room.moderation.refuse_speech(member, asked.id, now, room.seats[number].address_group)) is not None:
        room.send(number, refused)
        if not refused.wait:
            member.remember(asked.id, refused)
        return
    if wait := room.line_limits.consume(member, room.seats[number].address_group, now):
        room.floods.count("line not said", room.seats[number].address_group, now)
        words = f"many lines come from your address: your next one in {ceil(wait)} s; this one was not said"
        room.send(number, Refused("slow-mode", words, asked.id, wait=wait))
        return
    if member.token in room.presence.changed:
        # The other members must know the sender and its nickname before its line.
        room.broadcast_presence(now)
    at = room.timestamp(now)
    said = Said(room.history.seq + 1, member.nick, asked.text, at, asked.id, asked.action)
    room.broadcast(said, number)
    room.outbox.said_at.append(since)
    room.stats.count_line(len(room.audience))
    member.remember(asked.id, said)


def rename(room: RoomState, number: int, member: Member, nick: str, now: float) -> None:
    """Change the nickname of a member, if the new one is free."""
    if (refused := room.moderation.refuse_renaming(member, room.seats[number].address_group)) is not None:
        room.send(number, refused)
        return
    if wait := room.line_limits.consume(member, room.seats[number].address_group, now):
        words = f"many lines come from your address: your nickname can change in {ceil(wait)} s"
        room.send(number, Refused("slow-mode", words, wait=wait))
        return
    if not room.roster.is_free_for(member, nick):
        room.send(number, refuse_nickname(room, nick, room.roster.suggest(nick, room.limits.nick), member))
        return
    if member.token not in room.presence.announced:
        # The member joined under its old nickname. Announce that first, so that it is told of the rename.
        room.broadcast_presence(now)
    room.roster.rename(member, nick)
    room.presence.record_change(member.token, nick)


def list_people(room: RoomState, seat: Seat) -> People:
    """The roster. A client that follows presence events gets the announced roster as of `seq`."""
    present = (member.nick for member in room.roster.present())
    nicks = room.presence.announced.values() if seat.dialect.tracks_room else present
    return People(room.history.seq, sorted(nicks, key=str.casefold))


def greeting(room: RoomState) -> str:
    """The greeting for a connection that has sent nothing yet."""
    count = len(room.roster)
    here = f"{plural(count, 'person is', 'people are')} here" if count else "nobody is here yet"
    return f"this is a chat room, and {here}\ntype a nickname and press Enter; /help lists the commands, /quit leaves"


def list_unnamed(room: RoomState, now: float) -> str:
    """The connections without a nickname, in words. They can be kicked by their numbers."""
    found = [(number, seat) for number, seat in room.seats.items() if seat.member is None and not seat.is_closing]
    listed = [
        f"#{number} from {seat.host} for {max(0.0, now - seat.since):.0f} s" for number, seat in found[:MAX_LISTED]
    ]
    if not listed:
        return ""
    others = f", and {len(found) - len(listed)} more" if len(found) > len(listed) else ""
    return f"{len(found)} without a nickname: {', '.join(listed)}{others}"


def describe_server(room: RoomState, seat: Seat) -> str:
    """The code that serves a member, and its resources: for this member, and for all."""
    usage = room.usage()
    return (
        f"you: {seat.served_by} · {format_bytes(usage.memory_each)}; "
        f"everybody: {plural(len(room.seats), 'connection')} by the {room.model} model, "
        f"{plural(usage.processes, 'process', 'processes')}, {plural(usage.threads, 'thread')}, "
        f"{format_bytes(usage.memory)}"
    )
