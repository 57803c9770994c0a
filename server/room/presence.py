"""PendingPresence: gathers who came, went and changed names, and tells it as one difference.

A thousand people joining then cost a few events and not a thousand told to a thousand. Who joins and leaves between
two tellings without a word is not mentioned at all.
"""

from msgspec import Struct, field

from protocol.messages import Presence


class PendingPresence(Struct):
    """What was told (`announced`) and what is true now, by the token of each member that may differ."""

    announced: dict[str, str] = field(default_factory=dict)
    """The roster as everybody was told it: token to nickname."""
    changed: dict[str, str | None] = field(default_factory=dict)
    """What is true now of those who changed: a nickname, or None for one who is not here."""
    old_nicks: set[str] = field(default_factory=set)
    """The nicknames that everybody still knows those who changed by."""

    def record_change(self, token: str, nick: str | None) -> None:
        """Member `token` is here as `nick` now, or gone."""
        before = self.announced.get(token)
        if before == nick:
            self.changed.pop(token, None)
            self.old_nicks.discard(before or "")
        else:
            self.changed[token] = nick
            if before is not None:
                self.old_nicks.add(before)

    def flush(self, seq: int, at: float) -> Presence | None:
        """The difference as an event, or None where there is none."""
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
