"""Pipes: the two a master and a worker talk through. See `frames` for what is said."""

import os

from server.processes.frames import FrameBuffer

READ_SIZE = 64 * 1024


class Channel:
    """One side's ends of the two pipes. The master's never waits; the worker's writes wait for the master."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing
        self.unsent = bytearray()
        self.closed = False
        self._frames = FrameBuffer()

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """The frames that have come, as (kind, payload); None once the other side is gone."""
        try:
            data = os.read(self.reading, READ_SIZE)
        except BlockingIOError:
            return []
        return self._frames.feed(data) if data else None

    def send(self, frame: bytes, rest: bytes = b"") -> None:
        """Write a frame, which may be in two parts. What a full pipe does not take is kept, for `flush`."""
        sent = 0 if self.unsent else self._write(frame, rest)
        if sent < len(frame) + len(rest):
            self.unsent += (frame + rest)[sent:]

    def flush(self) -> None:
        """Write what was kept, as far as the pipe takes it."""
        del self.unsent[: self._write(self.unsent)]

    def close(self) -> None:
        """Give the descriptors back. Harmless to do twice: a number that was given back may be another's by then."""
        if not self.closed:
            self.closed = True
            os.close(self.reading)
            os.close(self.writing)

    def _write(self, *parts: bytes | bytearray) -> int:
        try:
            return os.writev(self.writing, parts)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return sum(map(len, parts))  # The other side is gone; `receive` finds that out.


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
