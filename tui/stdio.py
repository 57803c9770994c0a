"""Streams: standard output and error where nobody takes what is written to them: a full disk, a closed window."""

import os
import sys

STDOUT, STDERR = 1, 2
DUMB_TERMS = ("dumb", "unknown")
"""What TERM says of a terminal on which no line can be drawn anew."""


def can_draw() -> bool:
    """Whether standard input and output are a terminal that obeys control sequences."""
    on_terminal = sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()
    return bool(on_terminal) and os.environ.get("TERM", "") not in DUMB_TERMS


def print_error(sentence: str) -> None:
    """Write a line to standard error, if it is taken."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # It may also be closed.
        pass


def discard_unwritten() -> None:
    """What was not taken goes nowhere. Python would try again at its exit, fail, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # It may also be closed, or None.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in (STDOUT, STDERR):
                os.dup2(nowhere, descriptor)
            return
