"""The addresses and the name by which other machines reach this one. Linux and macOS."""

import asyncio
import socket
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address

VIRTUAL_PREFIXES = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "lxd", "cni", "podman")
"""Name prefixes of interfaces that lead only to containers and virtual machines on this machine."""
NAME_TIMEOUT_S = 2.0
"""Timeout of the network's name service."""


def own_addresses(family: socket.AddressFamily) -> list[str]:
    """The addresses of this machine's active interfaces that other machines may reach, the most likely first."""
    import psutil  # 9 ms, for hosts only.

    up = [name for name, state in psutil.net_if_stats().items() if state.isup]
    found = {
        name: [one.address for one in addresses if one.family == family]
        for name, addresses in psutil.net_if_addrs().items()
    }
    return rank_addresses(found, up)


def rank_addresses(addresses: Mapping[str, Iterable[str]], up: Collection[str]) -> list[str]:
    """Select the addresses that other machines may reach: private networks first, virtual interfaces last. Pure."""
    usable: list[tuple[bool, bool, str]] = []
    for name, hosts in addresses.items():
        for host in hosts if name in up else ():
            address = ip_address(host.partition("%")[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                usable.append((name.startswith(VIRTUAL_PREFIXES), not address.is_private, host))
    return [host for _, _, host in sorted(usable, key=lambda one: one[:2])]


async def local_name(addresses: Collection[str]) -> str:
    """The machine's name in the local network, such as `mymac.local`, or "" if it does not resolve to one of the
    addresses."""
    name = socket.gethostname().partition(".")[0] + ".local"
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(name, None, family=socket.AF_INET), NAME_TIMEOUT_S)
    except (OSError, UnicodeError, TimeoutError):
        return ""
    return name if any(entry[4][0] in addresses for entry in found) else ""
