"""The first line of a connection that is not served yet: what it shows, without taking it from the socket."""

import socket
from typing import NamedTuple

from protocol import json_lines
from protocol.messages import Hello

PEEKED_BYTES = 4096


class FirstLine(NamedTuple):
    """What a connection that waits has sent so far."""

    begun: bool
    decided: bool
    """Nothing that follows can make it the hello of a member that comes back."""
    token: str = ""
    """The token by which a member comes back."""
    holds_key: bool = False
    """It says that it can prove the operators' key."""
    has_nickname: bool = False
    """The line is there, and asks for a nickname."""


def peek_first_line(sock: socket.socket) -> FirstLine:
    """Look at the first line. It stays to be read."""
    try:
        data = sock.recv(PEEKED_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError):
        return FirstLine(False, False)
    except OSError:
        return FirstLine(True, True)
    line, end, _ = data.partition(b"\n")
    if not line.startswith(b"{"):
        return FirstLine(True, True, has_nickname=bool(end and line.strip()))
    command = json_lines.decode_command(line) if end else None
    if not isinstance(command, Hello):
        return FirstLine(True, bool(end) or len(data) == PEEKED_BYTES)
    return FirstLine(True, True, command.resume.token if command.resume else "", command.operator, True)
