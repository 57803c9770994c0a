"""Invitation: the commands with which others join a room, and the link for the QR code. Pure."""

from ipaddress import ip_address

from msgspec import Struct

from tui.address import DEFAULT_PORT, Address

EVERYWHERE = ("0.0.0.0", "::")
ON_THE_NETWORK = "Nothing here is encrypted, and everybody on the network can join."
CLOSED = "Only this machine reaches it: --bind 0.0.0.0:2000 opens it to the network. Nothing is encrypted."
NO_NETWORK = "This machine has no network now, so only itself reaches it. Nothing is encrypted."
THIS_MACHINE = "This address leads here from this machine only. Nothing is encrypted."


class Invitation(Struct, frozen=True):
    """The addresses of a room, the best first; there is at least one."""

    addresses: tuple[Address, ...]
    bound: tuple[Address, ...] = ()
    """The listening addresses of a hosted server; empty for a guest, who does not know them."""

    @property
    def best(self) -> Address:
        return self.addresses[0]

    @property
    def others(self) -> tuple[Address, ...]:
        return self.addresses[1:]

    @property
    def link(self) -> str:
        """The link in the QR code. Terminal apps on a phone open it (RFC 4248), other apps show it."""
        return f"telnet://{self.best}"

    @property
    def warning(self) -> str:
        """The warning for people who are about to join."""
        if not is_loopback(self.best.host):
            return ON_THE_NETWORK
        if not self.bound:
            return THIS_MACHINE
        return NO_NETWORK if any(one.host in EVERYWHERE for one in self.bound) else CLOSED

    def commands(self) -> tuple[str, str, str]:
        """The exact commands for nc, telnet and chat-tui."""
        host, port = self.best.host, self.best.port
        written = host if port == DEFAULT_PORT else str(self.best)
        return f"nc {host} {port}", f"telnet {host} {port}", f"chat-tui {written}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # A name.
        return host == "localhost"
