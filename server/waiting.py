"""Waiting: a connection that was accepted and is not served yet, and its first line, which is left in the socket."""

import socket
from enum import Enum, auto
from typing import NamedTuple

from protocol import json_lines
from protocol.address_group import address_group
from protocol.dialects import PLAIN, WEB, Dialect
from protocol.messages import Hello
from protocol.websocket import FrameDecoder

PEEKED_BYTES = 4096
"""Of the first line."""


class Stage(Enum):
    """How far a connection has come before it is served."""

    FIRST_BYTES = auto()
    HEAD = auto()
    """It speaks HTTP, and its request is not complete."""
    FIRST_FRAME = auto()
    """Its WebSocket is open."""


class Waiting:
    """A connection that was accepted and is not served yet."""

    __slots__ = (
        "group",
        "head",
        "heard_since",
        "host",
        "rejected_for",
        "since",
        "skipped",
        "sock",
        "stage",
        "was_silent",
    )

    def __init__(self, sock: socket.socket, host: str, since: float) -> None:
        self.sock = sock
        self.host = host
        self.group = address_group(host)
        self.since = self.heard_since = since
        self.stage = Stage.FIRST_BYTES
        self.head = b""
        """The bytes of the request so far, which were read from the socket."""
        self.skipped = 0
        """The number of bytes of `head` before the request."""
        self.was_silent = False
        """It was heard for long enough to be greeted."""
        self.rejected_for = ""
        """The reason to tell it, if it is rejected."""

    @property
    def dialect(self) -> Dialect:
        """The dialect in which a rejection is written."""
        return WEB if self.stage is Stage.FIRST_FRAME else PLAIN


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


def peek_first_line(waiting: Waiting) -> FirstLine:
    """Look at the first line without reading it."""
    try:
        data = waiting.sock.recv(PEEKED_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError):
        return FirstLine(False, False)
    except OSError:
        return FirstLine(True, True)
    if waiting.dialect is WEB and not (data := FrameDecoder().feed(data, PEEKED_BYTES).lines):
        return FirstLine(True, False)
    line, end, _ = data.partition(b"\n")
    if not line.startswith(b"{"):
        return FirstLine(True, True, has_nickname=bool(end and line.strip()))
    command = json_lines.decode_command(line) if end else None
    if not isinstance(command, Hello):
        return FirstLine(True, bool(end) or len(data) == PEEKED_BYTES)
    return FirstLine(True, True, command.resume.token if command.resume else "", command.operator, True)
