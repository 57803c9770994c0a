"""The messages from a door to its server. Pure.

A door is a program that accepts guests in a way of its own, such as ssh, and hands each of them to the server as a
connection. It is a child process of the server, and sends datagrams through a socket that it inherits. A `Guest` comes
with one descriptor (SCM_RIGHTS, unix(7)): a connected stream socket, the other end of which speaks for the guest.
"""

from typing import Literal

import msgspec
from msgspec import Struct

MAX_MESSAGE_BYTES = 16 * 1024
"""The size of a datagram at most."""
MAX_TEXT = 2500
"""Characters of a report: at most six bytes each in JSON. Of a longer text, the middle is left out."""
CUT = " ... "


class Guest(Struct, frozen=True, tag="guest"):
    """A guest has come from this numeric address. Its descriptor travels with the datagram."""

    host: str


class Ready(Struct, frozen=True, tag="ready"):
    """The door accepts guests. Clients see the key with this fingerprint, such as `SHA256:...`."""

    fingerprint: str


Level = Literal["debug", "info", "warning", "error"]
"""As the standard library's logging names them, in lower case."""


class Report(Struct, frozen=True, tag="report"):
    """A sentence for the server's log."""

    level: Level
    text: str


Message = Guest | Ready | Report
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Malformed(ValueError):
    """The datagram is no message of a door."""


def encode(message: Message) -> bytes:
    """The datagram of a message."""
    if isinstance(message, Report) and len(message.text) > MAX_TEXT:
        half = (MAX_TEXT - len(CUT)) // 2
        message = Report(message.level, message.text[:half] + CUT + message.text[-half:])
    return msgspec.json.encode(message)


def decode(datagram: bytes) -> Message:
    """The message in a datagram. Raises Malformed."""
    try:
        return _decoder.decode(datagram)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from None
