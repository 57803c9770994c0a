"""The master's side of the fork server: it requests workers. Descriptors travel as SCM_RIGHTS (unix(7))."""

import errno
import logging
import os
import signal
import socket
import subprocess
from math import inf
from time import monotonic

import three_chat_rooms
from server.models.support.process import fork_server, pipes
from server.models.support.process.pipes import Channel

START_TIMEOUT = 20.0
"""Seconds within which a fork server must be ready to fork, and a restarted one must have forked. A busy machine may
need several. The master notices at once if the fork server dies."""
ANSWER_TIMEOUT = 0.5
"""Seconds a fork may take before the fork server counts as stuck. All connections wait meanwhile."""
EXIT_TIMEOUT = 0.3
"""Seconds within which the fork server and its workers must exit before they are killed."""

GONE = "the process that forks workers is gone or stuck"

log = logging.getLogger("chat.server")


class ForkServerGone(Exception):
    """The fork server has died, or does not answer."""


class ForkServer:
    """A running fork server. If it dies, its workers go on, and another fork server is started."""

    def __init__(self) -> None:
        """Start a fork server. Raises OSError if the system has no process or descriptor left."""
        self._ends_by = inf
        try:
            self._start()
        except ForkServerGone as error:
            self._start_another(error)

    def fork(self, peer: int) -> tuple[int, Channel]:
        """Fork a worker that gets its own copy of the descriptor `peer`. Returns its pid and our side of its pipes.

        Raises OSError with the errno of the fork (EAGAIN if there are too many processes) or of the pipes.
        """
        try:
            return self._fork(peer, ANSWER_TIMEOUT)
        except ForkServerGone as error:
            self._end()
            self._start_another(error)
        try:
            return self._fork(peer, START_TIMEOUT)
        except ForkServerGone as error:
            raise OSError(errno.ECHILD, f"{error}") from error

    def has_ended(self) -> bool:
        """Whether it has exited. The first call closes the control socket, which makes it exit after its children; its
        process group is killed after EXIT_TIMEOUT."""
        self._control.close()
        self._ends_by = min(self._ends_by, monotonic() + EXIT_TIMEOUT)
        if self._process.poll() is None and monotonic() >= self._ends_by:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return self._process.returncode is not None

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                command = three_chat_rooms.command_line(fork_server.__name__, str(theirs.fileno()))
                self._process = subprocess.Popen(
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    process_group=0,  # Ctrl-C must not reach it before it ignores SIGINT.
                )
        except OSError:
            self._control.close()
            raise
        try:
            self._answer(START_TIMEOUT)
        except ForkServerGone:
            self._end()
            raise

    def _start_another(self, gone: ForkServerGone) -> None:
        """Raises OSError if that one fails, too."""
        log.warning("%s; another one is started", gone)
        try:
            self._start()
        except ForkServerGone as again:
            raise OSError(errno.ECHILD, f"{again}") from again

    def _end(self) -> None:
        """Kill the fork server, but not its workers."""
        self._process.kill()
        self._process.wait()
        self._control.close()

    def _fork(self, peer: int, within: float) -> tuple[int, Channel]:
        ours, theirs = pipes.pair()
        try:
            pid = self._ask((peer, theirs.reading, theirs.writing), within)
        except (OSError, ForkServerGone):
            # If a worker was forked without an answer, it finds its pipe closed. The next attempt uses new pipes.
            ours.close()
            raise
        finally:
            theirs.close()
        return pid, ours

    def _ask(self, descriptors: tuple[int, ...], within: float) -> int:
        try:
            socket.send_fds(self._control, [b"f"], descriptors)
        except OSError as error:
            raise ForkServerGone(GONE) from error
        pid = self._answer(within)
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def _answer(self, within: float) -> int:
        self._control.settimeout(within)
        try:
            answer = self._control.recv(fork_server.ANSWER.size)
        except OSError:
            answer = b""
        if len(answer) < fork_server.ANSWER.size:
            raise ForkServerGone(GONE)
        number: int = fork_server.ANSWER.unpack(answer)[0]
        return number
