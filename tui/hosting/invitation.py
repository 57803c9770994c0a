"""Invitation: what others type to get into a room, and what the QR code on the wall holds. Pure."""

from msgspec import Struct

from tui.address import DEFAULT_PORT, Address

LOOPBACK = ("127.", "::1", "localhost")
WARNING = "Nothing here is encrypted, and everybody on the network can join."
ALONE = "Only this machine reaches it: --bind 0.0.0.0:2000 opens it to the network. Nothing is encrypted."


class Invitation(Struct, frozen=True):
    """The ways to a room, best first; there is at least one."""

    addresses: tuple[Address, ...]

    @property
    def best(self) -> Address:
        return self.addresses[0]

    @property
    def others(self) -> tuple[Address, ...]:
        return self.addresses[1:]

    @property
    def link(self) -> str:
        """What a phone reads from the QR code: apps with a terminal open it (RFC 4248), the others show it."""
        return f"telnet://{self.best}"

    @property
    def warning(self) -> str:
        """What everybody should know before joining."""
        return ALONE if self.best.host.startswith(LOOPBACK) else WARNING

    def commands(self) -> tuple[str, str, str]:
        """The exact commands for nc, telnet and chat-tui."""
        host, port = self.best.host, self.best.port
        written = host if port == DEFAULT_PORT else str(self.best)
        return f"nc {host} {port}", f"telnet {host} {port}", f"chat-tui {written}"
