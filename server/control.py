"""Control: requests to the running model, from signals, operators and other threads, and the event that stops it.

Python runs a signal handler in the main thread, between two instructions of other code. So a handler only makes a
request (ServerControl), or replaces one whole value by another.
"""

import logging
import os
import select
import signal
from collections.abc import Callable
from math import inf
from time import monotonic
from types import FrameType

from protocol.messages import Model
from three_chat_rooms import EXIT_INTERRUPTED

SHUTDOWN_TIMEOUT = 1.7
"""Seconds from being asked to end to the last goodbye, so that the server is gone within two."""
CLOSING_REASON = "the room closes"

log = logging.getLogger("chat.server")


class StopEvent:
    """Asks a model to stop. A signal handler, another thread or the room may set it.

    While it is set, it is true and its file descriptor is readable, which wakes all threads that wait on it.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._is_set = False

    def __bool__(self) -> bool:
        return self._is_set

    def fileno(self) -> int:
        return self._read

    def wait(self, seconds: float) -> None:
        """Return once the model is asked to stop, or after so many seconds."""
        poller = select.poll()
        poller.register(self, select.POLLIN)
        poller.poll(seconds * 1000)

    def set(self) -> None:
        """Ask the running model to stop and to give its connections back."""
        if not self._is_set:
            self._is_set = True
            os.write(self._write, b"!")

    def clear(self) -> None:
        """The model has stopped; the next may start."""
        if self._is_set:
            os.read(self._read, 1)
            self._is_set = False


class ServerControl:
    """The requests to the running model, from a signal handler, the room or another thread."""

    def __init__(self) -> None:
        self.stop = StopEvent()
        self.model: Model | None = None
        """The requested model, until the running one has stopped."""
        self.closing = ""
        """The reason for the end, once the server is asked to end."""
        self.deadline = inf
        """The deadline of the goodbyes, in seconds of the monotonic clock."""

    def switch(self, model: Model) -> bool:
        """Request another model. Returns False if the running one has been asked to stop already."""
        if self.model is not None or self.closing:
            return False
        self.model = model
        self.stop.set()
        return True

    def close(self, reason: str) -> None:
        """Ask the server to end."""
        self.closing, self.deadline = reason, min(self.deadline, monotonic() + SHUTDOWN_TIMEOUT)
        self.stop.set()


class Signals:
    """Installs the handlers. `interrupted` says whether Ctrl-C has ended the server."""

    def __init__(self, control: ServerControl, reload: Callable[[], None], reap: Callable[[], None]) -> None:
        """`reload` reads the settings that a running server can change; `reap` reaps children that have ended. Neither
        raises an exception."""
        self.interrupted = False
        self._control = control
        self._reload = reload
        self._reap = reap
        self._reloading = self._to_reload = False
        self._had_terminal = on_terminal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._handle)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)  # A log rotation may send one. The server has no log file to reopen.

    def _handle(self, number: int, frame: FrameType | None) -> None:
        match number:
            case signal.SIGHUP if self._had_terminal and not on_terminal():
                log.warning("the terminal is gone, so the server ends")
                self._control.close(CLOSING_REASON)
            case signal.SIGHUP:
                self._to_reload = True
                self._reload_as_requested()
            case signal.SIGCHLD:
                self._reap()
                if os.getpid() == 1:
                    reap_orphans()
            case signal.SIGINT if self._control.closing:
                os._exit(EXIT_INTERRUPTED)  # The second Ctrl-C does not wait for the goodbyes.
            case signal.SIGINT:
                self.interrupted = True
                self._control.close(CLOSING_REASON)
            case _:
                self._control.close(CLOSING_REASON)

    def _reload_as_requested(self) -> None:
        """Reload, and once more for signals that arrive meanwhile. Recursion would overflow the stack for many."""
        while self._to_reload and not self._reloading:
            self._reloading, self._to_reload = True, False
            self._reload()
            self._reloading = False


def reap_orphans() -> None:
    """Reap all children that have ended. The first process of a container is the parent of every orphan in it. If the
    child of a `subprocess.Popen` is reaped here, its exit code counts as 0."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # No child is left.


def on_terminal() -> bool:
    """Whether any of the standard three descriptors is a terminal that is still there."""
    return any(os.isatty(descriptor) for descriptor in range(3))
