"""Console: on a terminal, the command replaces itself by the operator console (`tui.console`), which starts the server
as its child, without a terminal. So the server never imports code for a screen.
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
"""Values of TERM for terminals that cannot redraw a line."""


def is_wanted(settings: Settings) -> bool:
    """Whether all standard streams are a terminal in which the user can type commands."""
    if settings.no_console or settings.operator_key_file == STDIN:
        return False
    return os.environ.get("TERM", "") not in DUMB_TERMS and _in_foreground()


def _in_foreground() -> bool:
    try:
        on_terminal = os.isatty(STDIN_DESCRIPTOR) and os.isatty(STDOUT_DESCRIPTOR)
        # A background job (`chat-server &`) would be stopped when it reads the first key.
        return on_terminal and os.tcgetpgrp(STDIN_DESCRIPTOR) == os.getpgrp()
    except OSError:
        return False  # It is not the terminal of this session.


def exec_console(args: Sequence[str], settings: Settings) -> NoReturn:
    """Replace this process by the console, which keeps the pid and runs a server with the command line `args`. The
    console reads the operator's key where the server would read it, and makes one if there is none."""
    program = three_chat_rooms.command_line("tui.console", settings.operator_key_file, *args)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # An ignored signal would stay ignored in the new program.
    os.execv(sys.executable, program)
