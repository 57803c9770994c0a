"""Console: on a terminal the command makes way for the operator console (`tui.console`), which starts it again beside
itself, as its child and without a terminal. So nothing of a screen is ever loaded into the server.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import three_chat_rooms
from server.settings import STDIN, Settings

STDIN_DESCRIPTOR, STDOUT_DESCRIPTOR = 0, 1
DUMB_TERMS = ("", "dumb", "unknown")
"""What TERM says of a terminal on which no line can be drawn anew."""


def is_wanted(settings: Settings) -> bool:
    """Whether a person sits there, and stdin is theirs to type commands into."""
    if settings.no_console or settings.operator_key_file == STDIN:
        return False
    return os.environ.get("TERM", "") not in DUMB_TERMS and _in_foreground()


def _in_foreground() -> bool:
    try:
        on_terminal = os.isatty(STDIN_DESCRIPTOR) and os.isatty(STDOUT_DESCRIPTOR)
        # A job in the background (`chat-server &`) would be stopped by the first key it asks for.
        return on_terminal and os.tcgetpgrp(STDIN_DESCRIPTOR) == os.getpgrp()
    except OSError:
        return False  # The terminal is not the one our session belongs to.


def become(args: Sequence[str], settings: Settings) -> NoReturn:
    """Replace this process by the console, with the same number, for a server with the command line `args`. The console
    reads the operator's key where the server reads it, and makes one where there is none."""
    program = three_chat_rooms.command_line("tui.console", settings.operator_key_file, *args)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # What is ignored stays ignored in the new program.
    os.execv(sys.executable, program)
