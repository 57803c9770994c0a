"""LineLimits: how many lines an address group may say, besides what each of its connections may. Pure; bounded.

A connection's own allowance begins anew with each connection, so one that reconnects says a burst each time. The limits
by address are far above what an audience says, and follow `--rate-limit`: a newcomer takes from its group's bucket of
NEWCOMER_BURST times what a connection may say at once, then NEWCOMER_RATE times what it may say a second. A member that
has been in the room for a while takes from another bucket, which newcomers cannot empty. Operators are not limited.
"""

from protocol.messages import Limits
from server.address_limits import AddressLimits
from server.room.member import Member

NEWCOMER_BURST, NEWCOMER_RATE = 100, 50
"""By default 1,000 lines at once, then 100 a second, from all newcomers of an address group together."""
ESTABLISHED_BURST, ESTABLISHED_RATE = 200, 100
"""By default 2,000 lines at once, then 200 a second."""


class LineLimits:
    """The buckets of all address groups. Times are seconds of the room's clock."""

    def __init__(self, limits: Limits) -> None:
        self.change(limits)

    def change(self, limits: Limits) -> None:
        """Follow other limits, with full buckets."""
        self._newcomers = AddressLimits(limits.burst * NEWCOMER_BURST, limits.rate * NEWCOMER_RATE)
        self._established = AddressLimits(limits.burst * ESTABLISHED_BURST, limits.rate * ESTABLISHED_RATE)

    def consume(self, member: Member, group: str, now: float) -> float:
        """Take a line of this member: 0 where it may be said, else the seconds until one may."""
        if member.operator:
            return 0.0
        limits = self._established if member.is_established(now) else self._newcomers
        return 0.0 if limits.try_consume(group, now) else limits.wait(group, now)
