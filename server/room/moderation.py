"""Moderation: what the operators have laid down, and what follows for who wants in or wants to speak. Pure.

Times are seconds. A mute and a ban go by the member's token, which outlives a rename and a reconnect; whoever throws
the token away comes as somebody new, so a ban also keeps the nickname and, if asked for, the address.
"""

from collections.abc import Iterable
from math import ceil

from msgspec.structs import replace

from protocol.messages import Goodbye, Refused, Rules
from server.room.member import Member


class Moderation:
    """The rules for all, and who is muted or banned."""

    def __init__(self) -> None:
        self.rules = Rules()
        self.muted: set[str] = set()
        """Tokens."""
        self._banned: dict[str, float] = {}
        """Until when, by `token `, `name ` or `address ` and its value."""
        self._spoke: dict[str, float] = {}
        """When each member may speak again under slow mode, by token."""

    def change(self, **rules: bool | float | str) -> Rules:
        """Lay down other rules: `locked`, `quiet`, `slow`, `pin`."""
        self.rules = replace(self.rules, **rules)
        if "slow" in rules:
            self._spoke.clear()
        return self.rules

    def ban(self, member: Member | None, address: str, until: float) -> None:
        """Keep a member out, and with `address` whoever comes from there, until then."""
        if member is not None:
            self._banned[f"token {member.token}"] = until
            self._banned |= dict.fromkeys((f"name {key}" for key in member.keys), until)
        if address:
            self._banned[f"address {address}"] = until

    def bar(self, token: str, keys: Iterable[str], address: str, known: bool, now: float) -> Goodbye | None:
        """Why somebody cannot come in, or None. `known`: it has been here before, and proved it."""
        signs = [f"token {token}", f"address {address}", *(f"name {key}" for key in keys)]
        left = max((self._banned.get(sign, 0.0) for sign in signs), default=0.0) - now
        if left > 0:
            return Goodbye("banned", f"you are banned for {max(1, round(left / 60))} more minutes")
        if self.rules.locked and not known:
            return Goodbye("locked", "the room is locked: nobody new can come in now")
        return None

    def hush(self, member: Member, id: str, now: float) -> Refused | None:
        """Why a member cannot speak now, or None; then it counts as having spoken."""
        if member.operator:
            return None
        if member.token in self.muted:
            return Refused("muted", "you are muted: the others do not hear you", id)
        if self.rules.quiet:
            return Refused("quiet", "only operators speak now", id)
        if self.rules.slow:
            left = self._spoke.get(member.token, 0.0) - now
            if left > 0:
                return Refused("slow-mode", f"slow mode: your next line in {ceil(left)} s", id, wait=left)
            self._spoke[member.token] = now + self.rules.slow
        return None
