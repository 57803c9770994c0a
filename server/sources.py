"""Sources of connections: listening sockets, and objects with the same methods."""

import contextlib
import selectors
import socket
from typing import NoReturn, Protocol

BACKLOG = 4096
"""Connections that may wait in the listen queue, also during a switch of models."""


class Source(Protocol):
    """A source of connections: a listening socket, or an object with the same methods."""

    def fileno(self) -> int:
        """A descriptor that is readable while a connection waits to be accepted."""

    def accept(self) -> tuple[socket.socket, tuple[object, ...]]:
        """A connected socket and its peer's address, host first. Never waits. Raises OSError as accept(2) does."""


class WakeupSource:
    """A source without connections: it is readable once it was `set`, until it is asked to accept, and while a watched
    socket is readable."""

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

    def unwatch(self, sock: socket.SocketType) -> None:
        """Ignore this socket from now on. Harmless where it is not watched."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(sock)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a numeric address; port 0 picks a free one. "::" also takes IPv4. Raises OSError where that
    cannot be."""
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
