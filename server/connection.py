"""Connection: a socket with its Session, as all three models use it. It passes from one model to the next as it is.

Light on purpose: a worker process of the process model has little more than this.
"""

import select
import socket
from collections.abc import Callable, Iterable, Iterator
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from time import sleep

from server.session import Request, Session

READ_SIZE = 64 * 1024
LONGEST_SLEEP = 86_400.0
"""Seconds. poll(2) takes a month at most, and an idle timeout may be a year."""
FEW = 16
"""Connections taken between two looks at who speaks."""


class InjectedFault(Exception):
    """Raised on purpose: see `server.room.faults.inject_fault`."""


class Connection:
    """A peer: its socket, its session, and what was left to do at the socket."""

    __slots__ = ("_closed", "_deaf", "_finished", "_pause", "host", "session", "socket")

    def __init__(
        self,
        sock: socket.SocketType,
        session: Session,
        host: str = "",
        closed: Callable[[], None] | None = None,
        pause: Callable[[float], object] = sleep,
    ) -> None:
        """`host` is the peer's address; `closed` is called once, when the connection is closed here. `pause` is for
        chaos: it sleeps so many seconds, and less if the model is asked to stop."""
        self.socket = sock
        self.host = host
        self.session = session
        self._closed = closed
        self._pause = pause
        self._deaf = False
        self._finished = False

    @property
    def number(self) -> int:
        """Which connection this is, counted from 1 since the server began."""
        return self.session.number

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self, now: float) -> list[Request]:
        """Read once without waiting; returns what is to be told to the room."""
        self.suffer()
        try:
            data = self.socket.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            self.session.close()
            return []
        if data:
            return self.session.receive(data, now)
        # Who closed its side and does not take what we send is gone; who only closed its side may still listen.
        if self._deaf:
            self.session.close()
        return self.session.end(now)

    def send(self, data: bytes, mark: int, now: float) -> bool:
        """Write without waiting; what does not go is kept in the session. False where something is left to do for it:
        bytes to write, or what the mark says."""
        if mark:
            self.session.strike(mark)  # First: another thread may serve this connection, and its peer be quick.
        sent = 0 if self.session.unsent else self.write(data)
        if sent == len(data) and not mark:
            return True
        self.keep(memoryview(data)[sent:], mark, now)
        return False

    def write(self, data: bytes | bytearray) -> int:
        """Write once without waiting; returns how many bytes are done with. A peer that takes none any more is written
        to no longer."""
        if self._deaf:
            return len(data)
        try:
            return self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            # What the peer said before may still wait to be read.
            self._deaf = True
            return len(data)

    def keep(self, data: memoryview, mark: int, now: float) -> None:
        """Note what could not be written, and what the room said of this connection."""
        self.session.queue(data, mark, now)
        self._finish()

    def flush(self, now: float) -> None:
        """Write what was kept, as far as the peer takes it now."""
        self.session.sent(self.write(self.session.unsent), now)
        self._finish()

    def advance(self, now: float) -> list[Request]:
        """Do what has become due, or become affordable, without reading."""
        self.suffer()
        items = self.session.advance(now)
        if self.session.lines.has_line and not self.session.is_closing and self._is_peer_gone():
            self.session.close()  # The lines that it could not afford by now are not said for hours.
        return items

    def _is_peer_gone(self) -> bool:
        """Whether the connection was reset, or takes nothing any more. While lines wait, nothing is read that tells."""
        return self._deaf or bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def suffer(self) -> None:
        """Let chaos that an operator asked for happen, here where this connection is served."""
        fault, self.session.fault = self.session.fault, 0.0
        if fault == inf:
            raise InjectedFault("an operator asked for this exception")
        if fault:
            self._pause(fault)

    def interest(self, now: float) -> int:
        """What to wait for, as `selectors` has it: EVENT_READ, EVENT_WRITE, both or 0."""
        return EVENT_READ * self.session.wants_read(now) | EVENT_WRITE * bool(self.session.unsent)

    def over(self, now: float) -> bool:
        """Whether nothing is left but to close it."""
        return self.session.over(now)

    def hang_up(self) -> None:
        """End it for both sides; whoever sleeps on it wakes."""
        self._shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back. `shutdown` tells the peer even where a child process still holds a copy."""
        self.hang_up()
        self.socket.close()
        self.session.close()
        if self._closed is not None:
            self._closed()
            self._closed = None

    def _finish(self) -> None:
        """Once all is out, tell a peer that is let go that nothing more comes, and leave it to close (RFC 9112, 9.6):
        closing at once, with bytes unread, would reset the connection and take our last words from it."""
        if self.session.is_closing and not self.session.unsent and not self._finished:
            self._finished = True
            self._shutdown(socket.SHUT_WR)

    def _shutdown(self, how: int) -> None:
        try:
            self.socket.shutdown(how)
        except OSError:
            pass  # The peer was faster.


def readable_first(connections: Iterable[Connection]) -> Iterator[Connection]:
    """Each of these, in their order; but who has said something that waits to be read comes before all who are left.

    To be taken one by one by who needs time for each: it looks again every FEW of them.
    """
    left = {connection.fileno(): connection for connection in connections}
    poller = select.poll()
    for descriptor in left:
        poller.register(descriptor, select.POLLIN)
    while left:
        for descriptor in [descriptor for descriptor, _ in poller.poll(0)] or list(left)[:FEW]:
            poller.unregister(descriptor)
            yield left.pop(descriptor)
