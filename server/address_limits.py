"""AddressLimits: a token bucket for each group of addresses (`protocol.address_group`). Pure and bounded.

Times are seconds of one clock.
"""

from server.token_bucket import TokenBucket

MAX_GROUPS = 4096
"""Buckets that are kept. A bucket that is full again is like one that was never used, and is forgotten first."""
LOOPBACK_GROUPS = frozenset(("127.0.0.1", "::1"))
"""The host's own connections, and programs on its machine that bring a whole audience, such as `chat-crowd`."""


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
