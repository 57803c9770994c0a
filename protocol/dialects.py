"""Which dialect a connection speaks, told from its first bytes, and what only looks like a client of ours."""

import re

from protocol import jsonl, plain
from protocol.messages import Dialect, Event

_REQUEST_LINE = re.compile(rb"[A-Z]+ \S+ HTTP/\d")
"""RFC 9112, section 3; HTTP/2 without TLS begins alike (RFC 9113, section 3.4)."""


def dialect_of(first_line: bytes) -> Dialect:
    """A first line that begins with `{` chooses the rich dialect; any other is a nickname."""
    return Dialect.RICH if first_line.startswith(b"{") else Dialect.PLAIN


def other_protocol(start: bytes) -> str:
    """The name of the protocol that begins like this, or an empty string."""
    if start.startswith(b"\x16\x03"):
        return "TLS"
    if start.startswith(b"SSH-"):
        return "SSH"
    return "HTTP" if b" HTTP/" in start and _REQUEST_LINE.match(start) else ""


def encode(event: Event, dialect: Dialect) -> bytes:
    """The event as `dialect` writes it."""
    return plain.encode(event) if dialect is Dialect.PLAIN else jsonl.encode(event)
