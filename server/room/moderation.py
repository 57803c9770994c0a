"""Moderation: the rules of the room, mutes and bans, limits on lines, and the refusals from all of them. Pure. Bounded.

Times are seconds. A mute or a ban applies to the member's token, which outlives a rename and a reconnect. A client can
discard its token and join as a new member, so a ban also applies to the nickname and, if requested, to the address.

The token bucket of a connection starts full, so a client that reconnects again and again could send a burst each time.
The limits by address prevent that. They are far above the needs of an audience, and are multiples of `--rate-limit`.
Newcomers of an address group share one bucket: NEWCOMER_BURST times the burst of a connection, and NEWCOMER_RATE times
its rate. Established members share another bucket, which newcomers cannot empty. Operators have no limit.
"""

from collections.abc import Iterable
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

from protocol.format import plural
from protocol.messages import Goodbye, Limits, Refused, Rules
from server.address_limits import AddressLimits
from server.room import names
from server.room.roster import Member

MAX_KEPT = 4096
"""Bans, and muted members: as many as former members are kept. The oldest are dropped first."""
NEWCOMER_BURST, NEWCOMER_RATE = 100, 50
"""By default 1,000 lines at once, then 100 a second, for all newcomers of an address group together."""
ESTABLISHED_BURST, ESTABLISHED_RATE = 200, 100
"""By default 2,000 lines at once, then 200 a second."""


class BanRecord(Struct):
    """A ban: of a nickname and token, if the connection had them, and of the address group `address` if that is not
    empty."""

    name: str
    number: int
    """The number of the connection."""
    token: str
    address: str
    until: float
    keys: frozenset[str] = frozenset()
    """The keys of the nickname at that time."""


class ModerationState(Struct):
    """The part of a Moderation that is saved."""

    rules: Rules
    bans: list[BanRecord]
    muted: dict[str, frozenset[str]]
    muted_addresses: dict[str, frozenset[str]]


class Moderation:
    """The rules for all members, the mutes and the bans."""

    def __init__(self) -> None:
        self.rules = Rules()
        self._muted: dict[str, frozenset[str]] = {}
        """Muted tokens, the oldest first, with the keys of the nickname at that time."""
        self._muted_addresses: dict[str, frozenset[str]] = {}
        """Muted address groups, the oldest first, with the keys of the nickname that was named in the mute."""
        self._banned: list[BanRecord] = []
        self._next_line_at: dict[str, float] = {}
        """When each member may send its next line in slow mode, by token, the earliest first."""

    def change(self, **rules: bool | float | str) -> Rules:
        """Set some of the rules `locked`, `quiet`, `slow` and `pin`. Returns all rules."""
        self.rules = replace(self.rules, **rules)
        if "slow" in rules:
            self._next_line_at.clear()
        return self.rules

    def state(self, now: float) -> ModerationState:
        """The state to be saved."""
        return ModerationState(self.rules, self.bans(now), self._muted, self._muted_addresses)

    def take_over(self, state: ModerationState) -> None:
        """Restore the state of an earlier room."""
        self.rules, self._banned = state.rules, state.bans[-MAX_KEPT:]
        self._muted, self._muted_addresses = state.muted, state.muted_addresses

    def describe(self, now: float) -> list[str]:
        """The rules, mutes and bans in force, in words."""
        rules = {
            "the room is locked": self.rules.locked,
            "only operators speak": self.rules.quiet,
            f"a line every {self.rules.slow:g} s from each of you": self.rules.slow,
            "the pinned line": self.rules.pin,
        }
        addresses = plural(len(self._muted_addresses), "muted address", "muted addresses")
        counts = {
            plural(len(self.bans(now)), "ban"): self.bans(now),
            plural(len(self._muted), "mute"): self._muted,
            addresses: self._muted_addresses,
        }
        return [words for words, holds in {**rules, **counts}.items() if holds]

    def mute(self, token: str, *, on: bool, name: str = "") -> None:
        """Mute or unmute the member with this token and the current nickname `name`."""
        self._muted.pop(token, None)
        if on:
            self._muted[token] = names.keys(name)
            if len(self._muted) > MAX_KEPT:
                del self._muted[next(iter(self._muted))]

    def unmute_named(self, name: str) -> bool:
        """Lift the mutes of members that had this nickname when they were muted, and of their addresses. Returns
        whether there was one. For members that the room no longer finds."""
        keys = names.keys(name)
        lifted = [token for token, of in self._muted.items() if keys & of]
        for token in lifted:
            del self._muted[token]
        return self.unmute_addresses("", name) or bool(lifted)

    def mute_address(self, group: str, name: str) -> None:
        """Mute all members from this address group, present and future ones, until `unmute_addresses`."""
        self._muted_addresses.pop(group, None)
        self._muted_addresses[group] = names.keys(name)
        if len(self._muted_addresses) > MAX_KEPT:
            del self._muted_addresses[next(iter(self._muted_addresses))]

    def unmute_addresses(self, group: str, name: str) -> bool:
        """Lift the mute of this group, and of groups muted by this nickname. Returns whether there was one."""
        keys = names.keys(name)
        lifted = [one for one, of in self._muted_addresses.items() if one == group != "" or keys & of]
        for one in lifted:
            del self._muted_addresses[one]
        return bool(lifted)

    def bans(self, now: float) -> list[BanRecord]:
        """The bans in force, the oldest first."""
        return self._active(now)

    def ban(self, record: BanRecord, now: float) -> None:
        """Add a ban."""
        if record.token:
            record.keys = names.keys(record.name)
        self._banned = [*self._active(now)[1 - MAX_KEPT :], record]

    def unban(self, name: str, now: float) -> str:
        """Lift the bans of a nickname or a connection (`#12`). Returns the nickname, or "" if there was no ban."""
        keys = names.keys(name)
        self._banned = self._active(now)
        lifted = [one for one in self._banned if name == f"#{one.number}" or keys & one.keys]
        self._banned = [one for one in self._banned if one not in lifted]
        return lifted[-1].name if lifted else ""

    def refuse_entry(self, member: Member | None, keys: Iterable[str], address: str, now: float) -> Goodbye | None:
        """The reason why a connection cannot join, or None. `member` is the member that its token proves. An operator
        can always join: otherwise a locked room might stay locked for ever."""
        if member is not None and member.operator:
            return None
        token = member.token if member else ""
        named = [one.until for one in self._banned if one.token == token != "" or one.keys.intersection(keys)]
        shared = [one.until for one in self._banned if one.address == address != ""]
        minutes = (max([*named, *shared], default=0.0) - now) / 60
        if minutes > 0:
            subject = "you are" if named else "your address is"
            so_long = format_minutes(minutes if minutes < 1 else ceil(minutes))
            return Goodbye("banned", f"{subject} banned for another {so_long}")
        if self.rules.locked and member is None:
            return Goodbye("locked", "the room is locked: nobody new can come in now")
        return None

    def refuse_renaming(self, member: Member, group: str = "") -> Refused | None:
        """The reason why a member cannot take another nickname, or None. All members would see the nickname."""
        muted = "you are muted, and your nickname stays as it is"
        quiet = "only operators speak now, and nicknames stay as they are"
        return self._refuse_silenced(member, group, muted, quiet)

    def refuse_speech(self, member: Member, id: str, now: float, group: str = "") -> Refused | None:
        """The reason why a member, connected from this address group, cannot send a line now. If it can, count the line
        for slow mode and return None."""
        muted = "you are muted: the others do not hear you"
        quiet = "only operators speak now, and your line was not said"
        if (refused := self._refuse_silenced(member, group, muted, quiet, id)) is not None:
            return refused
        if self.rules.slow and not member.operator:
            left = self._next_line_at.get(member.token, 0.0) - now
            if left > 0:
                words = f"slow mode: your next line in {ceil(left)} s; this one was not said"
                return Refused("slow-mode", words, id, wait=left)
            while self._next_line_at and self._next_line_at[soonest := next(iter(self._next_line_at))] <= now:
                del self._next_line_at[soonest]
            self._next_line_at[member.token] = now + self.rules.slow
        return None

    def _refuse_silenced(self, member: Member, group: str, muted: str, quiet: str, id: str = "") -> Refused | None:
        if member.operator:
            return None
        if member.token in self._muted or group in self._muted_addresses:
            return Refused("muted", muted, id)
        return Refused("quiet", quiet, id) if self.rules.quiet else None

    def _active(self, now: float) -> list[BanRecord]:
        return [one for one in self._banned if one.until > now]


def format_minutes(minutes: float) -> str:
    """A number of minutes in words; less than one minute is given in seconds."""
    return plural(minutes, "minute") if minutes >= 1 else plural(ceil(minutes * 60), "second")


class LineLimits:
    """The buckets of all address groups. Times are seconds of the room's clock."""

    def __init__(self, limits: Limits) -> None:
        self.change(limits)

    def change(self, limits: Limits) -> None:
        """Apply other limits, with full buckets."""
        self._newcomers = AddressLimits(limits.burst * NEWCOMER_BURST, limits.rate * NEWCOMER_RATE)
        self._established = AddressLimits(limits.burst * ESTABLISHED_BURST, limits.rate * ESTABLISHED_RATE)

    def consume(self, member: Member, group: str, now: float) -> float:
        """Count a line of this member. Returns 0 if the line is allowed, else the seconds until the next one is."""
        if member.operator:
            return 0.0
        limits = self._established if member.is_established(now) else self._newcomers
        return 0.0 if limits.try_consume(group, now) else limits.wait(group, now)
