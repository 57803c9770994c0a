"""TokenBucket: a burst at once, then a steady rate. Pure; times are seconds of one clock."""

from math import inf

from msgspec import Struct

_ONE = 1 - 1e-6
"""Tolerance for floating-point rounding: a token due at t is available at t."""


class TokenBucket(Struct):
    """`burst` tokens at once, then `rate` a second; a rate of 0 is no limit."""

    burst: int
    rate: float
    tokens: float
    """The tokens that were left at `updated_at`."""
    updated_at: float

    @classmethod
    def full(cls, burst: int, rate: float, now: float) -> "TokenBucket":
        """A bucket with all tokens."""
        return cls(burst, rate, float(burst), now)

    def consume(self, now: float, amount: float = 1.0) -> None:
        """Take a token, or `amount` of them. The balance may become negative."""
        if not self.rate:
            return
        if now > self.updated_at:
            self.tokens, self.updated_at = self.available(now), now
        self.tokens -= amount

    def try_consume(self, now: float) -> bool:
        """Take a token. Returns False if there is none."""
        if not self.has_token(now):
            return False
        self.consume(now)
        return True

    def has_token(self, now: float) -> bool:
        """Whether a token can be taken now."""
        return not self.rate or self.available(now) >= _ONE

    def is_full(self, now: float) -> bool:
        """Whether the whole burst is available."""
        return not self.rate or self.available(now) >= self.burst

    def next_token_at(self) -> float:
        """When the next token can be taken; minus infinity if there is no limit."""
        if not self.rate:
            return -inf
        return self.updated_at + (1 - self.tokens) / self.rate

    def available(self, now: float) -> float:
        """The tokens that can be taken now; infinity if there is no limit."""
        if not self.rate:
            return inf
        return min(float(self.burst), self.tokens + max(0.0, now - self.updated_at) * self.rate)
