"""RoomChannel: the socket through which guests are handed to the server, and its log gets reports (`protocol.door`)."""

import asyncio
import errno
import logging
import socket
from time import monotonic

from protocol.door import Guest, Level, Message, Ready, Report, encode
from tui.link.connecting import Streams

SEND_TIMEOUT_S = 10.0
"""Seconds that the server has to take a guest. It takes none while it switches between models."""
RETRY_INTERVAL_S = 0.02
FULL_ERRNOS = (errno.EAGAIN, errno.ENOBUFS, errno.ETOOMANYREFS)
"""The server has not read earlier messages yet. macOS says ENOBUFS; ETOOMANYREFS counts descriptors on their way."""
LEVELS: dict[int, Level] = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
}


class RoomChannel:
    """The door's end of the channel to the server."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock

    async def connect(self, host: str) -> Streams:
        """Open a connection to the room for a guest from this address. Raises OSError or TimeoutError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                await self._send(Guest(host), theirs.fileno())
            return await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            raise

    async def _send(self, message: Message, descriptor: int) -> None:
        deadline = monotonic() + SEND_TIMEOUT_S
        while True:
            try:
                socket.send_fds(self._socket, [encode(message)], [descriptor])
                return
            except OSError as error:
                if error.errno not in FULL_ERRNOS:
                    raise
            if monotonic() >= deadline:
                raise TimeoutError
            # Not add_writer: on some systems a datagram socket counts as writable while its peer's queue is full.
            await asyncio.sleep(RETRY_INTERVAL_S)

    def tell_ready(self, fingerprint: str) -> None:
        """Tell the server that guests are accepted. Raises OSError."""
        self._socket.send(encode(Ready(fingerprint)))

    def report(self, level: int, text: str) -> None:
        """Add a line to the server's log. It is lost if the server does not read the channel."""
        nearest = max((one for one in LEVELS if one <= level), default=logging.DEBUG)
        try:
            self._socket.send(encode(Report(LEVELS[nearest], text)))
        except OSError:
            pass


class ChannelHandler(logging.Handler):
    """Sends log records to the server's log."""

    def __init__(self, channel: RoomChannel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, with its traceback, if there is one."""
        try:
            self._channel.report(record.levelno, self.format(record))
        except Exception:  # noqa: BLE001 - a record with wrong arguments must not end the code that logs it
            self.handleError(record)
