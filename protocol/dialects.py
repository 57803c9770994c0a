"""Which dialect a connection speaks, told from its first bytes, and what only looks like a client of ours."""

import re

from protocol import jsonl, plain
from protocol.messages import Dialect, Event

_REQUEST_LINE = re.compile(
    rb"[A-Z]+ \S+ HTTP/\d|(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) (?:/|\*|https?:)\S{64}"
)
"""RFC 9112, section 3; HTTP/2 without TLS begins alike (RFC 9113, section 3.4). The end of
a long path is not waited for."""


def dialect_of(start: bytes) -> Dialect:
    """A connection that begins with `{` speaks the rich dialect; any other first line is a nickname."""
    return Dialect.RICH if start.startswith(b"{") else Dialect.PLAIN


def other_protocol(start: bytes) -> str:
    """The name of the protocol of text that begins like this, or an empty string. For others see `protocol.opening`."""
    if start.startswith(b"SSH-"):
        return "SSH"
    return "HTTP" if _REQUEST_LINE.match(start) else ""


def encode(event: Event, dialect: Dialect) -> bytes:
    """The event as `dialect` writes it."""
    return plain.encode(event) if dialect is Dialect.PLAIN else jsonl.encode(event)
