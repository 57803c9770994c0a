"""Pipes: the two between the master and a worker, and the frames that travel through them.

A pipe is a stream without boundaries, so a frame begins with its length and its kind. Bytes for the peer travel between
the frames as they are. They are nearly all of the traffic, and the worker passes them on without parsing: a frame
begins with a NUL, and the bytes for a peer have none.
"""

import os
import struct

import msgspec

from server.session import Session
from server.session_types import Request

READ_SIZE = 64 * 1024

ITEM = b"i"
"""Worker to master: a request to the room."""
SESSION = b"s"
"""The session: the first frame to a worker, and the last one from it."""
FLUSHED = b"e"
"""Master to worker, and back when the worker has written all that came before it. The meter needs the time."""
ENDED = b"x"
"""Worker to master: the connection has ended as it should."""
FAILURE = b"f"
"""Worker to master: the traceback of the exception that ends the worker."""
TALK = b"t"
"""Master to worker: bytes for the peer, without a frame."""
DELIVERY = b"d"
"""Master to worker: delivery flags and bytes for the peer, if they cannot travel as TALK."""
RETURN = b"r"
"""Master to worker: return the session."""

NUL = b"\0"
"""The first byte of a frame."""

_HEAD = struct.Struct("!xIc")
_FLAGS = struct.Struct("!I")
_SINCE = struct.Struct("!d")
_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Request)
_sessions = msgspec.msgpack.Decoder(Session)


def pack(kind: bytes, payload: bytes = b"") -> bytes:
    """Encode one frame."""
    return _HEAD.pack(len(payload), kind) + payload


def pack_item(item: Request, since: float) -> bytes:
    """Encode a request to the room, and since when it may have waited to be read."""
    return pack(ITEM, _SINCE.pack(since) + _encoder.encode(item))


def pack_session(session: Session) -> bytes:
    """Encode a session."""
    return pack(SESSION, _encoder.encode(session))


def pack_failure(traceback: str) -> bytes:
    """Encode the traceback of a worker that failed."""
    return pack(FAILURE, traceback.encode())


def pack_delivery(data: bytes, flags: int) -> bytes:
    """Encode bytes for the peer and their DeliveryFlags. Bytes without flags travel as they are."""
    return pack(DELIVERY, _FLAGS.pack(flags) + data) if flags or NUL in data else data


def item_in(payload: bytes) -> tuple[Request, float]:
    """Decode the request and the time of a frame by `pack_item`."""
    return _items.decode(memoryview(payload)[_SINCE.size :]), _SINCE.unpack_from(payload)[0]


def session_in(payload: bytes) -> Session:
    """Decode the session of a frame by `pack_session`."""
    return _sessions.decode(payload)


def delivery_in(kind: bytes, payload: bytes) -> tuple[bytes, int]:
    """Decode the bytes and the flags of a frame by `pack_delivery`, which is TALK or DELIVERY."""
    if kind == TALK:
        return payload, 0
    return payload[_FLAGS.size :], _FLAGS.unpack_from(payload)[0]


class FrameBuffer:
    """Splits a stream into whole frames, with the bytes between frames as TALK. Pure."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        """The pieces of an incomplete frame. They are joined once, because a long frame arrives in many pieces."""
        self._missing = 0

    @property
    def empty(self) -> bool:
        """Whether no frame is incomplete."""
        return not self._pieces

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Add bytes. Returns the frames that are complete now, as (kind, payload)."""
        frames: list[tuple[bytes, bytes]] = []
        if self._pieces:
            self._pieces.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return frames
            data, self._pieces = b"".join(self._pieces), []
        start, stop = 0, len(data)
        while start < stop:
            if data[start]:
                end = data.find(NUL, start)
                end = stop if end < 0 else end
                frames.append((TALK, data[start:end]))
                start = end
                continue
            missing = _HEAD.size - (stop - start)
            if missing <= 0:
                size, kind = _HEAD.unpack_from(data, start)
                missing += size
            if missing > 0:
                self._pieces, self._missing = [data[start:]], missing
                break
            body = start + _HEAD.size
            start = body + size
            frames.append((kind, data[body:start]))
        return frames


class Channel:
    """One side's ends of the two pipes. The master never blocks on them; the worker's writes block."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing
        self.unsent = bytearray()
        self.closed = False
        self._frames = FrameBuffer()

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """Read the frames that have arrived, as (kind, payload). Returns None if the other side is gone."""
        try:
            data = os.read(self.reading, READ_SIZE)
        except BlockingIOError:
            return []
        return self.take(data)

    def take(self, data: bytes) -> list[tuple[bytes, bytes]] | None:
        """Add `data`, which was read from the pipe. Returns the complete frames, or None at the end of the pipe."""
        return self._frames.feed(data) if data else None

    @property
    def between_frames(self) -> bool:
        """Whether the next byte begins a new frame or is TALK."""
        return self._frames.empty

    def send(self, frame: bytes) -> None:
        """Write a frame. If the pipe is full, the rest is kept for `flush`."""
        sent = 0 if self.unsent else self._write(frame)
        if sent < len(frame):
            self.unsent += frame[sent:]

    def flush(self) -> None:
        """Write as much of the kept bytes as the pipe takes now."""
        del self.unsent[: self._write(self.unsent)]

    def close(self) -> None:
        """Close the descriptors. May be called twice: the second call must not close a reused number."""
        if not self.closed:
            self.closed = True
            os.close(self.reading)
            os.close(self.writing)

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self.writing, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)  # The other side is gone. `receive` will find that.


def pair() -> tuple[Channel, Channel]:
    """The master's and the worker's side of two new pipes. Raises OSError if no descriptors are left."""
    down_read, down_write = os.pipe()
    try:
        up_read, up_write = os.pipe()
    except OSError:
        os.close(down_read)
        os.close(down_write)
        raise
    os.set_blocking(up_read, False)
    os.set_blocking(down_write, False)
    return Channel(up_read, down_write), Channel(down_read, up_write)
