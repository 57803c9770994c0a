"""Above: prints lines above a prompt_toolkit prompt, in batches, and never faster than the terminal takes them.

What comes faster than that is dropped, the oldest first, and counted; the count is shown with what follows. Lines that
matter and minor ones are dropped apart: however much is talked, nothing of the log is lost for it.
"""

import asyncio
from collections import deque
from heapq import merge
from itertools import count
from operator import itemgetter

from prompt_toolkit.application import get_app_or_none
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle

from protocol.format import plural
from tui.line.formatting import Line, broken, note
from tui.line.nonblocking import NonBlockingWriter

MAX_BACKLOG_BYTES = 32 * 1024
"""Bytes the terminal has not taken, beyond which nothing more is printed."""
BATCH_INTERVAL_S = 1 / 12
"""Seconds between two batches, as each draws the prompt anew."""


class PromptPrinter:
    """Lines on their way to the terminal. `show` may be called at any time, `run` prints."""

    def __init__(self, terminal: NonBlockingWriter, output: Output, style: BaseStyle, max_waiting_lines: int) -> None:
        """`max_waiting_lines` of either kind are kept until they are printed."""
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
        """Whether the terminal takes nothing now, so that drawing has to wait."""
        return self._terminal.backlog > MAX_BACKLOG_BYTES

    def show(self, lines: list[Line], *, minor: bool = False) -> None:
        """Print these, soon."""
        waiting = self._minor if minor else self._lines
        waiting.extend(zip(self._numbers, lines, strict=False))
        while len(waiting) > self._max_waiting_lines:
            waiting.popleft()
            self._dropped += 1
        self._some.set()

    async def run(self) -> None:
        """Print what is shown, until cancelled."""
        while True:
            await self._some.wait()
            if not self.is_clogged:
                self._some.clear()
                self._print_above_prompt()
            await asyncio.sleep(BATCH_INTERVAL_S)

    def _print_above_prompt(self) -> None:
        # Not by run_in_terminal: it sets cooked mode meanwhile, in which Ctrl-D, Ctrl-C and Ctrl-Z are lost.
        app = get_app_or_none()
        if app is None or not app.is_running:
            self.print_now()
            return
        app.renderer.erase()
        self.print_now()
        app.renderer.request_absolute_cursor_position()
        app.invalidate()

    def print_now(self) -> None:
        """Print what waits, where the cursor is: no prompt may stand there."""
        lines = [line for _, line in merge(self._lines, self._minor, key=itemgetter(0))]
        if not lines:
            return
        dropped, self._dropped = self._dropped, 0
        self._lines.clear()
        self._minor.clear()
        if dropped:
            lines.insert(0, note(f"{plural(dropped, 'line')} came faster than this terminal took them: not shown"))
        columns = self._output.get_size().columns
        pieces = [piece for line in lines for row in broken(line, columns) for piece in [*row, ("", "\n")]]
        print_formatted_text(self._output, FormattedText(pieces), self._style)
