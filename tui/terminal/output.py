"""TerminalOutput: writes to a terminal without ever making the caller wait.

A terminal may take no output for a while, as when its window is suspended or its network hangs. A thread writes. Frames
that pile up meanwhile are dropped, and the screen is drawn again once the terminal takes output.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable

PIECE_BYTES = 4096
MAX_BACKLOG_BYTES = 256 * 1024
POLL_INTERVAL_S = 0.2
"""How often the thread checks for `close` while the terminal takes no output."""


class TerminalOutput:
    """The thread calls `on_gone` if the terminal can no longer be written to, and `on_caught_up` if frames were dropped
    and the screen has to be drawn again."""

    def __init__(self, descriptor: int, *, on_gone: Callable[[], None], on_caught_up: Callable[[], None]) -> None:
        """`descriptor` belongs to the terminal. The caller keeps it open until `close` has returned."""
        self._descriptor, self._owned = _open_nonblocking(descriptor)
        self._on_gone, self._on_caught_up = on_gone, on_caught_up
        self._begun = b""
        """The unwritten rest of the current frame."""
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
        """Queue `text`, or drop it as a whole if MAX_BACKLOG_BYTES are waiting."""
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
        """Queue `text`, and drop all that waits except for the rest of the current frame."""
        with self._changed:
            if self._is_gone or self._is_closing:
                return
            self._writes.clear()
            self._backlog_bytes = len(self._begun)
            self._has_dropped = False
            self._append(text)

    def close(self, timeout: float) -> None:
        """Wait until all is written, at most `timeout` seconds. The rest is dropped."""
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
        """Wait for the next bytes to write; empty once all is written and `close` was called."""
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
        """The number of bytes that the terminal took; 0 if it took none within POLL_INTERVAL_S."""
        if not select.select([], [self._descriptor], [], POLL_INTERVAL_S)[1]:
            return 0
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:
            return 0


def _open_nonblocking(descriptor: int) -> tuple[int, bool]:
    """A descriptor of the same terminal that never blocks, and whether the caller has to close it. O_NONBLOCK belongs
    to the open file, which other programs share, so the terminal is opened once more. If that is refused (after `su`,
    in some containers), the shared descriptor is used."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), True
    except OSError:
        return descriptor, False
