"""Arrivals: the connections that have no session yet, and their limits. Pure."""

from collections import Counter
from ipaddress import IPv6Address, IPv6Network, ip_address

MAX_ARRIVALS, MAX_ARRIVALS_EACH = 20, 3
"""Connections that may be logging in at a time: in all, and from one address or IPv6 network. A key exchange takes a
processor tens of milliseconds, and a connection that says nothing takes memory."""
PREFIX_BITS = 64
"""One machine can use all addresses of its IPv6 network (RFC 4291, section 2.5.4), so they share one limit."""


class Arrivals:
    """Counts the connections without a session."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def try_begin(self, host: str) -> bool:
        """Count a connection from this numeric address. False if it is one too many; then it is not counted."""
        group = _group(host)
        if len(self) >= MAX_ARRIVALS or self._counts[group] >= MAX_ARRIVALS_EACH:
            return False
        self._counts[group] += 1
        return True

    def end(self, host: str) -> None:
        """A connection that was counted has got a session, or has ended."""
        group = _group(host)
        self._counts[group] -= 1
        if not self._counts[group]:
            del self._counts[group]


def _group(host: str) -> str:
    address = ip_address(host.partition("%")[0])
    if not isinstance(address, IPv6Address) or address.is_link_local or address.is_loopback:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), PREFIX_BITS), strict=False))
