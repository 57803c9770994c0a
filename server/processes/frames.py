"""Frames: how master and worker tell each other things through a pipe. Pure.

A pipe is a stream: it joins and cuts what is written. So each frame says its length first, then what it is.
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
DELIVERY = b"d"
"""Master to worker: a mark and bytes for the peer."""
RETURN = b"r"
"""Master to worker: give the session back."""

_HEAD = struct.Struct("!Ic")
_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Item)
_sessions = msgspec.msgpack.Decoder(Session)


def pack(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(len(payload), kind) + payload


def pack_item(item: Item) -> bytes:
    """What the connection says to the room."""
    return pack(ITEM, _encoder.encode(item))


def pack_session(session: Session) -> bytes:
    """The session, given back."""
    return pack(SESSION, _encoder.encode(session))


def pack_failure(traceback: str) -> bytes:
    """How a worker failed."""
    return pack(FAILURE, traceback.encode())


def pack_delivery(data: bytes, mark: int) -> bytes:
    """Bytes for the peer, and what they mean for its session."""
    return pack(DELIVERY, mark.to_bytes(4, "big") + data)


def item_in(payload: bytes) -> Item:
    """What `pack_item` packed."""
    item: Item = _items.decode(payload)
    return item


def session_in(payload: bytes) -> Session:
    """What `pack_session` packed."""
    return _sessions.decode(payload)


def delivery_in(payload: bytes) -> tuple[bytes, int]:
    """What `pack_delivery` packed."""
    return payload[4:], int.from_bytes(payload[:4], "big")


class FrameBuffer:
    """Bytes in, whole frames out."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Take in what was read; returns the frames it completes, as (kind, payload)."""
        self._data += data
        frames: list[tuple[bytes, bytes]] = []
        start = 0
        while len(self._data) >= start + _HEAD.size:
            size, kind = _HEAD.unpack_from(self._data, start)
            stop = start + _HEAD.size + size
            if len(self._data) < stop:
                break
            frames.append((kind, self._data[start + _HEAD.size : stop]))
            start = stop
        self._data = self._data[start:]
        return frames
