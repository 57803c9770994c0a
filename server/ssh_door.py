"""SshDoor: the program that accepts guests by ssh, as a child process, and the source of their connections.

The program (`tui.ssh`) is a process of its own: a key exchange takes tens of milliseconds of a processor, the
cryptography takes memory that each worker would copy, and if the program fails, the room goes on. It inherits the
listening sockets, so they stay open while it is started again. It sends one end of a socket pair for each guest,
with the guest's address, through an inherited socket that no other program has (`protocol.door`).
"""

import errno
import logging
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

import three_chat_rooms
from protocol import door
from protocol.sanitize import sanitize

FIRST_DELAY_S, MAX_DELAY_S = 1.0, 60.0
"""Seconds until a program that has ended is started again: doubled each time, up to the maximum."""
STABLE_AFTER_S = 60.0
"""Seconds after which a program counts as stable, and the delay is short again."""
END_TIMEOUT_S = 0.3
"""Seconds that the program gets for its guests' last lines when the server ends."""
SEND_BUFFER_BYTES = 4 * door.MAX_MESSAGE_BYTES
MODULE = "tui.ssh"
MAX_REPORTS = 64
"""Messages without a guest that are read in one `accept`."""

log = logging.getLogger("chat.ssh")


class SshDoor:
    """A source of connections: `server.sockets.Source`. Only the main thread uses it."""

    def __init__(self, sockets: Sequence[socket.socket], host_key: str, on_ready: Callable[[str], None]) -> None:
        """The program accepts guests from `sockets`, and keeps its key in the file `host_key`; if that is empty, in the
        user's folder for data. `on_ready` gets the fingerprint of the key each time the program is ready."""
        self._sockets = sockets
        self._host_key = host_key
        self._on_ready = on_ready
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ours.setblocking(False)
        # macOS allows only 2 KiB for a datagram otherwise.
        self._theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_at = monotonic()
        """When the program is to be started, in seconds of the monotonic clock."""
        self._delay = FIRST_DELAY_S
        self._given_up = False

    @property
    def pid(self) -> int | None:
        """The process id of the program; None while it does not run."""
        return self._process.pid if self._process is not None else None

    def fileno(self) -> int:
        return self._ours.fileno()

    def accept(self) -> tuple[socket.socket, tuple[object, ...]]:
        """The connection of the next guest, and its address. Reports of the program are logged. Raises OSError:
        BlockingIOError if no guest waits."""
        for _ in range(MAX_REPORTS):
            data, descriptors, _, _ = socket.recv_fds(self._ours, door.MAX_MESSAGE_BYTES, 1)
            try:
                message = door.decode(data)
            except door.Malformed:
                message = door.Report("error", "the ssh program sent a message that the server does not know")
            if isinstance(message, door.Guest) and descriptors:
                os.set_inheritable(descriptors[0], False)
                return socket.socket(fileno=descriptors[0]), (message.host,)
            for descriptor in descriptors:
                os.close(descriptor)
            if isinstance(message, door.Guest):
                # The descriptor could not be received, most likely because none is left (recvmsg(2), MSG_CTRUNC).
                log.warning("a guest by ssh from %s cannot be served: no file descriptor is left", message.host)
                raise OSError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
            self._handle(message)
        raise BlockingIOError

    def _handle(self, message: door.Ready | door.Report) -> None:
        if isinstance(message, door.Ready):
            self._on_ready(sanitize(message.fingerprint))
        else:
            log.log(getattr(logging, message.level.upper()), "%s", message.text)

    def tend(self) -> None:
        """Start the program, and again after it has ended, though not too often. Call this several times a second."""
        now = monotonic()
        if self._process is not None and (code := self._process.poll()) is not None:
            self._process = None
            self._on_exit(code, now)
        if self._process is None and not self._given_up and now >= self._start_at:
            self._start(now)

    def _on_exit(self, code: int, now: float) -> None:
        if code == three_chat_rooms.EXIT_CONFIGURATION:
            self._given_up = True
            self._stop_listening()
            log.error("nobody can join by ssh until the server is started again")
            return
        if now - self._started_at >= STABLE_AFTER_S:
            self._delay = FIRST_DELAY_S
        words = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.error("the program for ssh has ended (%s), and is started again in %g s", words, self._delay)
        self._postpone(now)

    def _postpone(self, now: float) -> None:
        self._start_at, self._delay = now + self._delay, min(MAX_DELAY_S, 2 * self._delay)

    def _stop_listening(self) -> None:
        """Refuse connections from now on. Otherwise clients would wait for an answer for ever."""
        for sock in self._sockets:
            with suppress(OSError):  # macOS: a socket that listens is not connected.
                sock.shutdown(socket.SHUT_RDWR)  # Also for copies of the socket in forked processes.
            sock.close()

    def _start(self, now: float) -> None:
        channel = self._theirs.fileno()
        listening = [sock.fileno() for sock in self._sockets]
        command = three_chat_rooms.command_line(MODULE, str(channel), self._host_key, *map(str, listening))
        try:
            # The program ends at the end of its standard input, which closes with this process however that ends.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[channel, *listening],
                process_group=0,  # Ctrl-C in the terminal is for the server, which ends the program after the goodbyes.
            )
        except OSError as error:
            self._postpone(now)
            log.error("the program for ssh cannot be started: %s", error.strerror)
        self._started_at = now

    def close(self) -> None:
        """End the program, and close all sockets."""
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                self._process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        for sock in (self._ours, self._theirs, *self._sockets):
            sock.close()
