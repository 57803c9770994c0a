"""Roster: the members in the room, their nicknames, the former members, and the changes to announce. Bounded.

Former members are kept so that they can return. Many short visits must not push out members that lost their connection
in the middle of the talk. So members after a short visit are dropped first, then those after a short visit with a line,
then established members, and operators last. Within each group, the member that left first is dropped first.

Joins, departures and renames are gathered, and sent as one event with the differences. So a thousand joins cost a few
events for each member instead of a thousand. A member that joins and leaves between two such events without a line is
not mentioned.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct, field
from msgspec.structs import replace

from protocol.messages import Presence, Refused, Said
from server.room import names

KEPT_RESULTS = 256
"""Answers to `say` that are kept for each member."""
KEPT_WHEN_AWAY = 32
"""The same while the member is away. A client sends its last lines again if it has no answer to them. By the default
limits it can send 30 lines in the time for which a connection may stall."""

ESTABLISHED_S = 30.0
"""Seconds in the room after which a member has precedence over newcomers from its address."""
FORMER_S = 600.0
"""Seconds for which a former member is found by its nickname."""
MAX_FORMER = 4096


class Member(Struct):
    """Times are seconds of the room's clock."""

    token: str
    nick: str
    keys: frozenset[str] = frozenset()
    connection_id: int = 0
    """The number of its connection; 0 while it is away."""
    operator: bool = False
    holds_key: bool = False
    """It has proved the operators' key. Other operators were appointed."""
    joined_at: float = 0.0
    """The start of its current visit, or of its last one."""
    stayed: float = 0.0
    """Seconds of all its visits, without the current one."""
    host: str = ""
    """The address of its last connection; empty before it has left."""
    left_at: float = 0.0
    is_restored: bool = False
    """It was in an earlier room, before the server died. The history of that room is lost."""
    last_connection_id: int = 0
    last_keys: frozenset[str] = frozenset()
    """The number of its connection, and the keys of its nickname, at the time when it left."""
    results: dict[str, Said | Refused] = field(default_factory=dict)
    """The first answer to each `id`, to answer a repeated line. A `said` is kept without its text, because the history
    has the text, and so has the repeated line."""

    def remember(self, id: str, result: Said | Refused) -> None:
        """Keep the answer to a line with an id."""
        if id:
            self.results[id] = replace(result, text="") if isinstance(result, Said) else result
            if len(self.results) > KEPT_RESULTS:
                del self.results[next(iter(self.results))]

    def is_established(self, now: float) -> bool:
        """Whether it has been in the room for ESTABLISHED_S seconds in all visits together, or is an operator."""
        here = max(0.0, now - self.joined_at) if self.connection_id else 0.0
        return self.operator or self.stayed + here >= ESTABLISHED_S

    def leave(self, now: float) -> None:
        """Mark the member as away."""
        self.left_at, self.last_connection_id, self.last_keys = now, self.connection_id, self.keys
        self.connection_id = 0
        self.stayed += max(0.0, now - self.joined_at)
        self.results = dict(list(self.results.items())[-KEPT_WHEN_AWAY:])


class FormerMembers:
    """Former members by token, in the order in which they are dropped."""

    def __init__(self) -> None:
        self._ranks: tuple[dict[str, Member], ...] = ({}, {}, {}, {})

    def find(self, token: str) -> Member | None:
        """The former member with this token."""
        return next((rank[token] for rank in self._ranks if token in rank), None)

    def members(self) -> Iterator[Member]:
        """All former members."""
        return chain.from_iterable(rank.values() for rank in self._ranks)

    def add(self, member: Member) -> None:
        """Add a member that has left, and drop another one if there are too many."""
        self._ranks[_rank(member)][member.token] = member
        if sum(map(len, self._ranks)) > MAX_FORMER:
            lowest = next(rank for rank in self._ranks if rank)
            del lowest[next(iter(lowest))]

    def remove(self, token: str) -> None:
        """Remove a member that has returned. Does nothing if the token is unknown."""
        for rank in self._ranks:
            rank.pop(token, None)


def _rank(member: Member) -> int:
    if member.operator:
        return 3
    if member.stayed >= ESTABLISHED_S:
        return 2
    return 1 if member.results else 0


class Roster:
    """The members by token, and the keys of the nicknames in use."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._former = FormerMembers()
        self._holders: dict[str, Member] = {}

    def __len__(self) -> int:
        return len(self._members)

    def present(self) -> Iterable[Member]:
        """The members in the room, in the order in which they joined."""
        return self._members.values()

    def former_members(self) -> Iterable[Member]:
        """The members that have left."""
        return self._former.members()

    def add_former(self, member: Member) -> None:
        """Add a former member, from the state of an earlier room."""
        self._former.add(member)

    def find(self, token: str) -> Member | None:
        """The member with this token, present or away."""
        return self._members.get(token) or self._former.find(token)

    def find_holder(self, nick: str, other_than: Member | None = None) -> Member | None:
        """The present member, other than `other_than`, with this nickname or one that looks like it."""
        holders = (self._holders.get(key) for key in sorted(names.keys(nick)))
        return next((holder for holder in holders if holder not in (None, other_than)), None)

    def find_former(self, nick: str, now: float) -> Member | None:
        """The member that left last, within FORMER_S seconds, with this nickname or on this connection (`#12`)."""
        keys = names.keys(nick)
        left = (
            member
            for member in self._former.members()
            if member.left_at >= now - FORMER_S and (keys & member.last_keys or nick == f"#{member.last_connection_id}")
        )
        return max(left, key=lambda member: member.left_at, default=None)

    def is_free_for(self, member: Member | None, nick: str) -> bool:
        """Whether `member`, or a new member (None), can have this nickname."""
        return all(self._holders.get(key) in (None, member) for key in names.keys(nick))

    def suggest(self, nick: str, limit: int) -> str:
        """A free nickname like `nick`."""
        return names.find_free_like(nick, self._holders, limit)

    def enter(self, member: Member, nick: str, seat: int) -> None:
        """Add a new or returning member, with a nickname that is free for it."""
        self._former.remove(member.token)
        self._members[member.token] = member
        member.connection_id = seat
        self.rename(member, nick)

    def rename(self, member: Member, nick: str) -> None:
        """Give a member another nickname, which must be free for it."""
        self._release(member)
        member.nick, member.keys = nick, names.keys(nick)
        self._holders |= dict.fromkeys(member.keys, member)

    def leave(self, member: Member, now: float) -> None:
        """Move a member to the former members. Its nickname is free then."""
        member.leave(now)
        self._release(member)
        del self._members[member.token]
        self._former.add(member)

    def _release(self, member: Member) -> None:
        for key in member.keys:
            self._holders.pop(key, None)
        member.keys = frozenset()


class PendingPresence(Struct):
    """The announced roster, and the pending changes, by token."""

    announced: dict[str, str] = field(default_factory=dict)
    """The roster as announced to all members: from token to nickname."""
    changed: dict[str, str | None] = field(default_factory=dict)
    """The pending changes: the current nickname of a member, or None if it has left."""
    old_nicks: set[str] = field(default_factory=set)
    """The announced nicknames of members with pending changes."""

    def record_change(self, token: str, nick: str | None) -> None:
        """Member `token` is in the room as `nick` now, or has left (None)."""
        before = self.announced.get(token)
        if before == nick:
            self.changed.pop(token, None)
            self.old_nicks.discard(before or "")
        else:
            self.changed[token] = nick
            if before is not None:
                self.old_nicks.add(before)

    def flush(self, seq: int, at: float) -> Presence | None:
        """The pending changes as an event, or None if there are none. They are announced then."""
        joined, left, renamed = [], [], []
        for token, nick in self.changed.items():
            before = self.announced.get(token)
            if nick is None and before is not None:
                left.append(before)
                del self.announced[token]
            elif nick is not None:
                if before is None:
                    joined.append(nick)
                else:
                    renamed.append((before, nick))
                self.announced[token] = nick
        self.changed.clear()
        self.old_nicks.clear()
        return Presence(seq, at, joined, left, renamed) if joined or left or renamed else None
