"""LineBuffer: bytes in, lines out, in bounded memory.

A line ends with LF or CR LF; a lone CR, U+0085 and U+2028 are text. The bytes of a line above the limit are counted and
dropped, so a peer that never ends its line costs no memory.
"""

from msgspec import Struct


class OverlongLine(Struct, frozen=True):
    """The result for a line above the limit. `size` is its length in bytes."""

    size: int


class LineBuffer(Struct):
    """Received bytes that have not been returned as lines. It is a struct, so it can be sent to another process."""

    data: bytes = b""
    start: int = 0
    dropped_bytes: int = 0
    """Bytes of an overlong line that has not ended; they were counted and dropped."""

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        self.data = self.data[self.start :] + data if self.start < len(self.data) else data
        self.start = 0

    @property
    def has_line(self) -> bool:
        """Whether the buffer holds a whole line."""
        return self.data.find(b"\n", self.start) >= 0

    def take_unfinished(self) -> bytes:
        """Remove and return the bytes after the last whole line. The caller can feed them again."""
        place = max(self.start, self.data.rfind(b"\n") + 1)
        unfinished, self.data = self.data[place:], self.data[:place]
        return unfinished

    def peek(self, max_bytes: int) -> bytes:
        """The first `max_bytes` bytes in the buffer; empty in the middle of an overlong line."""
        return b"" if self.dropped_bytes else self.data[self.start : self.start + max_bytes]

    def next_line(self, limit: int) -> bytes | OverlongLine | None:
        """Remove and return the next line without its end; OverlongLine if it had more than `limit` bytes, and
        None if no line is complete."""
        end = self.data.find(b"\n", self.start)
        if end < 0:
            self._keep_rest(limit)
            return None
        line = self.data[self.start : end].removesuffix(b"\r")
        self.start = end + 1
        if self.start == len(self.data):
            self.data, self.start = b"", 0
        size, self.dropped_bytes = self.dropped_bytes + len(line), 0
        return line if size <= limit else OverlongLine(size)

    def _keep_rest(self, limit: int) -> None:
        self.data, self.start = self.data[self.start :], 0
        # One byte more than the limit is kept: it may be the CR of a CR LF. So is a CR that comes last.
        if self.dropped_bytes or len(self.data) > limit + 1:
            text = self.data.removesuffix(b"\r")
            self.dropped_bytes += len(text)
            self.data = self.data[len(text) :]
