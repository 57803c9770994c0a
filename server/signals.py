"""Signals: what the host's SIGINT, SIGTERM and SIGHUP mean to the running server, and the end of a child.

Python runs a handler in the main thread, between two instructions of other code. So a handler only asks (ServerControl)
or puts one whole value in the place of another.
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
    """Installs the handlers. `interrupted` says whether it was Ctrl-C that ended the server."""

    def __init__(self, wishes: ServerControl, reload: Callable[[], None], reap: Callable[[], None]) -> None:
        """`reload` reads again what may change while the server runs, `reap` sees to children that have ended; neither
        raises anything."""
        self.interrupted = False
        self._wishes = wishes
        self._reload = reload
        self._reap = reap
        self._reloading = self._to_reload = False
        self._had_terminal = on_terminal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._handle)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)  # A log rotation may send one. There is no file to open anew.

    def _handle(self, number: int, frame: FrameType | None) -> None:
        match number:
            case signal.SIGHUP if self._had_terminal and not on_terminal():
                log.warning("the terminal is gone, so the server ends")
                self._wishes.close(FAREWELL)
            case signal.SIGHUP:
                self._to_reload = True
                self._reload_as_asked()
            case signal.SIGCHLD:
                self._reap()
                if os.getpid() == 1:
                    reap_orphans()
            case signal.SIGINT if self._wishes.closing:
                os._exit(EXIT_INTERRUPTED)  # The second one: whoever asks twice does not want to wait for goodbyes.
            case signal.SIGINT:
                self.interrupted = True
                self._wishes.close(FAREWELL)
            case _:
                self._wishes.close(FAREWELL)

    def _reload_as_asked(self) -> None:
        """Once more for whatever came meanwhile, but never one in the other: a loop of signals would go ever deeper."""
        while self._to_reload and not self._reloading:
            self._reloading, self._to_reload = True, False
            self._reload()
            self._reloading = False


def reap_orphans() -> None:
    """Reap all children that have ended. The first process of a container is the parent of every orphan in it. A
    `subprocess.Popen` whose child was reaped here takes it as ended with 0."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # There is none left.


def on_terminal() -> bool:
    """Whether any of the standard three descriptors is a terminal that is still there."""
    return any(os.isatty(descriptor) for descriptor in range(3))
