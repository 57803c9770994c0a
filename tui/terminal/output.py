"""TerminalOutput: writes to a terminal without ever making the caller wait.

A terminal may take nothing for a while: a window that is suspended, a network that hangs. A thread writes. Frames that
pile up meanwhile are dropped, and the screen is drawn anew once the terminal takes them again.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable

PIECE_BYTES = 4096
MAX_BACKLOG_BYTES = 256 * 1024
POLL_INTERVAL_S = 0.2
"""How often a thread whose terminal takes nothing looks whether it is to give up."""


class TerminalOutput:
    """`on_gone` and `on_caught_up` are called from the thread: the terminal cannot be written to any more; what was
    dropped has to be drawn anew."""

    def __init__(self, descriptor: int, *, on_gone: Callable[[], None], on_caught_up: Callable[[], None]) -> None:
        """`descriptor` is one of the terminal. It stays open for as long as this is used."""
        self._descriptor, self._owned = _open_nonblocking(descriptor)
        self._on_gone, self._on_caught_up = on_gone, on_caught_up
        self._begun = b""
        """The rest of the write that the terminal has taken a part of."""
        self._writes: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._has_dropped = False
        self._is_closing = False
        self._is_abandoned = False
        self._is_gone = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="terminal-output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Write `text` when the terminal takes it, or drop it whole where too much waits already."""
        if not text:
            return
        with self._changed:
            if self._is_gone or self._is_closing:
                return
            if self._backlog_bytes >= MAX_BACKLOG_BYTES:
                self._has_dropped = True
                return
            self._append(text)

    def write_last(self, text: str) -> None:
        """Write `text` and nothing of what waits before it, except for the rest of what is half written."""
        with self._changed:
            if self._is_gone or self._is_closing:
                return
            self._writes.clear()
            self._backlog_bytes = len(self._begun)
            self._has_dropped = False
            self._append(text)

    def close(self, timeout: float) -> None:
        """Wait until all is written, at most `timeout` seconds; what is not written by then is dropped."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        self._is_abandoned = True

    def _append(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._writes.append(data)
        self._backlog_bytes += len(data)
        self._changed.notify_all()

    def _write_all(self) -> None:
        try:
            while (piece := self._next_piece()) and not self._is_abandoned:
                sent = self._write(piece)
                with self._changed:
                    self._begun = self._begun[sent:]
                    self._backlog_bytes -= sent
        except OSError:
            self._is_gone = True
            self._on_gone()
        finally:
            if self._owned:
                os.close(self._descriptor)

    def _next_piece(self) -> bytes:
        """Wait for what to write next; nothing once this is closing and all is written."""
        with self._changed:
            while not self._begun:
                if self._writes:
                    self._begun = self._writes.popleft()
                elif self._is_closing:
                    break
                elif self._has_dropped:
                    self._has_dropped = False
                    self._on_caught_up()
                else:
                    self._changed.wait()
            return self._begun[:PIECE_BYTES]

    def _write(self, piece: bytes) -> int:
        """How many bytes the terminal took, perhaps none after a while."""
        if not select.select([], [self._descriptor], [], POLL_INTERVAL_S)[1]:
            return 0
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:
            return 0


def _open_nonblocking(descriptor: int) -> tuple[int, bool]:
    """A descriptor of the same terminal that never blocks, and whether it is ours to close. O_NONBLOCK belongs to the
    open file, which other programs share, so the terminal is opened once more; where that is refused (after `su`, in
    some containers) the shared one has to do."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), True
    except OSError:
        return descriptor, False
