"""LineLimits: limits on the lines of an address group, in addition to the limit of each connection. Pure; bounded.

The token bucket of a connection starts full, so a client that reconnects again and again could send a burst each time.
The limits by address prevent that. They are far above the needs of an audience, and are multiples of `--rate-limit`.
Newcomers of an address group share one bucket: NEWCOMER_BURST times the burst of a connection, and NEWCOMER_RATE times
its rate. Established members share another bucket, which newcomers cannot empty. Operators have no limit.
"""

from protocol.messages import Limits
from server.address_limits import AddressLimits
from server.room.member import Member

NEWCOMER_BURST, NEWCOMER_RATE = 100, 50
"""By default 1,000 lines at once, then 100 a second, for all newcomers of an address group together."""
ESTABLISHED_BURST, ESTABLISHED_RATE = 200, 100
"""By default 2,000 lines at once, then 200 a second."""


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
