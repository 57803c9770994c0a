"""WebSocket frames (RFC 6455) around the lines of the rich dialect, without extensions. Pure.

A message from the server is one line. Two properties of its bytes make this dialect as cheap as the others:

- LF stands only at the end of a message. So the queue of a slow reader can be cut behind an LF, as in other dialects.
- NUL does not occur in a message below 64 KiB. So a worker of the process model passes it on without parsing.

The frames of a client are decoded by a FrameDecoder, which is a struct: it can be sent to another process, with half a
frame in it.
"""

import base64
import re

from msgspec import Struct, field

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_FINAL, _RESERVED, _OPCODE = 0x80, 0x70, 0x0F
"""Parts of the first byte of a frame."""
_MASKED, _SIZE = 0x80, 0x7F
"""Parts of the second byte."""
_SHORT = 125
"""Bytes of payload up to which its size stands in the second byte. A control frame has no more."""
_SIZE_FOLLOWS = {126: 2, 127: 8}
"""Values of the second byte that announce a size of so many bytes."""
_LF, _NUL = 0x0A, 0x00
FRAME_COST_BYTES = 32
"""Bytes that a frame costs in `Received.overhead`, besides its own, unless it is a whole message."""

NORMAL, PROTOCOL_ERROR, NOT_TEXT, NOT_UTF8, TOO_LARGE = 1000, 1002, 1003, 1007, 1009
"""Codes of close frames (RFC 6455, section 7.4.1)."""

_MESSAGE_END = re.compile(rb"\n(?=[\x81\x01\x88\x8a]|\Z)")
"""The end of a message of the server: a pong repeats the bytes of its ping, which may hold an LF, so the first byte of
another frame follows here."""


def accept_key(key: bytes) -> bytes:
    """The `Sec-WebSocket-Accept` that answers this `Sec-WebSocket-Key`."""
    import hashlib  # Only here: it loads OpenSSL, 4 MiB that a worker does not need.

    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


# The frames of the server


def encode_line(line: bytes) -> bytes:
    """A line that ends with LF, as a text message. Spaces before the LF may make it longer, so that its size has no
    byte that looks like LF or, below 64 KiB, like NUL."""
    size = len(line)
    if _SHORT < size <= 2 * _SHORT:  # The longer form of a size would begin with a NUL. Two fragments do not.
        rest = _padded(line[_SHORT:])
        return bytes((_TEXT, _SHORT)) + line[:_SHORT] + bytes((_FINAL | _CONTINUATION, len(rest))) + rest
    line = _padded(line)
    return bytes((_FINAL | _TEXT,)) + _size_of(line) + line


def _padded(line: bytes) -> bytes:
    size = len(line)
    if size <= _SHORT:
        allowed = size + (size == _LF)
    elif (allowed := _without(size, 2, (_NUL, _LF))) >= 2**16:
        allowed = _without(size, 8, (_LF,))
    return line if allowed == size else line[:-1] + b" " * (allowed - size) + b"\n"


def _without(size: int, width: int, excluded: tuple[int, ...]) -> int:
    """The smallest number from `size` on whose `width` bytes are none of the excluded ones; 65536 and more if two bytes
    are not enough."""
    if size >= 256**width:
        return size
    digits = bytearray(size.to_bytes(width, "big"))
    for place, digit in enumerate(digits):
        if digit in excluded:
            least = int(_NUL in excluded)
            digits[place:] = bytes((digit + 1, *(least for _ in digits[place + 1 :])))
    return int.from_bytes(digits, "big")


def _size_of(payload: bytes) -> bytes:
    if (size := len(payload)) <= _SHORT:
        return bytes((size,))
    marker, width = (126, 2) if size < 2**16 else (127, 8)
    return bytes((marker,)) + size.to_bytes(width, "big")


def encode_close(code: int, reason: str = "") -> bytes:
    """A close frame. `reason` has up to 123 bytes."""
    payload = code.to_bytes(2, "big") + reason.encode()
    return bytes((_FINAL | _CLOSE, len(payload))) + payload


def message_end(data: bytes | bytearray) -> int:
    """The number of bytes up to the end of the first message in the queue of the server; 0 if it holds no end."""
    match = _MESSAGE_END.search(data)
    return match.end() if match else 0


# The frames of a client


def encode_masked(payload: bytes, mask: bytes, opcode: int = _TEXT) -> bytes:
    """A frame of a client: a whole text message, or a frame of another kind."""
    head = bytearray((_FINAL | opcode,)) + _size_of(payload)
    head[1] |= _MASKED
    return bytes(head) + mask + _masked(payload, mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    """XOR of the payload and the repeated mask. As one large number, that needs no loop in Python."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")


class Violation(Exception):
    """The peer does not keep to RFC 6455. `code` is that of the close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Received(Struct):
    """The result of decoding received bytes."""

    lines: bytes = b""
    """Each message, with an LF at its end."""
    pong: bytes = b""
    """The frame that answers the last ping; earlier ones need no answer (RFC 6455, section 5.5.3)."""
    overhead: int = 0
    """The bytes of control frames and of the heads of fragments. A flood of them costs the server time."""


class FrameDecoder(Struct):
    """Decodes the frames of a peer. Text is checked as UTF-8 when its message is complete."""

    from_server: bool = False
    """The peer is a server, so its frames are not masked."""
    data: bytes = b""
    """An unfinished frame."""
    message: bytearray = field(default_factory=bytearray)
    """The fragments so far of an unfinished message."""
    is_fragmented: bool = False
    """The last fragment of a message is still to come."""
    is_closed: bool = False
    """A close frame has come. Later bytes are dropped."""
    close_code: int = 0
    """The code to close with after a violation, and 0 before one. Later bytes are dropped."""
    close_reason: str = ""

    def feed(self, data: bytes, max_bytes: int) -> Received:
        """Take in received bytes. A message has at most `max_bytes`."""
        received = Received()
        lines: list[bytes] = []
        data, place = self.data + data, 0
        try:
            while not self.is_closed and not self.close_code and (frame := self._frame(data, place, max_bytes)):
                first, body, place = frame
                self._take(first, body, received, lines)
        except Violation as violation:
            self.close_code, self.close_reason = violation.code, str(violation)
        self.data = b"" if self.is_closed or self.close_code else data[place:]
        received.lines = b"".join(lines)
        return received

    def _frame(self, data: bytes, place: int, max_bytes: int) -> tuple[int, bytes, int] | None:
        """The next frame, if it is complete: its first byte, its payload, and the place of its end."""
        if len(data) - place < 2:
            return None
        first, second = data[place], data[place + 1]
        self._check_head(first, second)
        size, start = second & _SIZE, place + 2
        if (width := _SIZE_FOLLOWS.get(size, 0)) and len(data) - start < width:
            return None
        if width:
            size, start = int.from_bytes(data[start : start + width], "big"), start + width
        if (first & _OPCODE) < _CLOSE and size + len(self.message) > max_bytes:
            raise Violation(TOO_LARGE, f"a message has at most {max_bytes} bytes")
        body = start if self.from_server else start + 4
        if len(data) < body + size:
            return None
        payload = data[body : body + size]
        return first, payload if self.from_server else _masked(payload, data[start:body]), body + size

    def _check_head(self, first: int, second: int) -> None:
        opcode = first & _OPCODE
        if first & _RESERVED:
            raise Violation(PROTOCOL_ERROR, "no extension is in use")
        if bool(second & _MASKED) == self.from_server:
            raise Violation(PROTOCOL_ERROR, "the frames of a client are masked, and those of a server are not")
        if opcode in (_CLOSE, _PING, _PONG):
            if not first & _FINAL or second & _SIZE > _SHORT:
                raise Violation(PROTOCOL_ERROR, "a control frame is short, and has one fragment")
        elif opcode == _BINARY:
            raise Violation(NOT_TEXT, "messages are text")
        elif opcode not in (_CONTINUATION, _TEXT) or (opcode == _CONTINUATION) != self.is_fragmented:
            raise Violation(PROTOCOL_ERROR, "this frame cannot follow the one before")

    def _take(self, first: int, body: bytes, received: Received, lines: list[bytes]) -> None:
        """Apply a whole frame."""
        opcode, is_final = first & _OPCODE, bool(first & _FINAL)
        if opcode != _TEXT or not is_final:
            received.overhead += FRAME_COST_BYTES + (len(body) if opcode >= _CLOSE else 0)
        if opcode == _CLOSE:
            _check_close(body)
            self.is_closed = True
        elif opcode == _PING:
            received.pong = bytes((_FINAL | _PONG, len(body))) + body
        elif opcode != _PONG:
            self.message += body
            self.is_fragmented = not is_final
            if is_final:
                lines.append(self._line())

    def _line(self) -> bytes:
        line = bytes(self.message)
        self.message.clear()
        try:
            line.decode()
        except UnicodeDecodeError:
            raise Violation(NOT_UTF8, "text is UTF-8") from None
        return line if line.endswith(b"\n") else line + b"\n"


def _check_close(body: bytes) -> None:
    """Raises Violation if a close frame has a code or a reason that it must not have (RFC 6455, section 7.4)."""
    code = int.from_bytes(body[:2], "big")
    if not body:
        return
    if len(body) == 1 or not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in (1004, 1005, 1006):
        raise Violation(PROTOCOL_ERROR, "this is no code of a close frame")
    try:
        body[2:].decode()
    except UnicodeDecodeError:
        raise Violation(NOT_UTF8, "a reason is UTF-8") from None
