"""LineTerminal: the terminal of line mode and of the operator console, with the lines above its prompt.

While a prompt is drawn the terminal stays in raw mode. It never blocks on output, and gets no queries, since a reply
may arrive late or be forged.

NonBlockingWriter writes in a thread: a terminal may accept no data for a while, for instance when a window is suspended
or a network hangs, and a direct write(2) would block the event loop, which could not even handle a signal to end. No
data is dropped, because a screen library needs all its output to arrive in order. Instead, PromptPrinter checks the
backlog, and prints no faster than the terminal accepts. It drops excess lines, the oldest first, and prints their
number before the next line. Normal and minor lines have separate limits, so that a busy conversation does not displace
log lines.
"""

import asyncio
import os
import select
import sys
import threading
from collections import deque
from contextlib import AbstractContextManager
from heapq import merge
from itertools import count
from operator import itemgetter
from typing import TextIO, cast

from prompt_toolkit.application import AppSession, create_app_session, get_app_or_none
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle
from prompt_toolkit.utils import get_term_environment_variable

from protocol.format import plural
from tui.line.formatting import Line, note, wrap_line
from tui.line.keyboard import KeyboardInput

WRITE_BYTES = 4096
"""Limit of one write."""
MAX_BACKLOG_BYTES = 32 * 1024
"""Unwritten bytes above which printing pauses."""
BATCH_INTERVAL_S = 1 / 12
"""Minimum time between two batches, since each redraws the prompt."""
FINAL_FLUSH_TIMEOUT_S = 1.0
"""Time for the terminal to accept the last output."""


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


class PromptPrinter:
    """A queue of lines: `show` adds to it at any time, `run` prints them."""

    def __init__(self, terminal: NonBlockingWriter, output: Output, style: BaseStyle, max_waiting_lines: int) -> None:
        """`max_waiting_lines` is the limit of unprinted lines of either kind."""
        self._max_waiting_lines = max_waiting_lines
        self._terminal = terminal
        self._output = output
        self._style = style
        self._numbers = count()
        self._lines: deque[tuple[int, Line]] = deque()
        self._minor: deque[tuple[int, Line]] = deque()
        self._dropped = 0
        self._some = asyncio.Event()

    @property
    def is_clogged(self) -> bool:
        """Whether the backlog is too large to draw now."""
        return self._terminal.backlog > MAX_BACKLOG_BYTES

    def show(self, lines: list[Line], *, minor: bool = False) -> None:
        """Queue lines to be printed soon."""
        waiting = self._minor if minor else self._lines
        waiting.extend(zip(self._numbers, lines, strict=False))
        while len(waiting) > self._max_waiting_lines:
            waiting.popleft()
            self._dropped += 1
        self._some.set()

    async def run(self) -> None:
        """Print queued lines until cancelled."""
        while True:
            await self._some.wait()
            if not self.is_clogged:
                self._some.clear()
                self._print_above_prompt()
            await asyncio.sleep(BATCH_INTERVAL_S)

    def _print_above_prompt(self) -> None:
        # Not with run_in_terminal: it enters cooked mode, in which Ctrl-D, Ctrl-C and Ctrl-Z are lost.
        app = get_app_or_none()
        if app is None or not app.is_running:
            self.print_now()
            return
        app.renderer.erase()
        self.print_now()
        app.renderer.request_absolute_cursor_position()
        app.invalidate()

    def print_now(self) -> None:
        """Print all queued lines at the cursor. Call it only while no prompt is drawn."""
        lines = [line for _, line in merge(self._lines, self._minor, key=itemgetter(0))]
        if not lines:
            return
        dropped, self._dropped = self._dropped, 0
        self._lines.clear()
        self._minor.clear()
        if dropped:
            lines.insert(0, note(f"{plural(dropped, 'line')} came faster than this terminal took them: not shown"))
        columns = self._output.get_size().columns
        pieces = [piece for line in lines for row in wrap_line(line, columns) for piece in [*row, ("", "\n")]]
        print_formatted_text(self._output, FormattedText(pieces), self._style)


class PromptOutput(Vt100_Output):
    """An output that draws the toolbar directly below the prompt, without querying the cursor position."""

    def get_rows_below_cursor_position(self) -> int:
        """The minimum, since the position is unknown."""
        return 1

    @property
    def responds_to_cpr(self) -> bool:
        """False, so that prompt_toolkit does not query the cursor position."""
        return False


class LineTerminal:
    """The terminal at standard input and output, with a printer for the lines above the prompt."""

    def __init__(self, style: BaseStyle, *, max_waiting_lines: int) -> None:
        """`max_waiting_lines` is the limit of unprinted lines; the oldest are dropped."""
        self._writer = NonBlockingWriter(sys.stdout.fileno())
        self.output: Vt100_Output = PromptOutput.from_pty(
            cast(TextIO, self._writer),
            term=get_term_environment_variable(),
            default_color_depth=ColorDepth.from_env(),
        )
        self.input = KeyboardInput()
        self.printer = PromptPrinter(self._writer, self.output, style, max_waiting_lines)

    def session(self) -> AbstractContextManager[AppSession]:
        """A context in which prompt_toolkit uses this terminal."""
        return create_app_session(input=self.input, output=self.output)

    def close(self) -> None:
        """Print the remaining lines, and wait up to FINAL_FLUSH_TIMEOUT_S for the terminal to accept them."""
        self.printer.print_now()
        self._writer.drain(FINAL_FLUSH_TIMEOUT_S)
