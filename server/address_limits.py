"""Limits by address: the groups of addresses, and AddressLimits, a token bucket for each. Pure and bounded.

An IPv4 address is a group of its own. With IPv6 one machine can use every address of its network's /64 (RFC 4291,
section 2.5.4; RFC 8981), so the /64 is the group. Two exceptions: an IPv4-mapped address is the same peer as its IPv4
address, and all machines of a link share fe80::/64, so link-local addresses are told apart.

Times are seconds of one clock.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address

from server.token_bucket import TokenBucket

PREFIX_BITS = 64
MAX_GROUPS = 4096
"""Buckets that are kept. A bucket that is full again is like one that was never used, and is forgotten first."""
LOOPBACK_GROUPS = frozenset(("127.0.0.1", "::1"))
"""The host's own connections, and programs on its machine that bring a whole audience, such as `chat-crowd`."""


@lru_cache(maxsize=4096)
def address_group(host: str) -> str:
    """The group of a numeric address, with or without a zone. Text that is no address is a group of its own."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if address.is_link_local or address.is_loopback:
        return str(address)
    return str(IPv6Network((int(address), PREFIX_BITS), strict=False))


class AddressLimits:
    """`burst` tokens at once for each group, then `rate` a second; a rate of 0 is no limit."""

    def __init__(self, burst: int, rate: float, loopback_factor: int = 1) -> None:
        """A loopback group may take `loopback_factor` times as much as any other."""
        self._burst = burst
        self._rate = rate
        self._loopback_factor = loopback_factor
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def try_consume(self, group: str, now: float) -> bool:
        """Take a token of this group. Returns False if it has none."""
        return self._kept_bucket(group, now).try_consume(now)

    def consume(self, group: str, now: float, amount: float) -> None:
        """Take `amount` tokens. The balance may become negative."""
        self._kept_bucket(group, now).consume(now, amount)

    def available(self, group: str, now: float) -> float:
        """The tokens this group can take now."""
        return self._bucket(group, now).available(now)

    def wait(self, group: str, now: float) -> float:
        """Seconds until this group has a token; 0 if it has one."""
        bucket = self._bucket(group, now)
        return 0.0 if bucket.has_token(now) else bucket.next_token_at() - now

    def _kept_bucket(self, group: str, now: float) -> TokenBucket:
        bucket = self._bucket(group, now)
        if group not in self._buckets:
            if len(self._buckets) >= MAX_GROUPS:
                self._forget(now)
            self._buckets[group] = bucket
        return bucket

    def _bucket(self, group: str, now: float) -> TokenBucket:
        bucket = self._buckets.get(group) or self._full(group, now)
        bucket.updated_at = min(bucket.updated_at, now)  # A clock that was set back stops no group.
        return bucket

    def _full(self, group: str, now: float) -> TokenBucket:
        factor = self._loopback_factor if group in LOOPBACK_GROUPS else 1
        return TokenBucket.full(self._burst * factor, self._rate * factor, now)

    def _forget(self, now: float) -> None:
        """Remove the full buckets or, if none is full, the oldest quarter."""
        groups = [group for group, bucket in self._buckets.items() if bucket.is_full(now)]
        for group in groups or list(self._buckets)[: MAX_GROUPS // 4]:
            del self._buckets[group]
