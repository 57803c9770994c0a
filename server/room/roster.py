"""Roster: who is in the room, under which nickname, and who was here before."""

from collections.abc import Iterable

from server.room import names
from server.room.away import FormerMembers
from server.room.member import Member

FORMER_S = 600.0
"""Seconds for which a member that has left is found by its nickname."""


class Roster:
    """Members by token, and the nicknames that those present occupy."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._away = FormerMembers()
        self._holders: dict[str, Member] = {}

    def __len__(self) -> int:
        return len(self._members)

    def present(self) -> Iterable[Member]:
        """Everybody in the room, longest first."""
        return self._members.values()

    def away(self) -> Iterable[Member]:
        """The members that have left and are remembered."""
        return self._away.members()

    def remember(self, member: Member) -> None:
        """Know a member of an earlier room, as one that has left."""
        self._away.keep(member)

    def find(self, token: str) -> Member | None:
        """The member with this token, present or away."""
        return self._members.get(token) or self._away.find(token)

    def named(self, nick: str, besides: Member | None = None) -> Member | None:
        """Who is present, `besides` this member, and holds this nickname or one that looks like it."""
        holders = (self._holders.get(key) for key in sorted(names.keys(nick)))
        return next((holder for holder in holders if holder not in (None, besides)), None)

    def former(self, nick: str, now: float) -> Member | None:
        """The member that left last of those that had this nickname, or connection `#12`, in the last ten minutes."""
        keys = names.keys(nick)
        left = (
            member
            for member in self._away.members()
            if member.left_at >= now - FORMER_S and (keys & member.last_keys or nick == f"#{member.last_seat}")
        )
        return max(left, key=lambda member: member.left_at, default=None)

    def free_for(self, member: Member | None, nick: str) -> bool:
        """Whether `member`, or somebody new, may have this nickname."""
        return all(self._holders.get(key) in (None, member) for key in names.keys(nick))

    def suggest(self, nick: str, limit: int) -> str:
        """A free nickname like `nick`."""
        return names.free_like(nick, self._holders, limit)

    def enter(self, member: Member, nick: str, seat: int) -> None:
        """Seat a member, new or returned, under a nickname that is free for it."""
        self._away.drop(member.token)
        self._members[member.token] = member
        member.seat = seat
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
        self._away.keep(member)

    def _release(self, member: Member) -> None:
        for key in member.keys:
            self._holders.pop(key, None)
        member.keys = frozenset()
