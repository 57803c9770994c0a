"""LineTerminal: the terminal of line mode and of the operator console.

While a prompt is drawn it stays in raw mode. It never blocks on output, and sends no queries to the terminal, since a
reply may arrive late or be forged.
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
"""Time for the terminal to accept the last output."""


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
