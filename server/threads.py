"""Threads: those that a model has started, so that it can wait until none of them runs any more."""

import errno
import threading
from collections.abc import Callable

from server.connection import Connection


class Threads:
    """Starts threads and joins them. Safe to use from all of them."""

    def __init__(self) -> None:
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()
        """Guards `_running`: who is in it has started, and who has started is in it."""

    def start(self, work: Callable[[Connection], None], connection: Connection) -> threading.Thread:
        """Run `work(connection)` in a thread of its own. Raises OSError where the system has none left."""

        def body() -> None:
            try:
                work(connection)
            finally:
                with self._lock:
                    self._running.discard(thread)

        thread = threading.Thread(target=body, name=f"chat-{connection.number}", daemon=True)
        with self._lock:
            try:
                thread.start()
            except RuntimeError as error:
                raise OSError(errno.EAGAIN, str(error)) from error
            self._running.add(thread)
        return thread

    def join(self) -> None:
        """Wait until all have ended, those too that are started meanwhile."""
        while running := self._snapshot():
            for thread in running:
                thread.join()

    def _snapshot(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._running)
