"""Desk: what operators do to keep order. Everything is told openly, and written to the log. Chaos is in `chaos`."""

from protocol.messages import (
    Ban,
    Chaos,
    ClearHistory,
    Close,
    Goodbye,
    Granted,
    Kick,
    Lock,
    Mute,
    Op,
    Order,
    Pin,
    Quiet,
    Refused,
    Ruled,
    Slow,
    Switch,
    Unban,
    Watch,
)
from protocol.text import counted, harmless
from server.room.chaos import wreak
from server.room.member import Member
from server.room.moderation import Ruling, lasting
from server.room.state import RoomState
from server.room.whom import called, find, openly


def obey(room: RoomState, number: int, operator: Member, order: Order, now: float) -> None:
    """Carry out an order, or tell why not."""
    if not operator.operator:
        room.tell(number, Refused("not-operator", f"only an operator can do that, and you are {operator.nick}"))
        return
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
            room.operators.close(harmless(order.reason) or f"{operator.nick} closed the room")
        case Chaos():
            wreak(room, number, order, now)
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
            rules = room.moderation.change(pin=harmless(order.text).strip())
            text = f"{by} pinned: {rules.pin}" if rules.pin else f"{by} took the pinned line away"
    room.journal(text)
    room.broadcast(Ruled(room.record.seq + 1, now, text, rules))


def deal_with(room: RoomState, number: int, operator: Member, order: Kick | Ban | Mute | Op, now: float) -> None:
    """Do something about one person."""
    seat = find(room, order.nick)
    if isinstance(seat, Refused):
        room.tell(number, seat)
        return
    member, name = room.seats[seat].member, called(room, seat)
    match order:
        case Kick() | Ban() if seat == number:
            room.tell(number, Refused("yourself", "that is you"))
        case Kick():
            reason = harmless(order.reason).strip()
            why = f": {reason}" if reason else ""
            openly(room, f"{operator.nick} kicked {name}{why}", now)
            room.dismiss(seat, Goodbye("kicked", f"{operator.nick} kicked you{why}"))
        case Ban():
            ban(room, number, operator, seat, order, now)
        case _ if member is None:
            room.tell(number, Refused("unknown-person", f"{name} is not in the room yet"))
        case Mute() if order.on and member.operator:
            room.tell(number, Refused("operator", f"{name} is an operator, whom nobody can mute"))
        case Mute():
            room.moderation.mute(member.token, on=order.on)
            openly(room, f"{operator.nick} {'muted' if order.on else 'unmuted'} {name}", now)
        case Op():
            member.operator = True
            room.tell(seat, Granted())
            openly(room, f"{operator.nick} made {name} an operator", now)


def ban(room: RoomState, number: int, operator: Member, seat: int, order: Ban, now: float) -> None:
    """Keep somebody out, and everybody from the same address if asked for and meant. Operators from there stay."""
    member, group, name = room.seats[seat].member, room.seats[seat].address_group, called(room, seat)
    if member is None and not order.address:
        words = f"{name} has no nickname that could be banned: ban its address (/ban #{seat} address), or kick it"
        room.tell(number, Refused("unknown-person", words))
        return
    if member is not None and member.key_holder:
        room.tell(number, Refused("operator", f"{name} holds the room's key, and nobody can ban that"))
        return
    shared = [other for other, place in room.seats.items() if order.address and place.address_group == group]
    others = [other for other in shared if other != seat and not _is_operator(room, other)]
    if others and not order.sure:
        words = f"{len(others) + 1} connections share the address of {name}; say it again with 'sure' to ban them all"
        room.tell(number, Refused("shared-address", words))
        return
    if member is not None:
        member.operator = False  # Else it could come back at once: see Admission.
    token, until = member.token if member else "", now + order.minutes * 60
    ruling = Ruling(name, seat, token, group if order.address else "", until)
    room.moderation.ban(ruling, now)
    so_long = lasting(order.minutes)
    also = f" and {counted(len(others), 'other')} from the same address" if others else ""
    openly(room, f"{operator.nick} banned {name}{also} for {so_long}", now)
    room.dismiss(seat, Goodbye("banned", f"{operator.nick} banned you for {so_long}"))
    for other in others:
        words = f"{operator.nick} banned {name} for {so_long}, and with them all who share your address"
        room.dismiss(other, Goodbye("banned", words))


def unban(room: RoomState, number: int, operator: Member, order: Unban, now: float) -> None:
    """Let somebody in again."""
    if lifted := room.moderation.unban(order.nick, now):
        openly(room, f"{operator.nick} let {lifted} in again", now)
    else:
        room.tell(number, Refused("unknown-person", f"nobody called {harmless(order.nick[:40])} is banned"))


def _is_operator(room: RoomState, number: int) -> bool:
    member = room.seats[number].member
    return member is not None and member.operator
