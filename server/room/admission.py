"""Admission: a new or returning member joins the room."""

from protocol.dialects import DIALECTS
from protocol.messages import Challenge, Goodbye, Hello, Refused, Sequenced, Welcome
from server.room import names
from server.room.history import MAX_REPLAY_BYTES
from server.room.roster import Member
from server.room.state import RoomState, Seat, announce_restored
from server.session_types import DeliveryFlags

MIN_REPLAY_BYTES = 128 * 1024
"""Bytes of history that a welcome may always contain, even if its address group has used up its limit."""


def enter(room: RoomState, number: int, seat: Seat, hello: Hello, now: float) -> None:
    """Let connection `number` join under its nickname or a free one like it, or tell it why it cannot.

    A known token makes it the same member as before, and closes the member's old connection.
    """
    if seat.member is not None:
        room.send(number, Refused("already-joined", f"you are in the room as {seat.member.nick}"))
        return
    seat.dialect = DIALECTS[hello.dialect]
    member = room.roster.find(hello.resume.token) if hello.resume else None
    if (barred := refuse_entry(room, number, seat, member, hello, now)) is not None:
        if hello.operator and not seat.dialect.is_typed and room.operators.has_key:
            seat.challenged_hello = hello
            room.send(number, Challenge(seat.nonce, barred.code, barred.reason))
            return
        room.stats.count_rejected()
        room.send(number, barred, DeliveryFlags.CLOSE)
        return
    nick = hello.nick
    if not room.roster.is_free_for(member, nick):
        nick = room.roster.suggest(nick, room.limits.nick)
        refused = refuse_nickname(room, hello.nick, nick, member)
        if not seat.dialect.is_typed and member is None:
            room.send(number, refused)
            return
    join(room, number, seat, member, nick, hello, now)


def join(room: RoomState, number: int, seat: Seat, member: Member | None, nick: str, hello: Hello, now: float) -> None:
    """Add a member to the room, under a nickname that is free for it, and welcome it. None is a new member."""
    after = hello.resume.after if hello.resume and member and not member.is_restored else None
    if member is None:
        member = Member(room.make_token(), nick, joined_at=now)
    elif not member.connection_id:
        member.joined_at = now
    if seat.has_proved_key:
        member.operator = member.holds_key = True
    known_as = room.presence.announced.get(member.token, nick)
    room.presence.record_change(member.token, nick)
    if nick in room.presence.old_nicks or known_as != nick:
        # Send pending presence first. Clients apply renames by nickname, so a rename of the previous holder of this
        # nickname would be applied to the newcomer. It is also sent if a returning member had another
        # nickname: a rename back to it would cancel the change out, and the member would not be told.
        room.broadcast_presence(now)
    if member.connection_id:
        replace_connection(room, member.connection_id)
    seat.member = member
    came = "is back" if after is not None else "joined"
    room.log_join(f"{nick} {came} (connection {number} from {seat.host})")
    member.is_restored = False
    room.roster.enter(member, nick, number)
    send_welcome(room, number, seat, member, after, hello.nick)
    announce_restored(room, member, now)


def refuse_entry(
    room: RoomState, number: int, seat: Seat, member: Member | None, hello: Hello, now: float
) -> Goodbye | None:
    """The reason why a connection cannot join, or None. An operator always can."""
    if seat.has_proved_key or (member is not None and member.operator):
        return None
    if number in room.reserved:
        return Goodbye("full", "the room is full, and only operators can come in")
    return room.moderation.refuse_entry(member, names.keys(hello.nick), seat.address_group, now)


def refuse_nickname(room: RoomState, asked: str, free: str, member: Member | None = None) -> Refused:
    """The refusal of a nickname that another member than `member` has, or that looks like the nickname of another."""
    holder = room.roster.find_holder(asked, member)
    if holder is None or holder.nick == asked:
        return Refused("nickname-taken", f"{asked} is taken", suggestion=free)
    room.stats.count_code("look-alike")
    return Refused("nickname-taken", f"{asked} looks like {holder.nick}, who is here", suggestion=free)


def replace_connection(room: RoomState, number: int) -> None:
    """Close connection `number`, because its member has returned on another one. The member stays in the room."""
    room.send(number, Goodbye("taken-over", "you are here on another connection now"), DeliveryFlags.CLOSE)
    room.detach_member(number, room.seats[number])


def send_welcome(room: RoomState, number: int, seat: Seat, member: Member, after: int | None, asked: str) -> None:
    """Send the welcome to a new member, or to one that resumes after event `after`. Broadcasts follow from here on."""
    history, missed = replay(room, seat, after)
    room.audience.add(number, seat.dialect)
    event = Welcome(
        you=member.nick,
        token=member.token,
        seq=room.history.seq,
        model=room.model,
        connections=len(room.seats),
        served_by=seat.served_by,
        limits=seat.limits,
        nonce=seat.nonce,
        history=history,
        missed=missed,
        resumed=after is not None,
        asked=asked if asked != member.nick else "",
        motd=room.motd,
        rules=room.moderation.rules,
        operator=member.operator,
        people=len(room.roster),
    )
    room.send(number, event, DeliveryFlags.JOINED)


def replay(room: RoomState, seat: Seat, after: int | None) -> tuple[list[Sequenced], int]:
    """The history in a welcome, and how many events are missing. The newest that fit into the limits are sent."""
    group = seat.address_group
    allowance = int(room.replay_limits.available(group, room.now)) * 1024
    max_bytes = min(MAX_REPLAY_BYTES, max(MIN_REPLAY_BYTES, allowance))
    if after is None:
        missed = 0
        history, size = room.history.recent_lines(seat.dialect, max_bytes)
    else:
        history, missed, size = room.history.events_after(after, max_bytes)
    if max_bytes < MAX_REPLAY_BYTES and missed:
        room.floods.count("resume cut short", group, room.now)
    room.replay_limits.consume(group, room.now, size / 1024)
    return history, missed
