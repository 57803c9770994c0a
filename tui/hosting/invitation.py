"""Invitation: the addresses of a room, the commands with which others join it, and the link for the QR code.

`own_addresses` and `local_name` find the addresses and the name by which other machines reach this one. Linux and
macOS.
"""

import asyncio
import socket
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address

from msgspec import Struct

from tui.address import DEFAULT_PORT, Address

ON_THE_NETWORK = "{} encrypted, and everybody on the network can join."
CLOSED = "Only this machine reaches it: --bind 0.0.0.0:2000 opens it to the network. {} encrypted."
NO_NETWORK = "This machine has no network now, so only itself reaches it. {} encrypted."
THIS_MACHINE = "This address leads here from this machine only. {} encrypted."
VIRTUAL_PREFIXES = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "lxd", "cni", "podman")
"""Name prefixes of interfaces that lead only to containers and virtual machines on this machine."""
NAME_TIMEOUT_S = 2.0
"""Timeout of the network's name service."""


class SshEntrance(Struct, frozen=True):
    """The port at which guests come by ssh, and the fingerprint that their clients show."""

    port: int
    fingerprint: str


class Invitation(Struct, frozen=True):
    """The addresses of a room, the best first; there is at least one."""

    addresses: tuple[Address, ...]
    bound: tuple[Address, ...] = ()
    """The listening addresses of a hosted server; empty for a guest: only the host knows them."""
    ssh: SshEntrance | None = None
    """None if guests cannot come by ssh, or not yet, and for a guest: only the host knows it."""

    @property
    def best(self) -> Address:
        return self.addresses[0]

    @property
    def others(self) -> tuple[Address, ...]:
        return self.addresses[1:]

    @property
    def link(self) -> str:
        """The page of the room, as the QR code has it: each phone opens it in its browser."""
        return f"http://{self.best}"

    @property
    def warning(self) -> str:
        """The warning for people before they join."""
        return self._reach.format("Only ssh is" if self.ssh else "Nothing here is")

    @property
    def _reach(self) -> str:
        """The warning with a gap for the encrypted part."""
        if not self.best.is_loopback:
            return ON_THE_NETWORK
        if not self.bound:
            return THIS_MACHINE
        return NO_NETWORK if any(one.is_everywhere for one in self.bound) else CLOSED

    def commands(self) -> tuple[str, str, str]:
        """The exact commands for nc, telnet and chat-tui."""
        host, port = self.best.host, self.best.port
        written = host if port == DEFAULT_PORT else str(self.best)
        return f"nc {host} {port}", f"telnet {host} {port}", f"chat-tui {written}"

    @property
    def ssh_command(self) -> str:
        """The exact command for ssh; empty without an entrance for it."""
        return f"ssh -p {self.ssh.port} you@{self.best.host}" if self.ssh else ""


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
