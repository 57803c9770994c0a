"""Sockets: the options that each connection gets, the listening sockets, and sources of connections in general.

The server listens on each address of a host in `--bind`. A name may have several, as `localhost` has 127.0.0.1 and ::1.
They get the same port. An address that this machine lacks, as ::1 if IPv6 is off, is left out if the name has another.
"""

import contextlib
import errno
import logging
import selectors
import socket
import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn, Protocol

from msgspec.structs import replace

from server.settings import Address, SettingRefused

BACKLOG = 4096
"""Connections that may wait in the listen queue, also during a switch of models."""
ADDRESS_MISSING_ERRNOS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
"""Errors of socket(2) and bind(2) for an address that this machine lacks."""
KEEPALIVE = (15, 5, 6)
"""Seconds of silence before TCP asks, seconds between questions, questions without an answer (RFC 9293, 3.8.4). A peer
whose machine or network is gone leaves the room after 45 s; an interruption that is shorter goes unnoticed."""
KEEPALIVE_NAMES = (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), ("TCP_KEEPINTVL",), ("TCP_KEEPCNT",))
"""The names of the options. macOS has the second name of the first, as Python before 3.10.5 does there."""
UNACKNOWLEDGED_TIMEOUT_S = KEEPALIVE[0] + KEEPALIVE[1] * KEEPALIVE[2]
"""Seconds that output may stay unacknowledged. TCP sends no keepalive meanwhile, and retransmits for 15 minutes."""
MACOS_TCP_RXT_CONNDROPTIME = 0x80
"""From netinet/tcp.h. In seconds; TCP_USER_TIMEOUT is in milliseconds (RFC 5482)."""
FREE_PORT_ATTEMPTS = 16
"""Attempts to find a port that is free on all addresses of a name."""
UNSPECIFIED = ("::", "0.0.0.0")
"""Every interface. The first one also takes IPv4."""

log = logging.getLogger("chat.server")


class Source(Protocol):
    """A source of connections: a listening socket, or an object with the same methods."""

    def fileno(self) -> int:
        """A descriptor that is readable while a connection waits to be accepted."""

    def accept(self) -> tuple[socket.socket, tuple[object, ...]]:
        """A connected socket and its peer's address, host first. Never waits. Raises OSError as accept(2) does."""


class WakeupSource:
    """A source without connections. It is readable after `set`, until `accept` is called, and while a watched socket is
    readable."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reading, selectors.EVENT_READ)

    def fileno(self) -> int:
        """The descriptor of the selector, which is readable while anything in it is (epoll(7), kqueue(2))."""
        return self._selector.fileno()

    def accept(self) -> NoReturn:
        """Raises BlockingIOError, as there is no connection."""
        while True:
            self._reading.recv(64)

    def set(self) -> None:
        """Make it readable."""
        with contextlib.suppress(BlockingIOError):  # It is readable, and full.
            self._writing.send(b"\0")

    def watch(self, sock: socket.SocketType) -> None:
        """Be readable while this socket is readable."""
        self._selector.register(sock, selectors.EVENT_READ)

    def ready(self) -> list[socket.SocketType]:
        """The watched sockets that are readable now."""
        found = [key.fileobj for key, _ in self._selector.select(0)]
        return [sock for sock in found if isinstance(sock, socket.SocketType) and sock is not self._reading]

    def unwatch(self, sock: socket.SocketType) -> None:
        """Ignore this socket from now on. Harmless if it is not watched."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(sock)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a numeric address; port 0 picks a free one. "::" also takes IPv4. Raises OSError if the
    system refuses."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def prepare(sock: socket.socket) -> None:
    """Make the socket non-blocking, send without delay, and detect peers that are gone."""
    sock.setblocking(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return  # The rest is about TCP.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_OOBINLINE, 1
    )  # Telnet's data mark has its meaning by its place in the stream.
    for names, value in zip(KEEPALIVE_NAMES, KEEPALIVE, strict=True):
        for name in names:
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
                break
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_TIMEOUT_S * 1000)
    elif sys.platform == "darwin":
        sock.setsockopt(socket.IPPROTO_TCP, MACOS_TCP_RXT_CONNDROPTIME, UNACKNOWLEDGED_TIMEOUT_S)


class CannotListen(Exception):
    """The system does not allow listening there now; the message is a sentence."""


class PortInUse(CannotListen):
    """Another program listens there, or this one; the message names the address."""


class Opened(NamedTuple):
    """A listening socket, its numeric address, and the position of that address among all requested ones."""

    position: tuple[int, int]
    address: Address
    sock: socket.socket


def open_listeners(addresses: Sequence[Address], option: str = "--bind HOST:PORT") -> list[socket.socket]:
    """Listening sockets on every address that these hosts have, in that order. One that another covers is opened once.
    `option` is the one that the addresses come from.

    Raises SettingRefused for an address that is none of this machine's, CannotListen for one that is in use.
    """
    wanted = [(position, one, resolve(one)) for position, one in enumerate(dict.fromkeys(addresses))]
    wanted.sort(key=lambda entry: min(map(_rank, entry[2])))
    opened: list[Opened] = []
    try:
        for position, address, hosts in wanted:
            _open_all(position, address, hosts, opened)
    except BaseException as error:
        _close(opened)
        if isinstance(error, PortInUse):
            raise CannotListen(f"{error}; {option} chooses another") from None
        raise
    return [one.sock for one in sorted(opened, key=lambda one: one.position)]


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


def _open_all(position: int, address: Address, hosts: list[Address], opened: list[Opened]) -> None:
    """Add a listening socket for each of the `hosts` of `address` that none of those opened before covers."""
    for attempts_left in reversed(range(FREE_PORT_ATTEMPTS if address.port == 0 else 1)):
        before = len(opened)
        try:
            _try_all(position, address, hosts, opened)
            return
        except CannotListen:
            if not attempts_left or len(opened) == before:
                raise
            _close(opened[before:])  # The port that was free on one address is in use on another.
            del opened[before:]


def _try_all(position: int, address: Address, hosts: list[Address], opened: list[Opened]) -> None:
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
                raise PortInUse(f"{one} is in use already") from None
            if error.errno not in ADDRESS_MISSING_ERRNOS:
                raise CannotListen(f"the server cannot listen on {one}: {error.strerror}") from None
            log.info("the server does not listen on %s: %s", one, error.strerror)
            missing.append(error)
            continue
        port = sock.getsockname()[1]
        opened.append(Opened((position, number), replace(host, port=port), sock))
    if len(missing) == len(hosts):
        raise SettingRefused(f"the server cannot listen on {address}: {missing[0].strerror}")


def _close(opened: Sequence[Opened]) -> None:
    for one in opened:
        one.sock.close()
