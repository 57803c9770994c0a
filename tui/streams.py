"""Streams: standard output and error where nobody takes what is written to them: a full disk, a closed window."""

import os
import sys

STDOUT, STDERR = 1, 2


def tell(sentence: str) -> None:
    """Write a line to standard error, if it is taken."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # It may also be closed.
        pass


def let_go() -> None:
    """What was not taken goes nowhere. Python would try again at its exit, fail, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # It may also be closed, or None.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in (STDOUT, STDERR):
                os.dup2(nowhere, descriptor)
            return
