"""Opens the listening sockets: one for every address that each host of `--bind` has.

A name may have several addresses, as `localhost` has 127.0.0.1 and ::1. They get the same port. An address that this
machine lacks, as ::1 where IPv6 is off, is left out where the name has another.
"""

import errno
import logging
import socket
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from server.settings import Address, SettingRefused
from server.sources import listen

ADDRESS_MISSING_ERRNOS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
"""Errors of socket(2) and bind(2) for an address that this machine lacks."""
FREE_PORT_ATTEMPTS = 16
"""Attempts to find a port that is free on all addresses of a name."""
UNSPECIFIED = ("::", "0.0.0.0")
"""Every interface. The first one also takes IPv4."""

log = logging.getLogger("chat.server")


class CannotListen(Exception):
    """The system does not allow listening there now; the message is a sentence."""


class Opened(NamedTuple):
    """A listening socket, its numeric address, and the position of that address among all requested ones."""

    place: tuple[int, int]
    address: Address
    sock: socket.socket


def open_listeners(addresses: Sequence[Address]) -> list[socket.socket]:
    """Listening sockets on every address that these hosts have, in that order. One that another covers is opened once.

    Raises SettingRefused for an address that is none of this machine's, CannotListen for one that is in use.
    """
    wanted = [(place, one, resolve(one)) for place, one in enumerate(dict.fromkeys(addresses))]
    wanted.sort(key=lambda entry: min(map(_rank, entry[2])))
    opened: list[Opened] = []
    try:
        for place, address, hosts in wanted:
            _open_all(place, address, hosts, opened)
    except BaseException:
        _close(opened)
        raise
    return [one.sock for one in sorted(opened, key=lambda one: one.place)]


def resolve(address: Address) -> list[Address]:
    """The numeric addresses that a host has, in the resolver's order. Raises SettingRefused."""
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError:
        raise SettingRefused(f"the server cannot listen on {address}: that is no name of a host") from None
    except OSError as error:
        raise SettingRefused(f"the server cannot listen on {address}: {error.strerror}") from None
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV  # A link-local address keeps its zone.
    return list(dict.fromkeys(Address(socket.getnameinfo(one[4], flags)[0], address.port) for one in found))


def covers(address: Address, other: Address) -> bool:
    """Whether a socket that listens on one numeric address also accepts connections to the other one."""
    hosts = (other.host, "::") if ":" in other.host else (other.host, *UNSPECIFIED)
    return address.port == other.port and address.host in hosts


def _rank(address: Address) -> int:
    """The order of opening: an address that covers others comes before them."""
    return UNSPECIFIED.index(address.host) if address.host in UNSPECIFIED else len(UNSPECIFIED)


def _open_all(place: int, address: Address, hosts: list[Address], opened: list[Opened]) -> None:
    """Add a listening socket for each of the `hosts` of `address` that none of those opened before covers."""
    for attempts_left in reversed(range(FREE_PORT_ATTEMPTS if address.port == 0 else 1)):
        before = len(opened)
        try:
            _try_all(place, address, hosts, opened)
            return
        except CannotListen:
            if not attempts_left or len(opened) == before:
                raise
            _close(opened[before:])  # The port that was free on one address is in use on another.
            del opened[before:]


def _try_all(place: int, address: Address, hosts: list[Address], opened: list[Opened]) -> None:
    port = address.port
    missing: list[OSError] = []
    for number, host in sorted(enumerate(hosts), key=lambda entry: _rank(entry[1])):
        one = replace(host, port=port)
        if port and any(covers(other.address, one) for other in opened):
            continue
        try:
            sock = listen(one.host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotListen(f"{one} is in use already; --bind HOST:PORT chooses another") from None
            if error.errno not in ADDRESS_MISSING_ERRNOS:
                raise CannotListen(f"the server cannot listen on {one}: {error.strerror}") from None
            log.info("the server does not listen on %s: %s", one, error.strerror)
            missing.append(error)
            continue
        port = sock.getsockname()[1]
        opened.append(Opened((place, number), replace(host, port=port), sock))
    if len(missing) == len(hosts):
        raise SettingRefused(f"the server cannot listen on {address}: {missing[0].strerror}")


def _close(opened: Sequence[Opened]) -> None:
    for one in opened:
        one.sock.close()
