"""Failures of a connection: what they are called in plain words, and how long to wait after them. Pure."""

import errno
import os
import re
import socket

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
"""Seconds between two attempts: doubled each time, then shortened by up to a half, so that an audience that lost its
room does not come back in one moment."""


def back_off(attempt: int, chance: float, first: float = FIRST_WAIT, longest: float = LONGEST_WAIT) -> float:
    """Seconds to wait after the failed attempt with this number, from 1 on; `chance` is from 0 to 1. `first` and
    `longest` are the waits before they are shortened."""
    return min(longest, first * 2.0 ** min(attempt - 1, 30)) * (1 - chance / 2)


def plain_reason(error: OSError) -> str:
    """Why there is no connection, without the system's numbers."""
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    # Where a name has several addresses, asyncio tells their failures in one string.
    told = re.search(r"\[Errno (\d+)\]", str(error))
    number = error.errno or (int(told[1]) if told else 0)
    match number:
        case errno.ECONNREFUSED:
            return "nobody listens there"
        case errno.ECONNRESET | errno.EPIPE:
            return "the connection broke"
        case 0:
            return "the network failed"
        case _:
            return os.strerror(number).lower()
