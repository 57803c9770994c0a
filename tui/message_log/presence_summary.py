"""PresenceSummary: the joins, departures and changes of names between two other entries, in one line."""

from collections.abc import Iterable, Sequence

from protocol.messages import Presence
from protocol.sentences import format_names
from tui.message_log.entries import clean_nick

MAX_NAMED = 3
"""People that a line names. If there are more, one less is named, and the others are counted."""
MAX_PEOPLE = 5_000
"""People in one summary. It bounds the memory if a room has presence events only."""


class PresenceSummary:
    """A series of presence events. People that came and left again within it are listed separately."""

    def __init__(self) -> None:
        self._joined: dict[str, None] = {}
        self._left: dict[str, None] = {}
        self._visited: dict[str, None] = {}
        self._renamed: dict[str, str] = {}

    @property
    def full(self) -> bool:
        """Whether the summary has more than MAX_PEOPLE, so that another one is begun."""
        return len(self._joined) + len(self._left) + len(self._visited) + len(self._renamed) > MAX_PEOPLE

    def add(self, event: Presence) -> None:
        """Add an event, in the protocol's order: left, renamed, joined."""
        for nick in map(clean_nick, event.left):
            self._leave(nick)
        # All at once, so that two people can swap their names.
        self._rename({clean_nick(old): clean_nick(new) for old, new in event.renamed})
        for nick in map(clean_nick, event.joined):
            self._left.pop(nick, None)
            self._visited.pop(nick, None)
            self._joined[nick] = None

    def _leave(self, nick: str) -> None:
        if nick in self._joined:
            del self._joined[nick]
            self._visited[nick] = None
        else:
            self._left[self._renamed.pop(nick, nick)] = None

    def _rename(self, pairs: dict[str, str]) -> None:
        self._joined = {pairs.get(nick, nick): None for nick in self._joined} if pairs else self._joined
        first = {new: self._renamed.pop(old, old) for old, new in pairs.items() if new not in self._joined}
        self._renamed |= {new: old for new, old in first.items() if new != old}

    def text(self) -> str:
        """The line: `ada, bob and 23 others joined; cleo left`. Empty if all changes cancel each other out."""
        parts = [
            _sentence(self._joined, "joined"),
            _sentence(self._left, "left"),
            _sentence(self._visited, "came and went"),
            _renames([(old, new) for new, old in self._renamed.items()]),
        ]
        return "; ".join(part for part in parts if part)


def _sentence(nicks: Iterable[str], verb: str) -> str:
    names = list(nicks)
    return f"{format_names(names, MAX_NAMED)} {verb}" if names else ""


def _renames(pairs: Sequence[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    told = [f"{old} is now {new}" for old, new in pairs[:MAX_NAMED]]
    more = len(pairs) - len(told)
    return "; ".join(told) + (f"; {more:,} more changed names" if more else "")
