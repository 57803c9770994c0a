"""Looks at the first line of a connection that is not served yet, and leaves it in the socket."""

import socket
from typing import NamedTuple

from protocol import json_lines
from protocol.messages import Hello

PEEKED_BYTES = 4096


class FirstLine(NamedTuple):
    """The first bytes that a waiting connection has sent."""

    begun: bool
    decided: bool
    """No bytes that follow can make it the hello of a returning member."""
    token: str = ""
    """The token of a returning member."""
    holds_key: bool = False
    """The hello says that the client can prove the operators' key."""
    has_nickname: bool = False
    """The line is complete, and gives a nickname."""


def peek_first_line(sock: socket.socket) -> FirstLine:
    """Look at the first line without reading it."""
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
