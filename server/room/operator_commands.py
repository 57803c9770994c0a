"""Operator commands: moderation and control of the room. All actions are announced and logged. See also `faults`."""

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
from server.room.faults import inject_fault
from server.room.moderation import BanRecord, format_minutes
from server.room.roster import Member
from server.room.state import MAX_SHOWN_CHARS, RoomState, Target, announce, find_target, refuse_against_key_holder

MAX_LISTED = 20
"""Bans that are listed one by one; the others are counted."""


def execute(room: RoomState, number: int, operator: Member, command: OperatorCommand, now: float) -> None:
    """Carry out a command, or tell the sender why not."""
    if not operator.operator:
        room.send(number, Refused("not-operator", f"only an operator can do that, and you are {operator.nick}"))
        return
    room.rules_unsaved |= not isinstance(command, Switch | Watch | Bans | Chaos)
    match command:
        case Switch():
            switch_model(room, number, operator, command, now)
        case Watch():
            if command.on and not room.watchers:
                room.stats.rates(now)  # Reset the rates: they have not been read for longer than a second.
            room.seats[number].watches_meter = command.on
        case Lock() | Quiet() | Slow() | Pin():
            change_rules(room, operator, command, now)
        case ClearHistory():
            room.history.clear_lines()
            announce(room, f"{operator.nick} cleared the history: newcomers start with an empty page", now)
        case Close():
            announce(room, f"{operator.nick} closes the room", now)
            room.operators.close(sanitize(command.reason) or f"{operator.nick} closed the room")
        case Chaos():
            inject_fault(room, number, command, now)
        case Bans():
            room.send(number, Notice(list_bans(room, now)))
        case Unban():
            unban(room, number, operator, command, now)
        case Kick() | Ban() | Mute() | Op():
            moderate(room, number, operator, command, now)


def switch_model(room: RoomState, number: int, operator: Member, command: Switch, now: float) -> None:
    """Request another model. The room announces it as soon as it runs."""
    running = None if room.switch_under_way else room.model
    if (refused := room.operators.switch(command.model, running)) is not None:
        room.send(number, refused)
    else:
        room.begin_switch(now)
        announce(room, f"{operator.nick} asks for the {command.model} model", now)


def change_rules(room: RoomState, operator: Member, command: Lock | Quiet | Slow | Pin, now: float) -> None:
    """Change the rules for all members."""
    by = operator.nick
    match command:
        case Lock():
            rules = room.moderation.change(locked=command.on)
            text = f"{by} locked the room: nobody new comes in" if command.on else f"{by} unlocked the room"
        case Quiet():
            rules = room.moderation.change(quiet=command.on)
            quiet = f"{by} asked for quiet: only operators speak"
            text = quiet if command.on else f"{by} ended the quiet: all may speak"
        case Slow():
            rules = room.moderation.change(slow=command.seconds)
            pace = f"{by} slowed the room down: a line every {command.seconds:g} s from each of you"
            text = pace if command.seconds else f"{by} ended slow mode"
        case Pin():
            rules = room.moderation.change(pin=sanitize(command.text).strip())
            text = f"{by} pinned: {rules.pin}" if rules.pin else f"{by} took the pinned line away"
    room.audit_log(text)
    room.broadcast(RulesChanged(room.history.seq + 1, room.timestamp(now), text, rules))


def moderate(room: RoomState, number: int, operator: Member, command: Kick | Ban | Mute | Op, now: float) -> None:
    """Act on one person in the room, or one that has left a short time ago."""
    target = find_target(room, command.nick, now)
    if isinstance(target, Refused):
        if isinstance(command, Mute) and not command.on and room.moderation.unmute_named(command.nick):
            announce(room, f"{operator.nick} unmuted {sanitize(command.nick[:MAX_SHOWN_CHARS])}", now)
            return
        room.send(number, target)
        return
    refused = refuse_against_key_holder(target, operator)
    if refused is None and isinstance(command, Kick | Ban) and target.connection_id == number:
        refused = Refused("yourself", "that is you")
    if refused is None and isinstance(command, Kick | Op) and not target.connection_id:
        refused = Refused("unknown-person", f"{target.name} has left; /ban and /mute still find them")
    if refused is not None:
        room.send(number, refused)
        return
    match command:
        case Kick():
            reason = sanitize(command.reason).strip()
            why = f": {reason}" if reason else ""
            announce(room, f"{operator.nick} kicked {target.name}{why}", now)
            room.disconnect(target.connection_id, Goodbye("kicked", f"{operator.nick} kicked you{why}"))
        case Ban():
            ban(room, number, operator, target, command, now)
        case Mute():
            mute(room, number, operator, target, command, now)
        case Op():
            appoint(room, number, operator, target, command, now)


def appoint(room: RoomState, number: int, operator: Member, target: Target, command: Op, now: float) -> None:
    """Appoint an operator, or end that. A holder of the key stays an operator."""
    member = target.member
    if member is None:
        room.send(number, Refused("unknown-person", f"{target.name} is not in the room yet"))
    elif not command.on and member.holds_key:
        room.send(number, Refused("operator", f"{target.name} holds the room's key, and stays an operator"))
    elif not command.on and not member.operator:
        room.send(number, Refused("unknown-person", f"{target.name} is no operator"))
    else:
        member.operator = command.on
        room.seats[target.connection_id].watches_meter &= command.on
        room.send(target.connection_id, OperatorGranted(command.on))
        made = "made {} an operator" if command.on else "ended that {} is an operator"
        announce(room, f"{operator.nick} {made.format(target.name)}", now)


def mute(room: RoomState, number: int, operator: Member, target: Target, command: Mute, now: float) -> None:
    """Mute or unmute a member; if requested and confirmed, with all others from the same address."""
    member, name, group = target.member, target.name, target.group
    if member is None and not command.address:
        words = f"{name} is not in the room yet: mute its address (/mute #{target.connection_id} address), or kick it"
        room.send(number, Refused("unknown-person", words))
        return
    if not command.on:
        room.moderation.unmute_addresses(group, name)
        if member is not None:
            room.moderation.mute(member.token, on=False)
        announce(room, f"{operator.nick} unmuted {name}", now)
        return
    if member is not None and member.operator:
        room.send(number, Refused("operator", f"{name} is an operator, and operators cannot be muted"))
        return
    if (others := confirmed_others(room, number, target, command)) is None:
        return
    if member is not None:
        room.moderation.mute(member.token, on=True, name=name)
    if command.address:
        room.moderation.mute_address(group, name)
    also = f" and {plural(len(others), 'other')} from the same address" if others else ""
    newcomers = " and all that join from there" if command.address else ""
    announce(room, f"{operator.nick} muted {name}{also}{newcomers}", now)


def ban(room: RoomState, number: int, operator: Member, target: Target, command: Ban, now: float) -> None:
    """Ban a person; if requested and confirmed, with all others from the same address except operators."""
    member, name = target.member, target.name
    if member is None and not command.address:
        by_address = f"/ban #{target.connection_id} address"
        words = f"{name} has no nickname that could be banned: ban its address ({by_address}), or kick it"
        room.send(number, Refused("unknown-person", words))
        return
    if member is not None and member.holds_key:
        room.send(number, Refused("operator", f"{name} holds the room's key, and cannot be banned"))
        return
    if (others := confirmed_others(room, number, target, command)) is None:
        return
    if member is not None:
        member.operator = False  # Otherwise it could join again at once: see `refuse_entry`.
    token, until = member.token if member else "", now + command.minutes * 60
    last_seat = target.connection_id or (member.last_connection_id if member else 0)
    room.moderation.ban(BanRecord(name, last_seat, token, target.group if command.address else "", until), now)
    so_long = format_minutes(command.minutes)
    also = f" and {plural(len(others), 'other')} from the same address" if others else ""
    announce(room, f"{operator.nick} banned {name}{also} for {so_long}", now)
    if target.connection_id:
        room.disconnect(target.connection_id, Goodbye("banned", f"{operator.nick} banned you for {so_long}"))
    for other in others:
        words = f"{operator.nick} banned {name} for {so_long}, and with them all who share your address"
        room.disconnect(other, Goodbye("banned", words))


def confirmed_others(room: RoomState, number: int, target: Target, command: Ban | Mute) -> list[int] | None:
    """The other connections that the command applies to. None if the operator has to confirm the command first."""
    others = others_at_address(room, target) if command.address else []
    if others and not command.sure:
        room.send(number, refuse_unconfirmed(others, target, "ban" if isinstance(command, Ban) else "mute"))
        return None
    return others


def others_at_address(room: RoomState, target: Target) -> list[int]:
    """The other connections from the address of the target, except those of operators."""
    shared = (number for number, seat in room.seats.items() if seat.address_group == target.group)
    return [number for number in shared if number != target.connection_id and not _is_operator(room, number)]


def refuse_unconfirmed(others: list[int], target: Target, verb: str) -> Refused:
    """The refusal of an unconfirmed command that applies to several connections."""
    count = len(others) + bool(target.connection_id)
    share = "connection shares" if count == 1 else "connections share"
    words = f"{count} {share} the address of {target.name}; say it again with 'sure' to {verb} them all"
    return Refused("shared-address", words)


def list_bans(room: RoomState, now: float) -> str:
    """The bans in force, in words, the newest first."""
    active = room.moderation.bans(now)[::-1]
    if not active:
        return "nobody is banned"
    listed = []
    for one in active[:MAX_LISTED]:
        minutes = (one.until - now) / 60
        whence = f" and all from {one.address}" if one.address else ""
        so_long = format_minutes(minutes if minutes < 1 else ceil(minutes))
        listed.append(f"{one.name} (#{one.number}){whence} for another {so_long}")
    more = f"; and {len(active) - len(listed)} more" if len(active) > len(listed) else ""
    return f"{len(active)} banned: {'; '.join(listed)}{more}"


def unban(room: RoomState, number: int, operator: Member, command: Unban, now: float) -> None:
    """Lift a ban."""
    if lifted := room.moderation.unban(command.nick, now):
        announce(room, f"{operator.nick} let {lifted} in again", now)
    else:
        room.send(
            number, Refused("unknown-person", f"nobody called {sanitize(command.nick[:MAX_SHOWN_CHARS])} is banned")
        )


def _is_operator(room: RoomState, number: int) -> bool:
    member = room.seats[number].member
    return member is not None and member.operator
