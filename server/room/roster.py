"""Roster: who is in the room, under which nickname, and who was here before."""

from collections.abc import Iterable, Iterator
from itertools import chain

from server.room import names
from server.room.member import ESTABLISHED_S, Member

FORMER_S = 600.0
"""Seconds for which a member that has left is found by its nickname."""
MAX_FORMER = 4096


class FormerMembers:
    """Members by token, in the order in which they are forgotten."""

    def __init__(self) -> None:
        self._ranks: tuple[dict[str, Member], ...] = ({}, {}, {}, {})

    def find(self, token: str) -> Member | None:
        """Who left with this token."""
        return next((rank[token] for rank in self._ranks if token in rank), None)

    def members(self) -> Iterator[Member]:
        """All that are remembered."""
        return chain.from_iterable(rank.values() for rank in self._ranks)

    def add(self, member: Member) -> None:
        """Remember a member who has left, and forget another if they are too many."""
        self._ranks[_rank(member)][member.token] = member
        if sum(map(len, self._ranks)) > MAX_FORMER:
            lowest = next(rank for rank in self._ranks if rank)
            del lowest[next(iter(lowest))]

    def remove(self, token: str) -> None:
        """Who had left is back, or was never known."""
        for rank in self._ranks:
            rank.pop(token, None)


def _rank(member: Member) -> int:
    if member.operator:
        return 3
    if member.stayed >= ESTABLISHED_S:
        return 2
    return 1 if member.results else 0


class Roster:
    """Members by token, and the nicknames that those present occupy."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._former = FormerMembers()
        self._holders: dict[str, Member] = {}

    def __len__(self) -> int:
        return len(self._members)

    def present(self) -> Iterable[Member]:
        """Everybody in the room, longest first."""
        return self._members.values()

    def former_members(self) -> Iterable[Member]:
        """The members that have left and are remembered."""
        return self._former.members()

    def add_former(self, member: Member) -> None:
        """Know a member of an earlier room, as one that has left."""
        self._former.add(member)

    def find(self, token: str) -> Member | None:
        """The member with this token, present or away."""
        return self._members.get(token) or self._former.find(token)

    def find_holder(self, nick: str, other_than: Member | None = None) -> Member | None:
        """Who is present, `besides` this member, and holds this nickname or one that looks like it."""
        holders = (self._holders.get(key) for key in sorted(names.keys(nick)))
        return next((holder for holder in holders if holder not in (None, other_than)), None)

    def find_former(self, nick: str, now: float) -> Member | None:
        """The member that left last of those that had this nickname, or connection `#12`, in the last ten minutes."""
        keys = names.keys(nick)
        left = (
            member
            for member in self._former.members()
            if member.left_at >= now - FORMER_S and (keys & member.last_keys or nick == f"#{member.last_connection_id}")
        )
        return max(left, key=lambda member: member.left_at, default=None)

    def is_free_for(self, member: Member | None, nick: str) -> bool:
        """Whether `member`, or somebody new, may have this nickname."""
        return all(self._holders.get(key) in (None, member) for key in names.keys(nick))

    def suggest(self, nick: str, limit: int) -> str:
        """A free nickname like `nick`."""
        return names.free_like(nick, self._holders, limit)

    def enter(self, member: Member, nick: str, seat: int) -> None:
        """Seat a member, new or returned, under a nickname that is free for it."""
        self._former.remove(member.token)
        self._members[member.token] = member
        member.connection_id = seat
        self.rename(member, nick)

    def rename(self, member: Member, nick: str) -> None:
        """Give a member another nickname, free for it."""
        self._release(member)
        member.nick, member.keys = nick, names.keys(nick)
        self._holders |= dict.fromkeys(member.keys, member)

    def leave(self, member: Member, now: float) -> None:
        """The member is gone, and its nickname free; it is remembered for when it comes back."""
        member.leave(now)
        self._release(member)
        del self._members[member.token]
        self._former.add(member)

    def _release(self, member: Member) -> None:
        for key in member.keys:
            self._holders.pop(key, None)
        member.keys = frozenset()
