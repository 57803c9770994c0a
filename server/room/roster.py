"""Roster: the members in the room, their nicknames, and the former members. Bounded.

Former members are kept so that they can return. Many short visits must not push out members that lost their connection
in the middle of the talk. So members after a short visit are dropped first, then those after a short visit with a line,
then established members, and operators last. Within each group, the member that left first is dropped first.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from server.room import names
from server.room.member import ESTABLISHED_S, Member

FORMER_S = 600.0
"""Seconds for which a former member is found by its nickname."""
MAX_FORMER = 4096


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
        return names.free_like(nick, self._holders, limit)

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
