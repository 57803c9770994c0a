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
        return self.take(data)

    def take(self, data: bytes) -> list[tuple[bytes, bytes]] | None:
        """The frames that are whole by `data`, which was read from the pipe; None for its end."""
        return self._frames.feed(data) if data else None

    @property
    def between(self) -> bool:
        """Whether what is read next begins something new."""
        return self._frames.empty

    def send(self, frame: bytes) -> None:
        """Write a frame. What a full pipe does not take is kept, for `flush`."""
        sent = 0 if self.unsent else self._write(frame)
        if sent < len(frame):
            self.unsent += frame[sent:]

    def flush(self) -> None:
        """Write what was kept, as far as the pipe takes it."""
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
            return len(data)  # The other side is gone; `receive` finds that out.


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
