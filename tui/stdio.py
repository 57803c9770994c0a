"""The standard streams of chat-tui and chat-crowd. Writing to them may fail: on a full disk, or in a closed window."""

import os
import sys

STDOUT, STDERR = 1, 2
DUMB_TERMS = ("dumb", "unknown")
"""The values of TERM of terminals that cannot move the cursor."""


def can_draw() -> bool:
    """Whether standard input and output are a terminal that understands control sequences."""
    on_terminal = sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()
    return bool(on_terminal) and os.environ.get("TERM", "") not in DUMB_TERMS


def print_error(sentence: str) -> None:
    """Write a line to standard error. A failure is ignored."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # It may also be closed.
        pass


def discard_unwritten() -> None:
    """Discard output that could not be written. Otherwise Python tries again at its exit, fails, and exits with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # It may also be closed, or None.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in (STDOUT, STDERR):
                os.dup2(nowhere, descriptor)
            return
