"""Allowance: the token bucket that says when a connection may be heard next."""

from math import inf

from msgspec import Struct

_A_LINE = 1 - 1e-6
"""A line earned at t must be had when the clock says t, whatever the rounding. What is missing stays owed."""


class Allowance(Struct):
    """`burst` lines at once, then `rate` a second; a rate of 0 is no limit. Times are seconds of one clock."""

    burst: int
    rate: float
    saved: float
    """Lines that may be taken at `at`."""
    at: float

    def take(self, now: float) -> None:
        """Pay for a line, which is `ready`."""
        if not self.rate:
            return
        if now > self.at:
            self.saved, self.at = self._savings(now), now
        self.saved -= 1

    def ready(self, now: float) -> bool:
        """Whether a line can be paid for now."""
        return not self.rate or self._savings(now) >= _A_LINE

    def full(self, now: float) -> bool:
        """Whether nothing has been said for long enough to have the whole burst again."""
        return not self.rate or self._savings(now) >= self.burst

    def next_at(self) -> float:
        """When the next line can be paid for; minus infinity where there is no limit."""
        if not self.rate:
            return -inf
        return self.at + (1 - self.saved) / self.rate

    def _savings(self, now: float) -> float:
        return min(float(self.burst), self.saved + max(0.0, now - self.at) * self.rate)
