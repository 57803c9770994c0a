"""Threads: those that a model has started, so that it can wait until none of them runs any more."""

import threading
from collections.abc import Callable

from server.connection import Connection


class Threads:
    """Starts threads and joins them. Safe to use from all of them."""

    def __init__(self) -> None:
        self._running: set[threading.Thread] = set()

    def start(self, work: Callable[[Connection], None], connection: Connection) -> threading.Thread:
        """Run `work(connection)` in a thread of its own. Raises RuntimeError where the system has none left."""

        def body() -> None:
            try:
                work(connection)
            finally:
                self._running.discard(thread)

        thread = threading.Thread(target=body, name=f"chat-{connection.number}", daemon=True)
        self._running.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self._running.discard(thread)
            raise
        return thread

    def join(self) -> None:
        """Wait until all have ended, those too that are started meanwhile."""
        while self._running:
            for thread in list(self._running):
                thread.join()
