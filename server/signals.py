"""Signals: the handlers for SIGINT, SIGTERM, SIGHUP and SIGCHLD.

Python runs a handler in the main thread, between two instructions of other code. So a handler only makes a request
(ServerControl), or replaces one whole value by another.
"""

import logging
import os
import signal
from collections.abc import Callable
from types import FrameType

from server.control import ServerControl

EXIT_INTERRUPTED = 130
FAREWELL = "the room closes"

log = logging.getLogger("chat.server")


class Signals:
    """Installs the handlers. `interrupted` says whether Ctrl-C has ended the server."""

    def __init__(self, control: ServerControl, reload: Callable[[], None], reap: Callable[[], None]) -> None:
        """`reload` reads the settings again that may change meanwhile, `reap` reaps children that have ended. Neither
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
                self._control.close(FAREWELL)
            case signal.SIGHUP:
                self._to_reload = True
                self._reload_as_asked()
            case signal.SIGCHLD:
                self._reap()
                if os.getpid() == 1:
                    reap_orphans()
            case signal.SIGINT if self._control.closing:
                os._exit(EXIT_INTERRUPTED)  # The second Ctrl-C does not wait for the goodbyes.
            case signal.SIGINT:
                self.interrupted = True
                self._control.close(FAREWELL)
            case _:
                self._control.close(FAREWELL)

    def _reload_as_asked(self) -> None:
        """Reload again for signals that came meanwhile, but not recursively: many signals would overflow the stack."""
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
