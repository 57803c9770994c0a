"""Unhurried: a terminal that is written to without ever waiting for it.

A terminal may take nothing for a while: a window that is suspended, a network that hangs. Whoever writes to it then
waits in write(2), and hears nothing meanwhile, not even a signal to end. So a thread does the writing. All that is
written goes out, in order, as a part of what a screen library draws is worth nothing: whoever writes looks at
`backlog`, and draws nothing while it is large.
"""

import os
import select
import threading

WRITE_BYTES = 4096
"""Bytes written at a time."""


class NonBlockingWriter:
    """What prompt_toolkit wants of a terminal's text file, for a descriptor."""

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        self.encoding = encoding
        self._descriptor = descriptor
        self._waiting = bytearray()
        self._gone = False
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, name="terminal", daemon=True).start()

    @property
    def backlog(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return len(self._waiting)

    def write(self, text: str) -> int:
        """Have it written, when the terminal takes it. Returns its length, as files do."""
        with self._changed:
            if not self._gone:
                self._waiting += text.encode(self.encoding, "replace")
                self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing to do: what is written is on its way."""

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal, and there."""
        return os.isatty(self._descriptor)

    def drain(self, seconds: float) -> None:
        """Wait until all is written, but no longer than this."""
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
        """How many bytes were taken; None where the terminal is gone."""
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:  # Somebody who shares the terminal has set O_NONBLOCK.
            waiting = select.poll()
            waiting.register(self._descriptor, select.POLLOUT)
            waiting.poll()
            return 0
        except OSError:
            return None
