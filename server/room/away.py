"""FormerMembers: members who left, remembered for when they come back. Bounded.

A loop of short visits must not drive out those whose connection broke in the middle of the talk. So who only passed by
is forgotten first, then who said something in passing, then who stayed, operators last; and of those alike, who left
first.
"""

from collections.abc import Iterator
from itertools import chain

from server.room.member import ESTABLISHED_S, Member

KEPT_MEMBERS = 4096


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

    def keep(self, member: Member) -> None:
        """Remember a member who has left, and forget another if they are too many."""
        self._ranks[_rank(member)][member.token] = member
        if sum(map(len, self._ranks)) > KEPT_MEMBERS:
            lowest = next(rank for rank in self._ranks if rank)
            del lowest[next(iter(lowest))]

    def drop(self, token: str) -> None:
        """Who had left is back, or was never known."""
        for rank in self._ranks:
            rank.pop(token, None)


def _rank(member: Member) -> int:
    if member.operator:
        return 3
    if member.stayed >= ESTABLISHED_S:
        return 2
    return 1 if member.results else 0
