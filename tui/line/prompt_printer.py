"""PromptPrinter: prints lines above a prompt_toolkit prompt, in batches, no faster than the terminal accepts them.

Excess lines are dropped, the oldest first, and their number is printed before the next line. Normal and minor lines
have separate limits, so that a busy conversation does not displace log lines.
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
from tui.line.formatting import Line, note, wrap_line
from tui.line.nonblocking import NonBlockingWriter

MAX_BACKLOG_BYTES = 32 * 1024
"""Unwritten bytes above which printing pauses."""
BATCH_INTERVAL_S = 1 / 12
"""Minimum time between two batches, since each redraws the prompt."""


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
