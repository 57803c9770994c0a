"""The master's side of the nursery: has workers forked by it. The descriptors travel as SCM_RIGHTS (unix(7))."""

import errno
import logging
import os
import socket
import subprocess
import sys

from server.processes.nursery import ANSWER

ANSWER_WITHIN = 5.0
"""Seconds a fork may take before the nursery is taken to be stuck."""

log = logging.getLogger("chat.server")


class NurseryGone(Exception):
    """It has died, or does not answer."""


class Nursery:
    """A running `nursery`, and another one should it be killed: the workers do not need it any more."""

    def __init__(self) -> None:
        """Start it. Raises OSError where there is no process to be had."""
        self._start()

    def fork(self, *descriptors: int) -> int:
        """Fork a worker that gets its own copies of these descriptors. Returns its pid.

        Raises OSError with the errno of the fork: EAGAIN where there are too many processes.
        """
        try:
            pid = self._ask(descriptors)
        except NurseryGone as error:
            log.warning("%s; another one is started", error)
            self._process.kill()
            self.close()
            self._start()
            try:
                pid = self._ask(descriptors)
            except NurseryGone as again:
                raise OSError(errno.ECHILD, f"{again}") from again
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def close(self) -> None:
        """End it, which it does after the last of its children."""
        self._control.close()
        self._process.wait()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(ANSWER_WITHIN)
        try:
            with theirs:
                command = [sys.executable, "-m", "server.processes.nursery", str(theirs.fileno())]
                self._process = subprocess.Popen(
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    process_group=0,  # A terminal's Ctrl-C is not for it: while it starts, it could not ignore it.
                )
        except OSError:
            self._control.close()
            raise

    def _ask(self, descriptors: tuple[int, ...]) -> int:
        try:
            socket.send_fds(self._control, [b"f"], descriptors)
            answer = self._control.recv(ANSWER.size)
        except OSError:
            answer = b""
        if len(answer) < ANSWER.size:
            raise NurseryGone("the process that forks workers is gone or stuck")
        pid: int = ANSWER.unpack(answer)[0]
        return pid
