"""LineTerminal: the terminal that line mode and the operator's console draw their prompts on.

It never leaves raw mode while a prompt stands, never waits for the terminal to take anything, and asks it nothing: a
reply could be late, or typed by somebody else.
"""

import sys
from contextlib import AbstractContextManager
from typing import TextIO, cast

from prompt_toolkit.application import AppSession, create_app_session
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import BaseStyle
from prompt_toolkit.utils import get_term_environment_variable

from tui.line.keyboard import KeyboardInput
from tui.line.nonblocking import NonBlockingWriter
from tui.line.prompt_printer import PromptPrinter

FINAL_FLUSH_TIMEOUT_S = 1.0
"""Seconds the terminal has to take what was written last."""


class PromptOutput(Vt100_Output):
    """prompt_toolkit's output, which draws the toolbar right below the prompt instead of asking where the cursor is."""

    def get_rows_below_cursor_position(self) -> int:
        """The fewest there can be."""
        return 1

    @property
    def responds_to_cpr(self) -> bool:
        """Never: it is not asked."""
        return False


class LineTerminal:
    """Input, output and what is printed above the prompt, of standard input and output."""

    def __init__(self, style: BaseStyle, *, max_waiting_lines: int) -> None:
        """`max_waiting_lines`: of more that the terminal has not taken, the oldest are dropped."""
        self._writer = NonBlockingWriter(sys.stdout.fileno())
        self.output: Vt100_Output = PromptOutput.from_pty(
            cast(TextIO, self._writer),
            term=get_term_environment_variable(),
            default_color_depth=ColorDepth.from_env(),
        )
        self.input = KeyboardInput()
        self.printer = PromptPrinter(self._writer, self.output, style, max_waiting_lines)

    def session(self) -> AbstractContextManager[AppSession]:
        """A context in which prompts are drawn here."""
        return create_app_session(input=self.input, output=self.output)

    def close(self) -> None:
        """Print what is left, and wait for the terminal to take it, up to FINAL_FLUSH_TIMEOUT_S."""
        self.printer.print_now()
        self._writer.drain(FINAL_FLUSH_TIMEOUT_S)
