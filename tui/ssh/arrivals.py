"""Arrivals: the connections that have no session yet, and their limits. Pure."""

from collections import Counter

from protocol.address_group import address_group

MAX_ARRIVALS, MAX_ARRIVALS_EACH = 20, 3
"""Connections that may be logging in at a time: in all, and from one address or IPv6 network. A key exchange takes a
processor tens of milliseconds, and a connection that says nothing takes memory."""


class Arrivals:
    """Counts the connections without a session."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def try_begin(self, host: str) -> bool:
        """Count a connection from this numeric address. False if it is one too many; then it is not counted."""
        group = address_group(host)
        if len(self) >= MAX_ARRIVALS or self._counts[group] >= MAX_ARRIVALS_EACH:
            return False
        self._counts[group] += 1
        return True

    def end(self, host: str) -> None:
        """A connection that was counted has got a session, or has ended."""
        group = address_group(host)
        self._counts[group] -= 1
        if not self._counts[group]:
            del self._counts[group]
