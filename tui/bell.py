"""BellLimit limits how often the terminal's bell rings. Pure: times are arguments."""

BURST = 3
"""Rings that may follow each other at once."""
INTERVAL_S = 2.0
"""Seconds in which one more ring is earned."""


class BellLimit:
    """A token bucket of BURST rings that earns one every INTERVAL_S."""

    def __init__(self) -> None:
        self._rings = float(BURST)
        self._counted_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether the bell may ring at `now`, in seconds of a monotonic clock. If so, one ring is used up."""
        earned = max(0.0, now - self._counted_at) / INTERVAL_S
        self._rings, self._counted_at = min(BURST, self._rings + earned), now
        if self._rings < 1:
            return False
        self._rings -= 1
        return True
