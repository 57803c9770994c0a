"""A program in a pseudo-terminal with a terminal emulator, whose screen is drawn as SVG."""

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from io import StringIO
from types import TracebackType

import pyte
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.text import Text

from screenshots.lively import until
from tui.style import QUIET
from tui.themes import DARK

NAMES = {"brown": "yellow", "brightbrown": "bright_yellow"}


class Terminal:
    """A command in a terminal of `size` columns and rows."""

    def __init__(self, command: Sequence[str], size: tuple[int, int]) -> None:
        self._command = command
        self._size = size
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    def __enter__(self) -> "Terminal":
        self._ours, theirs = pty.openpty()
        columns, rows = self._size
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            self._command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_take_terminal
        )
        os.close(theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        self._process.terminate()
        self._process.wait()
        os.close(self._ours)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    async def sees(self, text: str) -> None:
        await until(lambda: text in "\n".join(self._screen.display))

    def svg(self, title: str) -> str:
        """Return the current screen as SVG."""
        columns, _ = self._size
        console = Console(record=True, width=columns, file=StringIO(), force_terminal=True, color_system="truecolor")
        for y in range(self._screen.lines):
            row = self._screen.buffer[y]
            console.print(
                Text.assemble(*((row[x].data, _style(row[x])) for x in range(columns))), end="\n", no_wrap=True
            )
        return console.export_svg(title=title)

    def _read(self) -> None:
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # The program has ended.
            data = b""
        if data:
            self._stream.feed(data)
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        if b"\x1b[6n" in data:  # A query for the cursor position, whose answer prompt_toolkit waits for.
            os.write(self._ours, f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R".encode())


def _take_terminal() -> None:
    """Make the terminal the controlling one, as the operator console needs that."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def module(name: str, *arguments: str) -> list[str]:
    """The command `python -m NAME ARGUMENTS`."""
    return [sys.executable, "-m", name, *arguments]


def _style(char: Char) -> Style:
    foreground, background = _colour(char.fg, str(DARK.foreground)), _colour(char.bg, str(DARK.background))
    if char.reverse:
        foreground, background = background, foreground
    return Style(color=foreground, bgcolor=background, bold=char.bold, italic=char.italics, underline=char.underscore)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    if name == "brightblack":
        return QUIET.dark
    return NAMES.get(name, name.replace("bright", "bright_"))
