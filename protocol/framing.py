"""Framing: from the first bytes of a connection to its lines, in bounded memory. Pure.

A line ends with LF or CR LF; a lone CR, U+0085 and U+2028 are text. The bytes of a line above the limit are counted and
dropped, so a peer that never ends its line costs no memory.

The first bytes may be a header or a mark that is skipped, or show another protocol. A load balancer may send the header
of the PROXY protocol first. It is skipped and not trusted, because each client could send one.
https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.
"""

import re
from typing import NamedTuple

from msgspec import Struct

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PROXY_V1 = b"PROXY "
_PROXY_V1_LINE = re.compile(rb"PROXY (?:TCP4|TCP6|UNKNOWN)(?: [^\r\n]*)?\r?\n")
_PROXY_V1_BYTES = 107
_PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"
_PROXY_V2_HEAD_BYTES = 16
_TLS = b"\x16\x03"
"""The type of a handshake record, and the major version (RFC 8446, section 5.1)."""


class Opening(NamedTuple):
    """The result of reading the first bytes."""

    protocol: str
    """The name of another protocol, or an empty string."""
    size: int
    """The number of bytes to skip."""


def read_opening(data: bytes, *, is_complete: bool = False) -> Opening | None:
    """The opening of a connection that begins with `data`; None if it depends on later bytes. `is_complete` says that
    no more bytes are expected."""
    size = 0
    while (more := _skipped_bytes(data, size)) is not None and more:
        size += more
    start = data[size : size + len(_TLS)]
    if start == _TLS:
        return Opening("TLS", size)
    undecided = more is None or _TLS.startswith(start)
    return None if undecided and not is_complete else Opening("", size)


def _skipped_bytes(data: bytes, offset: int) -> int | None:
    """The number of bytes to skip at `offset`; None if it depends on later bytes."""
    start = data[offset : offset + _PROXY_V2_HEAD_BYTES]
    for mark in (BYTE_ORDER_MARK, _PROXY_V1, _PROXY_V2):
        if mark.startswith(start) and start != mark:
            return None
    if start.startswith(BYTE_ORDER_MARK):
        return len(BYTE_ORDER_MARK)
    if start.startswith(_PROXY_V1):
        line = _PROXY_V1_LINE.match(data, offset)
        if line is None and data.find(b"\n", offset) < 0 and len(data) - offset < _PROXY_V1_BYTES:
            return None
        return line.end() - offset if line else 0
    if start.startswith(_PROXY_V2):
        if len(start) < _PROXY_V2_HEAD_BYTES:
            return None
        size = _PROXY_V2_HEAD_BYTES + int.from_bytes(start[14:16])
        return size if len(data) - offset >= size else None
    return 0


class OverlongLine(Struct, frozen=True):
    """The result for a line above the limit. `size` is its length in bytes."""

    size: int


class LineBuffer(Struct):
    """Received bytes that have not been returned as lines. It is a struct, so it can be sent to another process."""

    data: bytes = b""
    start: int = 0
    dropped_bytes: int = 0
    """Bytes of an overlong line that has not ended; they were counted and dropped."""

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        self.data = self.data[self.start :] + data if self.start < len(self.data) else data
        self.start = 0

    @property
    def has_line(self) -> bool:
        """Whether the buffer holds a whole line."""
        return self.data.find(b"\n", self.start) >= 0

    def take_unfinished(self) -> bytes:
        """Remove and return the bytes after the last whole line. The caller can feed them again."""
        offset = max(self.start, self.data.rfind(b"\n") + 1)
        unfinished, self.data = self.data[offset:], self.data[:offset]
        return unfinished

    def peek(self, max_bytes: int) -> bytes:
        """The first `max_bytes` bytes in the buffer; empty in the middle of an overlong line."""
        return b"" if self.dropped_bytes else self.data[self.start : self.start + max_bytes]

    def next_line(self, limit: int) -> bytes | OverlongLine | None:
        """Remove and return the next line without its end; OverlongLine if it had more than `limit` bytes, and
        None if no line is complete."""
        end = self.data.find(b"\n", self.start)
        if end < 0:
            self._keep_rest(limit)
            return None
        line = self.data[self.start : end].removesuffix(b"\r")
        self.start = end + 1
        if self.start == len(self.data):
            self.data, self.start = b"", 0
        size, self.dropped_bytes = self.dropped_bytes + len(line), 0
        return line if size <= limit else OverlongLine(size)

    def _keep_rest(self, limit: int) -> None:
        self.data, self.start = self.data[self.start :], 0
        # One byte more than the limit is kept: it may be the CR of a CR LF. So is a CR that comes last.
        if self.dropped_bytes or len(self.data) > limit + 1:
            text = self.data.removesuffix(b"\r")
            self.dropped_bytes += len(text)
            self.data = self.data[len(text) :]
