"""Reads the first bytes of a connection: a header or a mark that is skipped, or another protocol. Pure.

A load balancer may send the header of the PROXY protocol first. It is skipped and not trusted, because each client
could send one. https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.
"""

import re
from typing import NamedTuple

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


def _skipped_bytes(data: bytes, place: int) -> int | None:
    """The number of bytes to skip at `place`; None if it depends on later bytes."""
    start = data[place : place + _PROXY_V2_HEAD_BYTES]
    for mark in (BYTE_ORDER_MARK, _PROXY_V1, _PROXY_V2):
        if mark.startswith(start) and start != mark:
            return None
    if start.startswith(BYTE_ORDER_MARK):
        return len(BYTE_ORDER_MARK)
    if start.startswith(_PROXY_V1):
        line = _PROXY_V1_LINE.match(data, place)
        if line is None and data.find(b"\n", place) < 0 and len(data) - place < _PROXY_V1_BYTES:
            return None
        return line.end() - place if line else 0
    if start.startswith(_PROXY_V2):
        if len(start) < _PROXY_V2_HEAD_BYTES:
            return None
        size = _PROXY_V2_HEAD_BYTES + int.from_bytes(start[14:16])
        return size if len(data) - place >= size else None
    return 0
