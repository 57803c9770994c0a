"""Pipes: the two between the master and a worker, and the frames that travel through them.

A pipe is a stream: it joins and cuts what is written. So a frame begins with its length and its kind. Bytes for the
peer go between the frames as they are. They are nearly all of the traffic, and so the worker can pass them on without
taking them apart: a frame begins with a NUL, and what is told to peers has none.
"""

import os
import struct

import msgspec

from server.session import Request, Session

READ_SIZE = 64 * 1024

ITEM = b"i"
"""Worker to master: what the connection asks of the room."""
SESSION = b"s"
"""The session: the first frame to a worker, and the last one from it."""
FLUSHED = b"e"
"""Master to worker, and back once the worker has written all that came before it: how the meter knows."""
ENDED = b"x"
"""Worker to master: the connection has ended as it should."""
FAILURE = b"f"
"""Worker to master: the traceback it ends with."""
TALK = b"t"
"""Master to worker: bytes for the peer. This one needs no frame."""
DELIVERY = b"d"
"""Master to worker: a mark, and bytes for the peer, where they do not go as TALK."""
RETURN = b"r"
"""Master to worker: give the session back."""

NUL = b"\0"
"""What a frame begins with."""

_HEAD = struct.Struct("!xIc")
_MARK = struct.Struct("!I")
_SINCE = struct.Struct("!d")
_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Request)
_sessions = msgspec.msgpack.Decoder(Session)


def pack(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(len(payload), kind) + payload


def pack_item(item: Request, since: float) -> bytes:
    """What the connection asks of the room, and since when it may have waited to be read."""
    return pack(ITEM, _SINCE.pack(since) + _encoder.encode(item))


def pack_session(session: Session) -> bytes:
    """The session, given back."""
    return pack(SESSION, _encoder.encode(session))


def pack_failure(traceback: str) -> bytes:
    """How a worker failed."""
    return pack(FAILURE, traceback.encode())


def pack_delivery(data: bytes, mark: int) -> bytes:
    """Bytes for the peer, and what they mean for its session. Where that is nothing, they go as they are."""
    return pack(DELIVERY, _MARK.pack(mark) + data) if mark or NUL in data else data


def item_in(payload: bytes) -> tuple[Request, float]:
    """The item of a frame by `pack_item`, and its time."""
    return _items.decode(memoryview(payload)[_SINCE.size :]), _SINCE.unpack_from(payload)[0]


def session_in(payload: bytes) -> Session:
    """The session of a frame by `pack_session`."""
    return _sessions.decode(payload)


def delivery_in(kind: bytes, payload: bytes) -> tuple[bytes, int]:
    """The bytes and the mark of a frame by `pack_delivery`, which is TALK or DELIVERY."""
    if kind == TALK:
        return payload, 0
    return payload[_MARK.size :], _MARK.unpack_from(payload)[0]


class FrameBuffer:
    """Bytes in, whole frames out, and the bytes between them as TALK. Pure."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        """Those of a frame that is not whole yet. They are joined once: a long frame comes in many."""
        self._missing = 0

    @property
    def empty(self) -> bool:
        """Whether no frame waits for its rest."""
        return not self._pieces

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Take bytes that were read; returns the frames they complete, as (kind, payload)."""
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
    """One side's ends of the two pipes. The master never waits on them; the worker's writes wait for the master."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing
        self.unsent = bytearray()
        self.closed = False
        self._frames = FrameBuffer()

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """The frames that have arrived, as (kind, payload); None once the other side is gone."""
        try:
            data = os.read(self.reading, READ_SIZE)
        except BlockingIOError:
            return []
        return self.take(data)

    def take(self, data: bytes) -> list[tuple[bytes, bytes]] | None:
        """The frames that `data`, which was read from the pipe, completes; None if it is the pipe's end."""
        return self._frames.feed(data) if data else None

    @property
    def between_frames(self) -> bool:
        """Whether what is read next begins a new frame, or is TALK."""
        return self._frames.empty

    def send(self, frame: bytes) -> None:
        """Write a frame. The rest that a full pipe does not take is kept for `flush`."""
        sent = 0 if self.unsent else self._write(frame)
        if sent < len(frame):
            self.unsent += frame[sent:]

    def flush(self) -> None:
        """Write what was kept, as far as the pipe takes it now."""
        del self.unsent[: self._write(self.unsent)]

    def close(self) -> None:
        """Give the descriptors back. Harmless to do twice: a number that was given back may be another's by then."""
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
            return len(data)  # The other side is gone, as `receive` will find out.


def pair() -> tuple[Channel, Channel]:
    """The master's and the worker's side of two new pipes. Raises OSError where no descriptors are left."""
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
