"""Frames: how master and worker tell each other things through a pipe. Pure.

A pipe is a stream: it joins and cuts what is written. So a frame says its length first, then what it is. What is for
the peer and for nobody else goes between the frames as it is, because that is nearly all there is to tell, and it can
be passed on without being taken apart: a frame begins with a NUL, and what is told to peers has none.
"""

import struct

import msgspec

from server.session import Item, Session

ITEM = b"i"
"""Worker to master: what the connection says to the room."""
SESSION = b"s"
"""The session: the first frame to a worker, and the last one from it."""
ECHO = b"e"
"""Master to worker, and back once all that was sent before it has gone out: how the meter knows."""
ENDED = b"x"
"""Worker to master: the connection has ended as it should."""
FAILURE = b"f"
"""Worker to master: the traceback it ends with."""
TALK = b"t"
"""Master to worker: bytes for the peer. This one needs no frame."""
DELIVERY = b"d"
"""Master to worker: a mark, and bytes for the peer."""
RETURN = b"r"
"""Master to worker: give the session back."""

NUL = b"\0"
"""What a frame begins with."""

_HEAD = struct.Struct("!xIc")
_MARK = struct.Struct("!I")
_SINCE = struct.Struct("!d")
_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Item)
_sessions = msgspec.msgpack.Decoder(Session)


def pack(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(len(payload), kind) + payload


def pack_item(item: Item, since: float) -> bytes:
    """What the connection says to the room, and since when it may have waited to be read."""
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


def item_in(payload: bytes) -> tuple[Item, float]:
    """What `pack_item` packed."""
    return _items.decode(memoryview(payload)[_SINCE.size :]), _SINCE.unpack_from(payload)[0]


def session_in(payload: bytes) -> Session:
    """What `pack_session` packed."""
    return _sessions.decode(payload)


def delivery_in(kind: bytes, payload: bytes) -> tuple[bytes, int]:
    """What `pack_delivery` packed, of a frame of this kind."""
    if kind == TALK:
        return payload, 0
    return payload[_MARK.size :], _MARK.unpack_from(payload)[0]


class FrameBuffer:
    """Bytes in, whole frames out, and what came between them as TALK."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        """Of a frame that is not whole yet. They are joined once: a long one comes in many."""
        self._missing = 0

    @property
    def empty(self) -> bool:
        """Nothing waits for its rest."""
        return not self._pieces

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Take in what was read; returns the frames it completes, as (kind, payload)."""
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
