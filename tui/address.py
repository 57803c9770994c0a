"""Parses the address of a room: `HOST`, `HOST:PORT` or `[IPv6]:PORT`. Pure: no name is looked up."""

import re
from ipaddress import ip_address

from msgspec import Struct

DEFAULT_PORT = 2000
_LOOPBACKS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""The addresses of all interfaces, each with the address that connects to it from this machine."""
_HOST_NAME = re.compile(r"[^\s:/\[\]@?#]{1,253}")
_SCHEME = re.compile(r"(telnet|tcp|https?)://", re.IGNORECASE)
"""A scheme is skipped. It says nothing about the port: an address without one gets the default."""
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?")


class AddressRefused(ValueError):
    """The text is not an address; the message is a sentence with the reason."""


class Address(Struct, frozen=True):
    """A host (a name, an IPv4 or an IPv6 address, without brackets) and a port. `str` writes it with the port, and an
    IPv6 address in brackets."""

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, written: str, port: int = DEFAULT_PORT) -> "Address":
        """The address in `written`, with `port` if it has none. Raises AddressRefused."""
        host, given = _split(_SCHEME.sub("", written.strip()).removesuffix("/"))
        if not host:
            raise AddressRefused(f"{written!r} names no host; write HOST or HOST:PORT")
        if not (_IPV6 if ":" in host else _HOST_NAME).fullmatch(host):
            raise AddressRefused(f"{host!r} is no host name; write HOST or HOST:PORT, an IPv6 address in brackets")
        return cls(host, port if given is None else _port(given))

    @classmethod
    def parse_with_port(cls, written: str, port: str) -> "Address":
        """The address of `written` and `port`, as in `nc HOST PORT`. Raises AddressRefused, also for two ports."""
        host, given = _split(_SCHEME.sub("", written.strip()).removesuffix("/"))
        if given is not None:
            raise AddressRefused(f"{written!r} has a port already; leave {port!r} out")
        return cls.parse(f"[{host}]" if ":" in host else host, _port(port))

    @property
    def is_everywhere(self) -> bool:
        """Whether a server that is bound to this address listens on all interfaces."""
        return self.host in _LOOPBACKS

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the host."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # A name.
            return self.host == "localhost"

    @property
    def is_name(self) -> bool:
        """Whether the host is a name, and not an IP address."""
        return ":" not in self.host and re.fullmatch(r"[\d.]+", self.host) is None

    def from_here(self) -> "Address":
        """The address that connects this machine to a server which is bound to this one."""
        return Address(_LOOPBACKS.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _split(written: str) -> tuple[str, str | None]:
    if written.startswith("["):
        host, bracket, rest = written[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressRefused(f"{written!r} has a bracket too few; write [IPv6]:PORT")
        if ":" not in host:
            raise AddressRefused(f"{host!r} is no IPv6 address, and only those are written in brackets")
        return host, rest[1:] if rest else None
    if written.count(":") > 1:  # An IPv6 address without brackets: a port after it would be ambiguous.
        return written, None
    host, colon, port = written.partition(":")
    return host, port if colon else None


def _port(written: str) -> int:
    # isascii: int() also takes the digits of other scripts.
    if not (written.isascii() and written.isdecimal() and len(written) <= 5 and 0 < int(written) < 65536):
        raise AddressRefused(f"{written!r} is no port; a port is a number from 1 to 65535")
    return int(written)
