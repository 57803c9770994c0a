"""ClosingSockets: connections outside the room that get their last bytes, and time to read them.

To close a socket at once, with bytes unread, would reset the connection, and the peer would lose the reason (RFC 9112,
section 9.6). So its sending side is shut down, input is dropped, and it is closed when the peer has closed it.
"""

import socket
from contextlib import suppress

from server.connection import Connection
from server.sockets import WakeupSource

LINGER_S = 2.0
"""Seconds that the peer has to take the bytes and to close."""
MAX_CLOSING = 64
"""Connections that the peer may still close. One more closes the oldest."""
DROPPED_BYTES = 4096
"""Bytes of input that are read at a time, and dropped."""


class _Closing:
    __slots__ = ("deadline", "peer", "sock", "unsent")

    def __init__(self, peer: socket.socket | Connection, data: bytes, deadline: float) -> None:
        self.peer = peer
        self.sock = peer.socket if isinstance(peer, Connection) else peer
        self.unsent = data
        self.deadline = deadline

    def flush(self) -> None:
        """Write as much as the peer takes, and then shut the sending side down. Raises OSError if it is gone."""
        with suppress(BlockingIOError, InterruptedError):
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        if not self.unsent:
            self.sock.shutdown(socket.SHUT_WR)


class ClosingSockets:
    """The sockets that are closing. `wakeup` becomes readable when a peer has sent or closed something."""

    def __init__(self, wakeup: WakeupSource) -> None:
        self._wakeup = wakeup
        self._sockets: list[_Closing] = []

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, peer: socket.socket | Connection, data: bytes, now: float, *, lingers: bool = True) -> None:
        """Send the last bytes to a peer, and close it. Without `lingers`, it is closed at once."""
        closing = _Closing(peer, data, now + LINGER_S)
        try:
            closing.sock.setblocking(False)
            closing.flush()
        except OSError:
            lingers = False
        if not lingers:
            peer.close()
            return
        self._wakeup.watch(closing.sock)
        self._sockets.append(closing)
        if len(self._sockets) > MAX_CLOSING:
            self._close(self._sockets[0])

    def advance(self, now: float) -> None:
        """Write what is left, drop input, and close the sockets that have ended or whose time is over."""
        for closing in list(self._sockets):
            try:
                if closing.unsent:
                    closing.flush()
                has_ended = not closing.sock.recv(DROPPED_BYTES)
            except (BlockingIOError, InterruptedError):
                has_ended = False
            except OSError:
                has_ended = True
            if has_ended or now >= closing.deadline:
                self._close(closing)

    def _close(self, closing: _Closing) -> None:
        self._sockets.remove(closing)
        self._wakeup.unwatch(closing.sock)
        closing.peer.close()
