"""EntryBuilder makes entries of the room's events, of my own lines and of the client's notes, in the room's order.

It sums up joins and departures (PresenceSummary), marks changes of the minute and of the day, and distinguishes news
from history.
"""

from collections.abc import Iterable, Sequence
from time import localtime

from msgspec import Struct

from protocol.client import Gap, HistoryEnd, Received
from protocol.format import HISTORY_END, format_names
from protocol.messages import Goodbye, ModelSwitched, Notice, Presence, Refused, RulesChanged, Said, Welcome
from tui.message_log.entries import (
    Entry,
    Flag,
    Kind,
    clean,
    clean_nick,
    gap_entry,
    line_entry,
    notice_entry,
    said_entry,
    switch_entry,
    valid_time,
)
from tui.message_log.store import EntryStore

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
    def is_full(self) -> bool:
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
    named = [f"{old} is now {new}" for old, new in pairs[:MAX_NAMED]]
    more = len(pairs) - len(named)
    return "; ".join(named) + (f"; {more:,} more changed names" if more else "")


class BatchSummary(Struct):
    """The lines of others in a batch of events."""

    lines: int = 0
    """Their number."""
    first: int | None = None
    """The serial number of the first one."""


class EntryBuilder:
    """Fills an EntryStore. `me` is my nickname; it follows the events of the room."""

    def __init__(self) -> None:
        self.store = EntryStore()
        self.me = ""
        self._history_until = 0
        self._presence: PresenceSummary | None = None
        self._minute = -1
        self._day: tuple[int, int] | None = None

    def add_events(self, events: Sequence[Received]) -> BatchSummary:
        """Add events, in order. Lines of the history of a first Welcome are not counted as news; missed lines are."""
        summary = BatchSummary()
        for event in events:
            match event:
                case Said():
                    self._add_said(event, summary)
                case Presence():
                    self._add_presence(event)
                case ModelSwitched():
                    self._append(switch_entry(event))
                case Notice() | RulesChanged() | Goodbye():
                    self._add_words(event)
                case Gap():
                    self._append(gap_entry(event))
                case Welcome():
                    self._add_welcome(event)
                case Refused() if event.id:
                    self.reject_pending(event.id, event.reason)
                case HistoryEnd():
                    self._append(Entry(Kind.NOTICE, HISTORY_END))
        return summary

    def add_pending(self, id: str, text: str, action: bool, at: float) -> None:
        """Add a line of mine that the room has not acknowledged yet."""
        self.store.add_pending(id, line_entry(clean_nick(self.me), text, action, at, Flag.OWN | Flag.PENDING))

    def reject_pending(self, id: str, reason: str) -> None:
        """Replace a line of mine that the room refused by an error with the reason and the text."""
        entry = self.store.remove_pending(id)
        if entry is not None:
            self._append(Entry(Kind.ERROR, f"not said: {clean(reason)}\n{entry.text}"))

    def add_note(self, text: str, kind: str) -> None:
        """Add a note of the client; `kind` is `error` for an error. It has no time, as our clock may differ from the
        room's."""
        self._append(Entry(Kind.ERROR if kind == "error" else Kind.NOTE, clean(text)))

    def clear(self) -> None:
        """Remove all entries but the pending lines."""
        self.store.clear()
        self._presence, self._minute, self._day = None, -1, None

    def _add_said(self, event: Said, summary: BatchSummary) -> None:
        mine = event.id and self.store.remove_pending(event.id)
        entry = said_entry(event, event.nick if mine else self.me)
        serial = self._append(entry)
        if event.seq > self._history_until and not entry.flags & Flag.OWN:
            summary.lines += 1
            if summary.first is None:
                summary.first = serial

    def _add_presence(self, event: Presence) -> None:
        for old, new in event.renamed:
            if clean_nick(old) == self.me:
                self.me = clean_nick(new)
                break
        presence = self._presence
        if presence is None or presence.is_full:
            presence = PresenceSummary()
        presence.add(event)
        text = presence.text()
        if presence is not self._presence:
            if text:
                self._append(Entry(Kind.CROWD, text, at=valid_time(event.at)))
                self._presence = presence
        elif (last := self.store.entry(self.store.next - 1)) is not None:
            # Changes of names can cancel each other out, but the line has been added.
            entry = Entry(Kind.CROWD, text or "somebody changed names", at=last.at, flags=last.flags)
            self.store.change_last(entry)

    def _add_words(self, event: Notice | RulesChanged | Goodbye) -> None:
        entry = notice_entry(event)
        if entry.text.strip():
            self._append(entry)

    def _add_welcome(self, event: Welcome) -> None:
        self.me = clean_nick(event.you)
        if not event.resumed:
            self._history_until = event.seq
            if event.motd.strip():
                self._append(Entry(Kind.NOTICE, clean(event.motd)))

    def _append(self, entry: Entry) -> int:
        self._presence = None
        self._stamp(entry)
        return self.store.append(entry)

    def _stamp(self, entry: Entry) -> None:
        """Mark the entry to show its time if the minute has changed, and its day if the day has."""
        minute = int(entry.at) // 60
        if not entry.at or minute == self._minute:
            return
        self._minute = minute
        now = localtime(entry.at)
        if (now.tm_year, now.tm_yday) != self._day:
            self._day = now.tm_year, now.tm_yday
            entry.flags |= Flag.NEW_DAY
        entry.flags |= Flag.STAMPED
