"""The master's side of the fork server: has workers forked by it. Descriptors travel as SCM_RIGHTS (unix(7))."""

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
"""Seconds a fork server has until it is ready to fork, and a second one for its first fork. A machine on which many
programs compete may need several; one that has died is noticed at once."""
ANSWER_TIMEOUT = 0.5
"""Seconds a fork may take before the fork server is taken to be stuck. All connections wait for it."""
EXIT_TIMEOUT = 0.3
"""Seconds it may take to exit, once it and its workers are not needed any more, before it is killed."""

GONE = "the process that forks workers is gone or stuck"

log = logging.getLogger("chat.server")


class ForkServerGone(Exception):
    """It has died, or does not answer."""


class ForkServer:
    """A running fork server, and another one should it be killed: its workers go on without it."""

    def __init__(self) -> None:
        """Start it. Raises OSError where the system has no process or descriptor left."""
        self._ends_by = inf
        try:
            self._start()
        except ForkServerGone as error:
            self._start_another(error)

    def fork(self, peer: int) -> tuple[int, Channel]:
        """Fork a worker that gets its own copy of the descriptor `peer`. Returns its pid, and our side of its pipes.

        Raises OSError with the errno of the fork (EAGAIN where there are too many processes) or of the pipes.
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

    def ended(self) -> bool:
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
                    process_group=0,  # A terminal's Ctrl-C is not for it: while it starts, it could not ignore it.
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
        """Once. Raises OSError if that one is gone, too."""
        log.warning("%s; another one is started", gone)
        try:
            self._start()
        except ForkServerGone as again:
            raise OSError(errno.ECHILD, f"{again}") from again

    def _end(self) -> None:
        """Kill it, without its workers."""
        self._process.kill()
        self._process.wait()
        self._control.close()

    def _fork(self, peer: int, within: float) -> tuple[int, Channel]:
        ours, theirs = pipes.pair()
        try:
            pid = self._ask((peer, theirs.reading, theirs.writing), within)
        except (OSError, ForkServerGone):
            # A worker that was forked without an answer finds its pipe closed. The next one gets new pipes.
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
