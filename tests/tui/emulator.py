"""A program on a pseudo-terminal of its own, with a terminal emulator that draws what it writes, and answers it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import psutil
import pyte

from tests.running import PATIENCE, ROOT
from tests.tui.pseudo_terminal import END_OF_OUTPUT

KEYS = {"tab": "\t", "enter": "\r", "up": "\x1b[A", "ctrl-c": "\x03", "ctrl-d": "\x04"}


class Emulator:
    """A terminal window with a program in it. Its content is read row by row."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (100, 30),
        stderr: int | None = None,
    ) -> None:
        """`size` is columns and rows. Standard error is the terminal too, unless another descriptor is given."""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.settings_before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._screen = pyte.HistoryScreen(*size, history=5000, ratio=1.0)
        self._screen.write_process_input = self._answer
        self._stream = pyte.ByteStream(self._screen)
        self._drawing = threading.Lock()
        self.bytes_written = 0
        self._reading = threading.Event()
        self._reading.set()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs if stderr is None else stderr,
            preexec_fn=_take_terminal,
        )
        self._last_bytes = b""
        self._family: dict[int, psutil.Process] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # The content

    @property
    def rows(self) -> list[str]:
        """All rows drawn so far, including those that scrolled away, without spaces at their ends."""
        with self._drawing:
            columns = range(self._screen.columns)
            past = ["".join(row[column].data for column in columns) for row in self._screen.history.top]
            return [row.rstrip() for row in [*past, *self._screen.display]]

    @property
    def text(self) -> str:
        """The non-empty rows as one text."""
        return "\n".join(row for row in self.rows if row)

    @property
    def toolbar(self) -> str:
        """The last row that is written to."""
        return next((row for row in reversed(self.rows) if row.strip()), "")

    @property
    def settings(self) -> list[object]:
        """The settings of the terminal: echo, line editing, signals."""
        return termios.tcgetattr(self._theirs)

    def sees(self, text: str, patience: float = PATIENCE) -> None:
        """Wait until `text` stands in a row."""
        self.until(lambda: any(text in row for row in self.rows), f"{text!r} to be seen", patience)

    def until(self, true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait until `true()`."""
        deadline = time.monotonic() + patience
        while not true():
            assert time.monotonic() < deadline, f"waited in vain for {what}; the screen:\n{self.text}"
            time.sleep(0.02)

    # Input

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def press(self, key: str) -> None:
        self.type(KEYS[key])

    def enter(self, line: str) -> None:
        """Type a line and Enter."""
        self.type(line + KEYS["enter"])

    def stop(self) -> None:
        """Take nothing more of what is written, as a suspended window does."""
        self._reading.clear()

    def go_on(self) -> None:
        self._reading.set()

    def hang_up(self) -> None:
        """Close the window."""
        self.family()
        os.close(self._theirs)
        ours, self._theirs, self._ours = self._ours, -1, -1
        self._reader.join(PATIENCE)
        os.close(ours)

    # The program

    def family(self) -> list[psutil.Process]:
        """The program and all its child processes, including ended ones."""
        try:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                self._family.setdefault(process.pid, process)
        except psutil.NoSuchProcess:
            pass
        return list(self._family.values())

    def exit_code(self, patience: float = PATIENCE) -> int:
        """Wait for the end of the program and of all its child processes."""
        self.family()
        code = self.process.wait(patience)
        self.until(lambda: not any(process.is_running() for process in self.family()), "its children to end")
        if self._theirs >= 0 and self._reading.is_set():
            os.write(self._theirs, END_OF_OUTPUT)
            self.until(lambda: self._last_bytes == END_OF_OUTPUT, "the last bytes to be read")
        return code

    def close(self) -> None:
        """End the program and its child processes."""
        self.go_on()
        if self.process.poll() is None:
            self.family()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for process in self.family():
            if process.is_running():
                process.kill()
        if self._theirs >= 0:
            self.hang_up()

    def _answer(self, data: str) -> None:
        os.write(self._ours, data.encode())

    def _read(self) -> None:
        while self._ours >= 0:
            try:
                self._reading.wait()
                ready, _, _ = select.select([self._ours], [], [], 0.05)
                if ready and self._reading.is_set():
                    data = os.read(self._ours, 65536)
                    self.bytes_written += len(data)
                    with self._drawing:
                        self._stream.feed(data)
                        self._last_bytes = (self._last_bytes + data)[-len(END_OF_OUTPUT) :]
            except (OSError, ValueError):
                return


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
