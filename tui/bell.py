"""BellLimit: how often the terminal's bell rings while a crowd names somebody. Pure: times are arguments."""

BURST = 3
"""Rings at once."""
INTERVAL_S = 2.0
"""Between two rings after that."""


class BellLimit:
    """A token bucket of BURST rings that earns one every INTERVAL_S."""

    def __init__(self) -> None:
        self._rings = float(BURST)
        self._counted_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether the bell may ring at `now`, in seconds of any clock that is not set back; a ring is then spent."""
        earned = max(0.0, now - self._counted_at) / INTERVAL_S
        self._rings, self._counted_at = min(BURST, self._rings + earned), now
        if self._rings < 1:
            return False
        self._rings -= 1
        return True
