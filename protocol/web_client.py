"""WebClient: the client's half of a WebSocket to a room: a handshake, and then lines in frames. Pure.

`protocol.client` makes the lines. The caller sends `request` first, and moves the bytes between the socket, `encode`
and `decode`.
"""

import base64
import re
from collections.abc import Callable

from protocol.websocket import FrameDecoder, Received, Violation, accept_key, encode_masked

MAX_ANSWER_BYTES = 16 * 1024
"""Limit of the head of the answer to the handshake."""


_PADDING = re.compile(rb" +\n")
"""Spaces at the end of a line, which the server adds to some (see `encode_line`)."""


class HandshakeFailed(Exception):
    """The server did not open the WebSocket; the message is the first line of its answer."""


class WebClient:
    """One connection. `make_random` returns so many random bytes: the key, and a mask for each frame (RFC 6455, section
    10.3)."""

    def __init__(self, host: str, make_random: Callable[[int], bytes]) -> None:
        """`host` is the address of the server as the Host field has it, such as `192.0.2.7:2000`."""
        self._make_random = make_random
        self._key = base64.b64encode(make_random(16))
        self.request = (
            f"GET /room HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {self._key.decode()}\r\n\r\n"
        ).encode()
        self.is_open = False
        """The server has answered the handshake. Lines may be sent from then on."""
        self.decoder = FrameDecoder(from_server=True)
        self._answer = b""

    @property
    def is_between_messages(self) -> bool:
        """Whether the next byte begins a message. A close frame has not come."""
        decoder = self.decoder
        return self.is_open and not (decoder.data or decoder.is_fragmented or decoder.is_closed)

    def encode(self, lines: bytes) -> bytes:
        """The frames for whole lines, a message for each."""
        return b"".join(encode_masked(line, self._make_random(4)) for line in lines.splitlines(keepends=True))

    def decode(self, data: bytes, max_bytes: int) -> Received:
        """The lines in received bytes, without padding. A message has at most `max_bytes`. Raises HandshakeFailed and
        Violation."""
        if not self.is_open:
            self._answer += data
            head, end, data = self._answer.partition(b"\r\n\r\n")
            if not end and len(self._answer) <= MAX_ANSWER_BYTES:
                return Received()
            self._check(head)
            self.is_open, self._answer = True, b""
        received = self.decoder.feed(data, max_bytes)
        if self.decoder.close_code:
            raise Violation(self.decoder.close_code, self.decoder.close_reason)
        received.lines = _PADDING.sub(b"\n", received.lines)
        return received

    def _check(self, head: bytes) -> None:
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        is_answer = fields.get("sec-websocket-accept", "") == accept_key(self._key).decode()
        if not status.startswith("HTTP/1.1 101 ") or not is_answer:
            raise HandshakeFailed(status[:200])
