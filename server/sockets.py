"""The door: listening, letting connections in or turning them away, and what all three models do to a socket."""

import contextlib
import errno
import logging
import os
import resource
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Protocol

from protocol.dialects import encode
from protocol.messages import Dialect, Goodbye, Limits
from protocol.text import counted
from server.address_groups import address_group
from server.connection import Connection
from server.session import Session

BACKLOG = 4096
"""Connections that may wait in the listen queue, where they are while the models change."""
ACCEPTED_AT_ONCE = 16
"""New connections taken in one turn, so that a rush at the door does not hold up the talk."""
KEEPALIVE = (60, 20, 4)
"""Seconds of silence before TCP asks, seconds between questions, questions without an answer (RFC 9293, 3.8.4)."""
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What accept(2) says when the system has nothing left, so that asking again at once is no use."""

log = logging.getLogger("chat.server")


class Source(Protocol):
    """Where connections come from: a listening socket, or what behaves like one."""

    def fileno(self) -> int:
        """A descriptor that is readable while a connection waits to be accepted."""

    def accept(self) -> tuple[socket.socket, tuple[object, ...]]:
        """A connected socket and its peer's address, host first. Never waits. Raises OSError as accept(2) does."""


class Listener:
    """The sources of connections, and the limits on which connections are accepted."""

    def __init__(
        self,
        sources: Sequence[Source],
        limits: Limits,
        max_clients: int = 0,
        max_per_ip: int = 0,
        pause: Callable[[float], object] = sleep,
    ) -> None:
        """`limits` are for connections from now on; 0 clients means no limit. `pause`: see Connection."""
        self.sources = sources
        self.limits = limits
        self.max_clients = max_clients
        self.max_per_ip = max_per_ip
        self._pause = pause
        self.on_turned_away: Callable[[], None] = lambda: None
        self._hosts: Counter[str] = Counter()
        """Connections by address group."""
        self._counting = threading.Lock()
        """Guards `_hosts`: a connection is closed by whichever thread serves it."""
        self._last_number = 0
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)

    def admit(self, start: Callable[[Connection], None]) -> None:
        """Accept a few of the waiting connections, and have the running model `start` each. `start` raises OSError for
        a connection that the system has too little left to serve; that connection is rejected."""
        for connection in self.accept():
            try:
                start(connection)
            except OSError as error:
                log.warning("connection %d cannot be served: %s", connection.number, error.strerror)
                self.turn_away(connection, f"the room is full: the server has too little left ({error.strerror})")

    def accept(self) -> Iterator[Connection]:
        """The waiting connections, a few of each source. A connection that is rejected is told the reason."""
        for source in self.sources:
            yield from self._accept_from(source)

    def _accept_from(self, source: Source) -> Iterator[Connection]:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, address = source.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._accept_on_spare(source)
                if error.errno in EXHAUSTED:
                    return
                continue  # The peer has gone again (ECONNABORTED and its like, see accept(2)).
            if (connection := self._admit(sock, str(address[0]))) is not None:
                yield connection

    def turn_away(self, peer: socket.socket | Connection, reason: str) -> None:
        """Tell a newcomer why it cannot be let in, and close. It has no dialect yet, so the words are plain."""
        self.on_turned_away()
        with contextlib.suppress(OSError):
            sock = peer if isinstance(peer, socket.socket) else peer.socket
            sock.setblocking(False)
            sock.send(encode(Goodbye("full", reason), Dialect.PLAIN))
        peer.close()

    def _admit(self, sock: socket.socket, host: str) -> Connection | None:
        group = address_group(host)
        if self.max_clients and self._hosts.total() >= self.max_clients:
            self.turn_away(sock, f"the room is full: it takes {counted(self.max_clients, 'connection')}")
            return None
        if self.max_per_ip and self._hosts[group] >= self.max_per_ip:
            are = "is" if self.max_per_ip == 1 else "are"
            words = f"there {are} {counted(self.max_per_ip, 'connection')} from your address already"
            self.turn_away(sock, words)
            return None
        try:
            prepare(sock)
        except OSError:  # The peer has gone again (EINVAL on macOS).
            sock.close()
            return None
        with self._counting:
            self._hosts[group] += 1
        self._last_number += 1
        number = self._last_number
        log.debug("connection %d opened from %s", number, host)
        session = Session.open(number, self.limits, monotonic())
        return Connection(sock, session, host, lambda: self._left(number, group), self._pause)

    def _left(self, number: int, group: str) -> None:
        log.debug("connection %d closed", number)
        with self._counting:
            self._hosts[group] -= 1
            if not self._hosts[group]:
                del self._hosts[group]

    def _accept_on_spare(self, source: Source) -> None:
        """Out of file descriptors: give up the one kept for this, to tell the newcomer and not let it hang."""
        log.warning("no file descriptor is left for a new connection; it was turned away")
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with contextlib.suppress(OSError):  # Another thread may be faster, to accept's place or to the spare's.
            sock, _ = source.accept()
            self.turn_away(sock, "the room is full: the server has no file descriptor left")
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)


def prepare(sock: socket.socket) -> None:
    """Never wait, send at once, and find out about peers that have gone without a word."""
    sock.setblocking(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return  # The rest is about TCP.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in zip(("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"), KEEPALIVE, strict=True):
        if hasattr(socket, name):  # macOS lacks the first.
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises OSError where that cannot be."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host in ("", "::"):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: each connection takes one, and up to three as a process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS says "unlimited" and means less.
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
