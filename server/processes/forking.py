"""The master's side of the fork server: has workers forked by it. Descriptors travel as SCM_RIGHTS (unix(7))."""

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
from math import inf
from time import monotonic

from server.processes import pipes
from server.processes.forkserver import ANSWER
from server.processes.pipes import Channel

STARTS_WITHIN = 5.0
"""Seconds a fork server has until it is ready to fork."""
ANSWERS_WITHIN = 0.5
"""Seconds a fork may take before the fork server is taken to be stuck. Everybody waits for it."""
ENDS_WITHIN = 0.3
"""Seconds it may take to end, once nobody needs it or its workers any more, before it is killed."""

GONE = "the process that forks workers is gone or stuck"

log = logging.getLogger("chat.server")


class ForkServerGone(Exception):
    """It has died, or does not answer."""


class ForkServer:
    """A running `forkserver`, and another one should it be killed: the workers do not need it any more."""

    def __init__(self) -> None:
        """Start it. Raises OSError where there is no process to be had."""
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
            return self._fork(peer)
        except ForkServerGone as error:
            self._end()
            self._start_another(error)
        try:
            return self._fork(peer)
        except ForkServerGone as error:
            raise OSError(errno.ECHILD, f"{error}") from error

    def ended(self) -> bool:
        """Whether it has ended, and its children before it. It ends when it is first asked; whoever of them hangs, is
        killed after ENDS_WITHIN seconds."""
        self._control.close()
        self._ends_by = min(self._ends_by, monotonic() + ENDS_WITHIN)
        if self._process.poll() is None and monotonic() >= self._ends_by:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return self._process.returncode is not None

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                # -P: what lies in the folder that the server was started in is not ours.
                command = [sys.executable, "-P", "-m", "server.processes.forkserver", str(theirs.fileno())]
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
            self._answer(STARTS_WITHIN)
        except ForkServerGone:
            self._end()
            raise

    def _start_another(self, gone: ForkServerGone) -> None:
        """Once. Raises OSError where that one is gone, too."""
        log.warning("%s; another one is started", gone)
        try:
            self._start()
        except ForkServerGone as again:
            raise OSError(errno.ECHILD, f"{again}") from again

    def _end(self) -> None:
        """At once, and it alone: its workers go on."""
        self._process.kill()
        self._process.wait()
        self._control.close()

    def _fork(self, peer: int) -> tuple[int, Channel]:
        ours, theirs = pipes.pair()
        try:
            pid = self._ask((peer, theirs.reading, theirs.writing))
        except (OSError, ForkServerGone):
            # One that was forked, but not answered for, finds its pipe ended. The next gets pipes of its own.
            ours.close()
            raise
        finally:
            theirs.close()
        return pid, ours

    def _ask(self, descriptors: tuple[int, ...]) -> int:
        try:
            socket.send_fds(self._control, [b"f"], descriptors)
        except OSError as error:
            raise ForkServerGone(GONE) from error
        pid = self._answer(ANSWERS_WITHIN)
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def _answer(self, within: float) -> int:
        self._control.settimeout(within)
        try:
            answer = self._control.recv(ANSWER.size)
        except OSError:
            answer = b""
        if len(answer) < ANSWER.size:
            raise ForkServerGone(GONE)
        number: int = ANSWER.unpack(answer)[0]
        return number
