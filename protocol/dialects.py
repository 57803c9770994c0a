"""The dialects: the forms in which a connection can write the same commands and read the same events.

The first byte of a connection chooses one; a browser asks for its own, WEB, by HTTP. Session, Room and the models ask
a dialect for its properties, so a new one is a module with the functions of `Dialect` and an entry in `DIALECTS`. Only
the beginning of WEB is known by name, where it begins with a request.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from protocol import json_lines, plain_text, websocket
from protocol.json_lines import AnyCommand
from protocol.messages import Event, Goodbye, Hello, Quit, Refused


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """How commands and events are written as lines, and what a client of this dialect does by itself."""

    name: str
    first_byte: bytes
    """A connection that begins with it speaks this dialect from then on. Empty for a dialect that is not chosen so."""
    decode_hello: Callable[[bytes], Hello | Quit | Refused]
    """Decode a line of a client that has not given a nickname."""
    decode_command: Callable[[bytes], AnyCommand | Refused | None]
    """Decode a later line; None for one that holds no command."""
    encode: Callable[[Event], bytes]
    is_typed: bool = False
    """A person may type it: telnet commands are removed, a silent client is greeted, and before it has joined, a
    client sends only a nickname."""
    echoes_own_lines: bool = True
    """The server sends a line to its author as well, as the acknowledgement."""
    tracks_room: bool = True
    """The client keeps the roster and the status itself, from the events that change them."""
    first_end: Callable[[bytes | bytearray], int] = lambda data: data.find(b"\n") + 1
    """The number of bytes up to the end of the first event in encoded ones, which may begin in the middle of an event;
    0 if they hold no end."""


def _encode_framed(event: Event) -> bytes:
    """The event as a WebSocket message. A close frame follows the last one."""
    message = websocket.encode_line(json_lines.encode(event))
    return message + websocket.encode_close(websocket.NORMAL) if isinstance(event, Goodbye) else message


PLAIN = Dialect(
    "plain",
    b"",
    plain_text.decode_hello,
    plain_text.decode_command,
    plain_text.encode,
    is_typed=True,
    echoes_own_lines=False,
    tracks_room=False,
)
RICH = Dialect("rich", b"{", json_lines.decode_hello, json_lines.decode_command, json_lines.encode)
WEB = Dialect(
    "web",
    b"",
    json_lines.decode_hello,
    json_lines.decode_command,
    _encode_framed,
    first_end=websocket.message_end,
)
"""The rich dialect in the frames of a WebSocket. The session removes the frames of the client."""
DIALECTS = {dialect.name: dialect for dialect in (PLAIN, RICH, WEB)}

_REQUEST_LINE = re.compile(
    rb"[A-Z]+ \S+ HTTP/\d|(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) (?:/|\*|https?:)\S{64}"
)
"""RFC 9112, section 3. HTTP/2 without TLS begins the same way (RFC 9113, section 3.4). Of a long path, the first
characters are enough."""


def detect_dialect(start: bytes) -> Dialect:
    """The dialect of a connection that begins with these bytes, at least one."""
    return next((dialect for dialect in DIALECTS.values() if dialect.first_byte == start[:1]), PLAIN)


def other_protocol(start: bytes) -> str:
    """The name of the protocol of text that begins like this, or an empty string. For others see `protocol.framing`."""
    if start.startswith(b"SSH-"):
        return "SSH"
    return "HTTP" if _REQUEST_LINE.match(start) else ""
