"""Connection: a socket with its Session, as all three models use it, and `broadcast`, which writes to many of them.

A handover does not change a Connection. It is light on purpose: a worker of the process model holds little more.
"""

import select
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from socket import SocketType
from time import sleep

from server.room.outbox import Outbox
from server.session import Session
from server.session_types import DeliveryFlags, Request

READ_SIZE = 64 * 1024
MAX_SLEEP_S = 86_400.0
"""Seconds. poll(2) sleeps for a month at most, and an idle timeout may be a year."""
BATCH_SIZE = 16
"""Connections taken between two polls of all that are left."""


class InjectedFault(Exception):
    """Raised on purpose: see `server.room.faults.inject_fault`."""


class Connection:
    """A peer's socket and session."""

    __slots__ = ("_is_shut_down", "_on_close", "_pause", "_write_failed", "host", "session", "socket")

    def __init__(
        self,
        sock: socket.SocketType,
        session: Session,
        host: str = "",
        on_close: Callable[[], None] | None = None,
        pause: Callable[[float], object] = sleep,
    ) -> None:
        """`host` is the peer's address; `on_close` is called once, when the connection is closed. `pause` sleeps for an
        injected fault: for so many seconds, or until the model is asked to stop."""
        self.socket = sock
        self.host = host
        self.session = session
        self._on_close = on_close
        self._pause = pause
        self._write_failed = False
        self._is_shut_down = False

    @property
    def number(self) -> int:
        """The number of this connection, counted from 1 since the server began."""
        return self.session.number

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self, now: float) -> list[Request]:
        """Read once without waiting; returns the requests for the room."""
        self.apply_fault()
        try:
            data = self.socket.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            self.session.close()
            return []
        if data:
            return self.session.receive(data, now)
        # A peer that has closed its side and takes no output is gone; one that has only closed its side may still read.
        if self._write_failed:
            self.session.close()
        return self.session.end(now)

    def send(self, data: bytes, flags: int, now: float) -> bool:
        """Write without waiting; the session keeps the rest. False if the connection has something left to do: bytes to
        write, or the flags in `flags`."""
        if flags:
            # First of all: another thread may serve this connection, and its peer may answer at once.
            self.session.set_fault(flags)
        sent = 0 if self.session.unsent else self.write(data)
        if sent == len(data) and not flags:
            return True
        self.queue_unsent(memoryview(data)[sent:], flags, now)
        return False

    def write(self, data: bytes | bytearray) -> int:
        """Write once without waiting; returns the number of bytes that need no further attempt. After an error, all
        bytes are dropped."""
        if self._write_failed:
            return len(data)
        try:
            return self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            # Lines that the peer sent before may still wait to be read.
            self._write_failed = True
            return len(data)

    def queue_unsent(self, data: memoryview, flags: int, now: float) -> None:
        """Queue the bytes that could not be written, and apply the flags in `flags`."""
        self.session.queue(data, flags, now)
        self._shutdown_if_sent()

    def flush(self, now: float) -> None:
        """Write queued bytes, as far as the peer takes them now."""
        self.session.sent(self.write(self.session.unsent), now)
        self._shutdown_if_sent()

    def advance(self, now: float) -> list[Request]:
        """Meet the deadlines that have passed, and take lines that the rate limit allows now, without reading."""
        self.apply_fault()
        items = self.session.advance(now)
        if self.session.lines.has_line and not self.session.is_closing and self._is_peer_gone():
            self.session.close()  # Otherwise its waiting lines would be said for hours after it has gone.
        return items

    def _is_peer_gone(self) -> bool:
        """Whether the connection was reset, or writing has failed. While lines wait, no read would tell."""
        return self._write_failed or bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def apply_fault(self) -> None:
        """Carry out an injected fault, in the code that serves this connection."""
        fault, self.session.injected_fault = self.session.injected_fault, 0.0
        if fault == inf:
            raise InjectedFault("an operator asked for this exception")
        if fault:
            self._pause(fault)

    def interest(self, now: float) -> int:
        """The events to wait for, as in `selectors`: EVENT_READ, EVENT_WRITE, both or 0."""
        return EVENT_READ * self.session.wants_read(now) | EVENT_WRITE * bool(self.session.unsent)

    def is_over(self, now: float) -> bool:
        """Whether the connection can be closed."""
        return self.session.is_over(now)

    def shutdown(self) -> None:
        """Shut the socket down for both sides, which wakes a thread that sleeps on it."""
        self._shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket. The peer notices even if a child process still holds a copy, by `shutdown`."""
        self.shutdown()
        self.socket.close()
        self.session.close()
        if self._on_close is not None:
            self._on_close()
            self._on_close = None

    def _shutdown_if_sent(self) -> None:
        """Once a closing connection has sent its last bytes, shut its sending side down and let the peer close it
        (RFC 9112, 9.6): closing it at once, with bytes unread, would reset it, and the peer would lose the goodbye."""
        if self.session.is_closing and not self.session.unsent and not self._is_shut_down:
            self._is_shut_down = True
            self._shutdown(socket.SHUT_WR)

    def _shutdown(self, how: int) -> None:
        try:
            self.socket.shutdown(how)
        except OSError:
            pass  # The peer has closed it already.


def readable_first(connections: Iterable[Connection]) -> Iterator[Connection]:
    """Yield each connection once, in order, but those with input that waits to be read first.

    The caller takes time for each; all that are left are polled again after every BATCH_SIZE of them.
    """
    left = {connection.fileno(): connection for connection in connections}
    poller = select.poll()
    for descriptor in left:
        poller.register(descriptor, select.POLLIN)
    while left:
        for descriptor in [descriptor for descriptor, _ in poller.poll(0)] or list(left)[:BATCH_SIZE]:
            poller.unregister(descriptor)
            yield left.pop(descriptor)


def broadcast(outbox: Outbox, connections: Mapping[int, Connection], now: float) -> list[Connection]:
    """Write to each connection its part of the room's output, without waiting. Returns the connections that have
    something left to do: bytes to write, or the flags of a delivery."""
    left: list[Connection] = []
    shared, personal = outbox.by_recipient()
    for data, numbers in shared:
        left += send_to_all(data, [peer for peer in map(connections.get, numbers) if peer is not None], now)
    for number, data, flags in personal:
        connection = connections.get(number)
        if connection is not None and not connection.send(data, flags, now):
            left.append(connection)
    return left


def send_to_all(data: bytes, connections: list[Connection], now: float) -> list[Connection]:
    """Write the same bytes to each; a session keeps the rest that its peer does not take. Returns the connections with
    such a rest."""
    prompt = [connection for connection in connections if not connection.session.unsent]
    # A line for a thousand members is a thousand sends of the same bytes. `map` runs no Python code between two of
    # them: the closer together they are, the fewer times the kernel has to wake the readers.
    sends = map(SocketType.send, [connection.socket for connection in prompt], repeat(data))
    taken: list[int] = []
    while len(taken) < len(prompt):
        try:
            taken.extend(sends)
        except OSError:  # One connection failed: those before it are in the list by now, and those after it follow.
            taken.append(prompt[len(taken)].write(data))
    if taken.count(len(data)) == len(connections):
        return []
    took = dict(zip(prompt, taken, strict=True))
    late = [connection for connection in connections if took.get(connection, 0) < len(data)]
    for connection in late:
        connection.queue_unsent(memoryview(data)[took.get(connection, 0) :], DeliveryFlags.NONE, now)
    return late
