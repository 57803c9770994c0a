"""Restart: the state that a room restores after its server has died. Pure.

The state has the rules, the bans, the mutes, and the members with their tokens. So a member that was muted, banned or
appointed an operator still is, and a locked room lets its former members in. Lines are not saved. The holder of the
operators' key has to prove it again.
"""

from collections.abc import Callable
from itertools import chain

import msgspec
from msgspec import Struct

from server.room import names
from server.room.moderation import ModerationState
from server.room.roster import Member
from server.room.state import RoomState

MEMBERS_INTERVAL_S = 1.0
"""Seconds between two writes if only members have joined or left."""


class KnownMember(Struct, array_like=True):
    """A member, present or away. Times are seconds of the room's clock, which continues while no server runs."""

    token: str
    nick: str
    host: str
    left_at: float
    stayed: float
    is_operator: bool
    """It was appointed an operator."""


class SavedRoom(Struct):
    """The state of a room, as it is written."""

    moderation: ModerationState
    members: list[KnownMember]


class StateKeeper:
    """Writes the state of the room when it has changed."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """`write` may raise OSError. That is logged once, and the state is written at the next change."""
        self._write = write
        self._next_at = 0.0
        self._has_failed = False

    def save_if_due(self, room: RoomState, now: float) -> None:
        """Write the state: at once if operators have changed rules, after a second if members have joined or left."""
        is_due = not self._next_at - MEMBERS_INTERVAL_S <= now < self._next_at
        if not (room.rules_unsaved or (room.members_unsaved and is_due)):
            return
        room.rules_unsaved = room.members_unsaved = False
        self._next_at = now + MEMBERS_INTERVAL_S
        try:
            self._write(save(room, now))
        except OSError as error:
            if not self._has_failed:
                room.audit_log(f"the rules would be lost if the server died now: {error.strerror or error}")
            self._has_failed = True
        else:
            self._has_failed = False


def save(room: RoomState, now: float) -> bytes:
    """Encode the state of a room."""
    hosts = {seat.member.token: seat.host for seat in room.seats.values() if seat.member is not None}
    members = [
        KnownMember(
            one.token,
            one.nick,
            hosts.get(one.token, one.host),
            now if one.connection_id else one.left_at,
            one.stayed + (max(0.0, now - one.joined_at) if one.connection_id else 0.0),
            one.operator and not one.holds_key,
        )
        for one in chain(room.roster.former_members(), room.roster.present())
    ]
    return msgspec.json.encode(SavedRoom(room.moderation.state(now), members))


def restore(room: RoomState, state: bytes) -> None:
    """Restore this state in a new room. The room announces that when a holder of the key has joined. Raises ValueError,
    and does not change the room, if `state` is invalid."""
    saved = msgspec.json.decode(state, type=SavedRoom)
    room.moderation.take_over(saved.moderation)
    room.is_restored = True
    for one in saved.members:
        member = Member(one.token, one.nick, operator=one.is_operator, stayed=one.stayed, is_restored=True)
        member.host, member.left_at, member.last_keys = one.host, one.left_at, names.keys(one.nick)
        room.roster.add_former(member)
