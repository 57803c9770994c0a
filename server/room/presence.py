"""PendingPresence: gathers joins, departures and renames, and sends them as one event with the differences.

So a thousand joins cost a few events for each member instead of a thousand. A member that joins and leaves between two
such events without a line is not mentioned.
"""

from msgspec import Struct, field

from protocol.messages import Presence


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
