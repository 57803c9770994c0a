"""Desk: what operators do to keep order. Everything is told openly, and written to the log. Chaos is in `chaos`."""

from math import ceil

from protocol.format import plural
from protocol.messages import (
    Ban,
    Bans,
    Chaos,
    ClearHistory,
    Close,
    Goodbye,
    Kick,
    Lock,
    Mute,
    Notice,
    Op,
    OperatorCommand,
    OperatorGranted,
    Pin,
    Quiet,
    Refused,
    RulesChanged,
    Slow,
    Switch,
    Unban,
    Watch,
)
from protocol.sanitize import sanitize
from server.room.faults import wreak
from server.room.member import Member
from server.room.moderation import BanRecord, lasting
from server.room.state import RoomState
from server.room.targets import SHOWN, Target, find_target, openly, refuse_against_key_holder

MOST_LISTED = 20
"""Bans told one by one; the others are counted."""


def obey(room: RoomState, number: int, operator: Member, order: OperatorCommand, now: float) -> None:
    """Carry out an order, or tell why not."""
    if not operator.operator:
        room.tell(number, Refused("not-operator", f"only an operator can do that, and you are {operator.nick}"))
        return
    room.orders_unsaved |= not isinstance(order, Switch | Watch | Bans | Chaos)
    match order:
        case Switch():
            switch(room, number, operator, order, now)
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
            room.operators.close(sanitize(order.reason) or f"{operator.nick} closed the room")
        case Chaos():
            wreak(room, number, order, now)
        case Bans():
            room.tell(number, Notice(bans(room, now)))
        case Unban():
            unban(room, number, operator, order, now)
        case Kick() | Ban() | Mute() | Op():
            deal_with(room, number, operator, order, now)


def switch(room: RoomState, number: int, operator: Member, order: Switch, now: float) -> None:
    """Ask for another model. That it runs is told once it does."""
    running = None if room.switch_under_way else room.model
    if (refused := room.operators.switch(order.model, running)) is not None:
        room.tell(number, refused)
    else:
        room.begin_switch(now)
        openly(room, f"{operator.nick} asks for the {order.model} model", now)


def lay_down(room: RoomState, operator: Member, order: Lock | Quiet | Slow | Pin, now: float) -> None:
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
            rules = room.moderation.change(pin=sanitize(order.text).strip())
            text = f"{by} pinned: {rules.pin}" if rules.pin else f"{by} took the pinned line away"
    room.journal(text)
    room.broadcast(RulesChanged(room.record.seq + 1, room.timestamp(now), text, rules))


def deal_with(room: RoomState, number: int, operator: Member, order: Kick | Ban | Mute | Op, now: float) -> None:
    """Do something about one person, who is here or has left a moment ago."""
    target = find_target(room, order.nick, now)
    if isinstance(target, Refused):
        if isinstance(order, Mute) and not order.on and room.moderation.unmute_named(order.nick):
            openly(room, f"{operator.nick} unmuted {sanitize(order.nick[:SHOWN])}", now)
            return
        room.tell(number, target)
        return
    refused = refuse_against_key_holder(target, operator)
    if refused is None and isinstance(order, Kick | Ban) and target.seat == number:
        refused = Refused("yourself", "that is you")
    if refused is None and isinstance(order, Kick | Op) and not target.seat:
        refused = Refused("unknown-person", f"{target.name} has left; /ban and /mute still find them")
    if refused is not None:
        room.tell(number, refused)
        return
    match order:
        case Kick():
            reason = sanitize(order.reason).strip()
            why = f": {reason}" if reason else ""
            openly(room, f"{operator.nick} kicked {target.name}{why}", now)
            room.dismiss(target.seat, Goodbye("kicked", f"{operator.nick} kicked you{why}"))
        case Ban():
            ban(room, number, operator, target, order, now)
        case Mute():
            mute(room, number, operator, target, order, now)
        case Op():
            appoint(room, number, operator, target, order, now)


def appoint(room: RoomState, number: int, operator: Member, target: Target, order: Op, now: float) -> None:
    """Make somebody an operator, or end that. The holder of the key stays one."""
    member = target.member
    if member is None:
        room.tell(number, Refused("unknown-person", f"{target.name} is not in the room yet"))
    elif not order.on and member.key_holder:
        room.tell(number, Refused("operator", f"{target.name} holds the room's key, and stays an operator"))
    elif not order.on and not member.operator:
        room.tell(number, Refused("unknown-person", f"{target.name} is no operator"))
    else:
        member.operator = order.on
        room.seats[target.seat].watches &= order.on
        room.tell(target.seat, OperatorGranted(order.on))
        made = "made {} an operator" if order.on else "ended that {} is an operator"
        openly(room, f"{operator.nick} {made.format(target.name)}", now)


def mute(room: RoomState, number: int, operator: Member, target: Target, order: Mute, now: float) -> None:
    """Have nobody hear somebody, or everybody from the same address if asked for and meant; or end that."""
    member, name, group = target.member, target.name, target.group
    if member is None and not order.address:
        words = f"{name} is not in the room yet: mute its address (/mute #{target.seat} address), or kick it"
        room.tell(number, Refused("unknown-person", words))
        return
    if not order.on:
        room.moderation.unmute_addresses(group, name)
        if member is not None:
            room.moderation.mute(member.token, on=False)
        openly(room, f"{operator.nick} unmuted {name}", now)
        return
    if member is not None and member.operator:
        room.tell(number, Refused("operator", f"{name} is an operator, whom nobody can mute"))
        return
    if (others := others_meant(room, number, target, order)) is None:
        return
    if member is not None:
        room.moderation.mute(member.token, on=True, name=name)
    if order.address:
        room.moderation.mute_address(group, name)
    also = f" and {plural(len(others), 'other')} from the same address" if others else ""
    newcomers = " and whoever joins from there" if order.address else ""
    openly(room, f"{operator.nick} muted {name}{also}{newcomers}", now)


def ban(room: RoomState, number: int, operator: Member, target: Target, order: Ban, now: float) -> None:
    """Keep somebody out, and everybody from the same address if asked for and meant. Operators from there stay."""
    member, name = target.member, target.name
    if member is None and not order.address:
        words = (
            f"{name} has no nickname that could be banned: ban its address (/ban #{target.seat} address), or kick it"
        )
        room.tell(number, Refused("unknown-person", words))
        return
    if member is not None and member.key_holder:
        room.tell(number, Refused("operator", f"{name} holds the room's key, and nobody can ban that"))
        return
    if (others := others_meant(room, number, target, order)) is None:
        return
    if member is not None:
        member.operator = False  # Else it could come back at once: see Admission.
    token, until = member.token if member else "", now + order.minutes * 60
    last_seat = target.seat or (member.last_seat if member else 0)
    room.moderation.ban(BanRecord(name, last_seat, token, target.group if order.address else "", until), now)
    so_long = lasting(order.minutes)
    also = f" and {plural(len(others), 'other')} from the same address" if others else ""
    openly(room, f"{operator.nick} banned {name}{also} for {so_long}", now)
    if target.seat:
        room.dismiss(target.seat, Goodbye("banned", f"{operator.nick} banned you for {so_long}"))
    for other in others:
        words = f"{operator.nick} banned {name} for {so_long}, and with them all who share your address"
        room.dismiss(other, Goodbye("banned", words))


def others_meant(room: RoomState, number: int, target: Target, order: Ban | Mute) -> list[int] | None:
    """The other connections that the order is about as well. None where the operator is asked first whether it is."""
    others = others_at(room, target) if order.address else []
    if others and not order.sure:
        room.tell(number, shared_address(others, target, "ban" if isinstance(order, Ban) else "mute"))
        return None
    return others


def others_at(room: RoomState, target: Target) -> list[int]:
    """The other connections from the address of somebody, without the operators'."""
    shared = (number for number, seat in room.seats.items() if seat.address_group == target.group)
    return [number for number in shared if number != target.seat and not _is_operator(room, number)]


def shared_address(others: list[int], target: Target, verb: str) -> Refused:
    """The refusal of an order that several would feel, unless it says that this is meant."""
    count = len(others) + bool(target.seat)
    share = "connection shares" if count == 1 else "connections share"
    words = f"{count} {share} the address of {target.name}; say it again with 'sure' to {verb} them all"
    return Refused("shared-address", words)


def bans(room: RoomState, now: float) -> str:
    """The bans that hold, the newest first."""
    holding = room.moderation.bans(now)[::-1]
    if not holding:
        return "nobody is banned"
    told = []
    for one in holding[:MOST_LISTED]:
        minutes = (one.until - now) / 60
        whence = f" and all from {one.address}" if one.address else ""
        told.append(
            f"{one.name} (#{one.number}){whence} for another {lasting(minutes if minutes < 1 else ceil(minutes))}"
        )
    more = f"; and {len(holding) - len(told)} more" if len(holding) > len(told) else ""
    return f"{len(holding)} banned: {'; '.join(told)}{more}"


def unban(room: RoomState, number: int, operator: Member, order: Unban, now: float) -> None:
    """Let somebody in again."""
    if lifted := room.moderation.unban(order.nick, now):
        openly(room, f"{operator.nick} let {lifted} in again", now)
    else:
        room.tell(number, Refused("unknown-person", f"nobody called {sanitize(order.nick[:40])} is banned"))


def _is_operator(room: RoomState, number: int) -> bool:
    member = room.seats[number].member
    return member is not None and member.operator
