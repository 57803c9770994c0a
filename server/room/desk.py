"""Desk: what operators do to keep order, and to put on the show. Everything is told openly, and written to the log."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from protocol.messages import (
    Ban,
    Chaos,
    ClearHistory,
    Close,
    Goodbye,
    Granted,
    Kick,
    Lock,
    Model,
    Mute,
    Notice,
    Op,
    Order,
    Pin,
    Quiet,
    Refused,
    Ruled,
    Slow,
    Switch,
    Watch,
)
from protocol.text import counted, harmless
from server.chaos import GUEST_STAYS, GUESTS
from server.room.member import Member
from server.session import Mark

if TYPE_CHECKING:
    from server.room.room import Room

FAULTS = ("kill-worker", "raise", "block", *GUESTS)


def obey(room: Room, number: int, operator: Member, order: Order, now: float) -> None:
    """Carry out an order, or tell why not."""
    if not operator.operator:
        room.tell(number, Refused("not-operator", "only an operator can do that"))
        return
    match order:
        case Switch():
            running = None if room.switch_under_way else room.model
            if (refused := room.operators.switch(operator, order.model, running)) is not None:
                room.tell(number, refused)
            else:
                room.switch_under_way = True
        case Watch():
            if order.on and not room.watched:
                room.figures.rates(now)  # What was said while nobody looked is not of the last second.
            room.seats[number].watches = order.on
        case Lock() | Quiet() | Slow() | Pin():
            lay_down(room, operator, order, now)
        case ClearHistory():
            room.record.clear_said()
            openly(room, f"{operator.nick} cleared the history: newcomers start with an empty page", now)
        case Close():
            openly(room, f"{operator.nick} closes the room", now)
            room.operators.close(harmless(order.reason) or f"{operator.nick} closed the room")
        case Chaos():
            wreak(room, number, operator, order, now)
        case Kick() | Ban() | Mute() | Op():
            deal_with(room, number, operator, order, now)


def lay_down(room: Room, operator: Member, order: Lock | Quiet | Slow | Pin, now: float) -> None:
    """Change what holds for everybody."""
    by = operator.nick
    match order:
        case Lock():
            rules = room.moderation.change(locked=order.on)
            text = f"{by} locked the room: nobody new comes in" if order.on else f"{by} unlocked the room"
        case Quiet():
            rules = room.moderation.change(quiet=order.on)
            text = f"{by} asked for quiet: only operators speak" if order.on else f"{by} ended the quiet: all may speak"
        case Slow():
            rules = room.moderation.change(slow=order.seconds)
            pace = f"{by} slowed the room down: a line every {order.seconds:g} s from each of you"
            text = pace if order.seconds else f"{by} ended slow mode"
        case Pin():
            rules = room.moderation.change(pin=harmless(order.text).strip())
            text = f"{by} pinned: {rules.pin}" if rules.pin else f"{by} took the pinned line away"
    room.journal(text)
    room.broadcast(Ruled(room.record.seq + 1, now, text, rules))


def deal_with(room: Room, number: int, operator: Member, order: Kick | Ban | Mute | Op, now: float) -> None:
    """Do something about one person."""
    seat = find(room, order.nick)
    if seat is None:
        room.tell(number, Refused("unknown-person", f"nobody here is called {harmless(order.nick[:40])}"))
        return
    member = room.seats[seat].member
    name = member.nick if member else f"connection {seat}"
    match order:
        case Kick():
            reason = harmless(order.reason).strip()
            openly(room, f"{operator.nick} kicked {name}" + (f": {reason}" if reason else ""), now)
            room.dismiss(seat, Goodbye("kicked", reason or f"{operator.nick} kicked you"))
        case Ban():
            ban(room, number, operator, seat, name, order, now)
        case _ if member is None:
            room.tell(number, Refused("unknown-person", f"connection {seat} is not in the room yet"))
        case Mute() if order.on and member.operator:
            room.tell(number, Refused("operator", f"{name} is an operator, whom nobody can mute"))
        case Mute():
            (room.moderation.muted.add if order.on else room.moderation.muted.discard)(member.token)
            openly(room, f"{operator.nick} {'muted' if order.on else 'unmuted'} {name}", now)
        case Op():
            member.operator = True
            room.tell(seat, Granted())
            openly(room, f"{operator.nick} made {name} an operator", now)


def ban(room: Room, number: int, operator: Member, seat: int, name: str, order: Ban, now: float) -> None:
    """Keep somebody out, and everybody from the same address if asked for and meant."""
    host = room.seats[seat].host if order.address else ""
    struck = [other for other, place in room.seats.items() if host and place.host == host] or [seat]
    if number in struck:
        room.tell(number, Refused("yourself", "that would ban yourself: you have the same address"))
        return
    if len(struck) > 1 and not order.sure:
        words = f"{len(struck)} connections share the address of {name}; say it again with 'sure' to ban them all"
        room.tell(number, Refused("shared-address", words))
        return
    room.moderation.ban(room.seats[seat].member, host, now + order.minutes * 60)
    others = f" and {counted(len(struck) - 1, 'other')} from the same address" if len(struck) > 1 else ""
    openly(room, f"{operator.nick} banned {name}{others} for {counted(order.minutes, 'minute')}", now)
    for other in struck:
        room.dismiss(other, Goodbye("banned", f"{operator.nick} banned you for {counted(order.minutes, 'minute')}"))


def find(room: Room, nick: str) -> int | None:
    """The connection of who is named: a nickname, or `#12` for a connection that may have none. Who was told goodbye is
    not here any more."""
    if nick.startswith("#") and nick[1:].isdecimal() and len(nick) < 20:
        seat = room.seats.get(number := int(nick[1:]))
        return None if seat is None or seat.let_go else number
    member = room.roster.named(nick) if nick else None
    return member.seat if member else None


def openly(room: Room, text: str, now: float) -> None:
    """Tell everybody, and the log."""
    room.journal(text)
    room.broadcast(Notice(text, room.record.seq + 1, now))


def wreak(room: Room, number: int, operator: Member, order: Chaos, now: float) -> None:
    """Break something on purpose. Whom it hurts depends on the model: that is the show."""
    if order.what not in FAULTS:
        room.tell(number, Refused("bad-command", f"chaos is one of {', '.join(FAULTS[:-1])} or {FAULTS[-1]}"))
        return
    if order.what in GUESTS:
        try:
            room.operators.strikes.invite(order.what)
        except OSError as error:
            room.tell(number, Refused("no-guest", f"no guest can come now: {error.strerror}"))
            return
        stays = min(GUEST_STAYS, room.limits.join_timeout) if order.what == "silent" else GUEST_STAYS
        openly(room, f"{operator.nick} lets in a {order.what} guest, which stays for {stays:g} s", now)
        return
    victim = choose(room, number, order)
    if victim is None:
        room.tell(number, Refused("unknown-person", f"nobody here is called {harmless(order.nick[:40])}"))
        return
    seat = room.seats[victim]
    name = seat.member.nick if seat.member else f"connection {victim}"
    match order.what:
        case "kill-worker" if not seat.worker:
            words = f"there is no worker to kill: no process serves {name} alone"
            room.tell(number, Refused("no-worker", words))
        case "kill-worker":
            openly(
                room, f"{operator.nick} kills the worker of {name}, {seat.served_by}: it ends, nobody else does", now
            )
            room.operators.strikes.kill(seat.worker)
        case "raise":
            openly(room, f"{operator.nick} raises an exception in the session of {name}, {seat.served_by}", now)
            room.turn.tell(victim, b"", Mark.FAIL)
        case "block":
            felt = "everybody waits" if room.model is Model.EVENT else "nobody else waits"
            text = f"{operator.nick} blocks {seat.served_by} of {name} for {order.seconds * 1000:.0f} ms: {felt}"
            openly(room, text, now)
            room.turn.tell(victim, b"", Mark.BLOCK | int(order.seconds * 1000) << Mark.SHIFT)


def choose(room: Room, number: int, order: Chaos) -> int | None:
    """Whom chaos strikes: who is named, or anybody but the operator; `block` strikes the operator if nobody is."""
    if order.nick and order.nick != "random":
        return find(room, order.nick)
    if order.what == "block" and not order.nick:
        return number
    others = [other for other, seat in room.seats.items() if seat.member and other != number]
    return random.choice(others) if others else None
