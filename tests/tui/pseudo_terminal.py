"""chat-tui on its own pseudo-terminal: the bytes that it writes, and the terminal after its end."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pyte

from tests.running import PATIENCE, ROOT, wait_until

SEQUENCE = re.compile(
    r"\x1b\[(?P<csi>[0-9;:<=>?]*[ -/]*[@-~])"  # cursor, colour, modes
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"  # titles, links, clipboard
    r"|\x1b(?P<other>[^\[\]])"
)
END_OF_OUTPUT = bytes(8)
"""Written behind what a program wrote, to tell when all of it is read. A terminal ignores it."""
ENTERS, LEAVES = "\x1b[?1049h", "\x1b[?1049l"
UNDO = {
    "the alternate screen": LEAVES,
    "the hidden cursor": "\x1b[?25h",
    "the mouse": "\x1b[?1000l",
    "bracketed paste": "\x1b[?2004l",
    "focus events": "\x1b[?1004l",
    "the kitty keyboard": "\x1b[<u",
    "line wrap": "\x1b[?7h",
    "size reports": "\x1b[?2048l",
}
"""The modes that a full screen sets in a terminal, and the sequences that reset them."""


class Terminal:
    """A program on a pseudo-terminal. Its output is read at once, as a terminal does."""

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (100, 30),
        stderr: int | None = None,
        cwd: Path = ROOT,
        program: Sequence[str] = (sys.executable, "-m", "tui"),
    ):
        """`program` with these arguments, run in `cwd`; `size` is columns and rows; `stderr` is a descriptor, by
        default the terminal's."""
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        self.resize(*size)
        self.settings_before = termios.tcgetattr(theirs)
        more = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TEXTUAL_DISABLE_KITTY_KEY": "",
            **(environment or {}),
        }
        self.process = subprocess.Popen(
            [*program, *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **more},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs if stderr is None else stderr,
            preexec_fn=_take_terminal,
        )
        self.takes_output = threading.Event()
        """Cleared, the terminal takes nothing, as one whose network hangs."""
        self.takes_output.set()
        self._heard = bytearray()
        self._screen = pyte.Screen(size[0] or 80, size[1] or 24)
        self._stream = pyte.ByteStream(self._screen)
        self._shown = 0
        """How many of the bytes heard are on `_screen`."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """The output so far."""
        return bytes(self._heard).decode("utf-8", "surrogateescape")

    @property
    def bytes_written(self) -> int:
        return len(self._heard)

    @property
    def text(self) -> str:
        """The output without escape sequences, in the order of drawing."""
        return SEQUENCE.sub("", self.output)

    @property
    def settings(self) -> list[object]:
        """The settings of the terminal: echo, line editing, signals."""
        return termios.tcgetattr(self._theirs)

    def type(self, keys: str) -> None:
        self.send(keys.encode())

    def send(self, data: bytes) -> None:
        """Send bytes, which need not be keys."""
        while data:
            data = data[os.write(self._ours, data) :]

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window. The program gets SIGWINCH."""
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def sees(self, text: str, since: int = 0) -> None:
        """Wait until `text` is drawn, after the first `since` characters of `text`, or stands in a row of the screen:
        where some of its letters stood already, only the others are drawn."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text[since:] and (since or not self._shows(text)):
            if time.monotonic() > deadline or self.process.poll() is not None:
                drawn = " ".join(self.text.split())
                state = self.process.poll()
                raise AssertionError(
                    f"never saw {text!r}; exit code {state}; the end of the drawn text: {drawn[-2000:]!r}"
                )
            time.sleep(0.02)

    @property
    def rows(self) -> list[str]:
        """The rows of the screen as they are now."""
        news = bytes(self._heard[self._shown :])
        self._shown += len(news)
        self._stream.feed(news)
        rows = (self._screen.buffer[row] for row in range(self._screen.lines))
        # `display` raises IndexError where half of a wide character was written over.
        return ["".join(row[column].data for column in range(self._screen.columns)) for row in rows]

    def _shows(self, text: str) -> bool:
        return any(text in row for row in self.rows)

    @property
    def is_stopped(self) -> bool:
        """Whether the program is suspended."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the window: the session leader gets SIGHUP."""
        os.close(self._theirs)
        self._theirs = -1
        self._stop_reading()

    def exit_code(self) -> int:
        """Wait for the end of the program, and read the rest of its output."""
        code = self.process.wait(PATIENCE)
        if self._theirs >= 0:
            os.write(self._theirs, END_OF_OUTPUT)
            wait_until(lambda: self._heard.endswith(END_OF_OUTPUT), "the last bytes to be read")
            del self._heard[-len(END_OF_OUTPUT) :]
        return code

    def close(self) -> None:
        self.takes_output.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._theirs >= 0:
            os.close(self._theirs)
        self._stop_reading()

    def assert_left_clean(self) -> None:
        """Whether all changed modes of the terminal are restored, so that the shell's prompt echoes."""
        output = self.output
        assert ENTERS in output, "it never drew a full screen"
        end = output[output.rindex(ENTERS) :]
        for what, undo in UNDO.items():
            assert undo in end, f"{what} is left behind"
        assert self.settings == self.settings_before

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._ours], [], [], 0.2)
                if ready and self.takes_output.wait(0.2):
                    self._heard += os.read(self._ours, 65536)
            except (OSError, ValueError):
                return

    def _stop_reading(self) -> None:
        if self._ours >= 0:
            ours, self._ours = self._ours, -1
            self._reader.join(PATIENCE)
            os.close(ours)


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
