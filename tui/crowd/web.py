"""WebDoor: a member's WebSocket, which makes it come as a browser does. Pure but for its random bytes.

A room sends the same frames to all members. So the crowd decodes them once (SharedFrames), as it does with lines.
"""

import os

from protocol.client import MAX_EVENT_BYTES
from protocol.web_client import HandshakeFailed, WebClient
from protocol.websocket import Violation
from tui.crowd.member import ProtocolViolation, sanitized
from tui.link.connecting import SocketAddress

MAX_SHARED = 64
"""Limit of the chunks that are kept."""


class SharedFrames:
    """The lines in the last chunks of whole frames."""

    def __init__(self) -> None:
        self._chunks: dict[bytes, bytes] = {}

    def find(self, chunk: bytes) -> bytes | None:
        """The lines in this chunk, if a member has decoded it."""
        return self._chunks.get(chunk)

    def keep(self, chunk: bytes, lines: bytes) -> None:
        """Keep the lines of a chunk of whole frames."""
        self._chunks[chunk] = lines
        if len(self._chunks) > MAX_SHARED:
            del self._chunks[next(iter(self._chunks))]


class WebDoor:
    """One connection. Send `request` first, and lines as soon as it `is_open`."""

    def __init__(self, address: SocketAddress, frames: SharedFrames) -> None:
        host, port = str(address[0]).partition("%")[0], address[1]
        self._client = WebClient(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", os.urandom)
        self._frames = frames
        self.request = self._client.request

    @property
    def is_open(self) -> bool:
        """Whether the server has answered the handshake."""
        return self._client.is_open

    def encode(self, lines: bytes) -> bytes:
        """The frames of whole lines."""
        return self._client.encode(lines)

    def decode(self, data: bytes) -> bytes:
        """The lines in received bytes. Raises ProtocolViolation."""
        is_whole = self._client.is_between_messages
        if is_whole and (lines := self._frames.find(data)) is not None:
            return lines
        try:
            received = self._client.decode(data, MAX_EVENT_BYTES)
        except HandshakeFailed as answer:
            raise ProtocolViolation(f"it opened no WebSocket: {sanitized(str(answer))}") from None
        except Violation as reason:
            raise ProtocolViolation(f"its frames are wrong: {reason}") from None
        if is_whole and self._client.is_between_messages:
            self._frames.keep(data, received.lines)
        return received.lines
