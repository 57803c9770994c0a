"""NonBlockingWriter: writes to a terminal in a thread, so that the event loop never blocks.

A terminal may accept no data for a while, for instance when a window is suspended or a network hangs. A direct write(2)
would then block the event loop, which could not even handle a signal to end. No data is dropped, because a screen
library needs all its output to arrive in order. Instead, a caller checks `backlog` and does not draw while it is large.
"""

import os
import select
import threading

WRITE_BYTES = 4096
"""Limit of one write."""


class NonBlockingWriter:
    """The methods of a text file that prompt_toolkit uses, for a file descriptor."""

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        self.encoding = encoding
        self._descriptor = descriptor
        self._waiting = bytearray()
        self._gone = False
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, name="terminal", daemon=True).start()

    @property
    def backlog(self) -> int:
        """Bytes that are not written yet."""
        return len(self._waiting)

    def write(self, text: str) -> int:
        """Queue text for the thread. Returns its length, as files do."""
        with self._changed:
            if not self._gone:
                self._waiting += text.encode(self.encoding, "replace")
                self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Does nothing: the thread writes as soon as the terminal accepts data."""

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether the descriptor is an open terminal."""
        return os.isatty(self._descriptor)

    def drain(self, seconds: float) -> None:
        """Wait until all data is written, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, seconds)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                piece = bytes(self._waiting[:WRITE_BYTES])
            sent = self._write(piece)
            with self._changed:
                if sent is None:
                    self._gone = True
                    self._waiting.clear()
                else:
                    del self._waiting[:sent]
                self._changed.notify_all()
            if sent is None:
                return

    def _write(self, piece: bytes) -> int | None:
        """Write, and return the number of bytes accepted; None if the terminal has been closed."""
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:  # Another process that shares the terminal has set O_NONBLOCK.
            waiting = select.poll()
            waiting.register(self._descriptor, select.POLLOUT)
            waiting.poll()
            return 0
        except OSError:
            return None
