"""The group of addresses that limits count as one. Pure.

An IPv4 address is a group of its own. With IPv6 one machine can use every address of its network's /64 (RFC 4291,
section 2.5.4; RFC 8981), so the /64 is the group. Two exceptions: an IPv4-mapped address is the same peer as its IPv4
address, and all machines of a link share fe80::/64, so link-local addresses are told apart.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address

PREFIX_BITS = 64


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
