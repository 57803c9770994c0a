"""LineBuffer: bytes in, lines out, bounded.

Only LF ends a line (a CR before it belongs to the end); a lone CR, U+0085 or U+2028 is text. A line over the limit is
counted but not kept, so a peer that never ends its line costs no memory.
"""

from msgspec import Struct


class TooLong(Struct, frozen=True):
    """Stands in the place of a line that was over the limit. `size` is what it had, in bytes."""

    size: int


class LineBuffer(Struct):
    """What has been received and is not a whole line yet. A struct, so that it can travel to another process."""

    data: bytes = b""
    start: int = 0
    runaway: int = 0
    """Bytes dropped so far of an overlong line that has not ended."""

    def feed(self, data: bytes) -> None:
        """Take in what was received."""
        self.data = self.data[self.start :] + data if self.start < len(self.data) else data
        self.start = 0

    @property
    def has_line(self) -> bool:
        """Whether a whole line is waiting."""
        return self.data.find(b"\n", self.start) >= 0

    def take_unfinished(self) -> bytes:
        """Remove the bytes after the last whole line, to be fed again. None while they belong to an overlong line."""
        place = max(self.start, self.data.rfind(b"\n") + 1)
        unfinished, self.data = self.data[place:], self.data[:place]
        return unfinished

    def beginning(self, most: int) -> bytes:
        """The first `most` bytes of what waits; none while they are in the middle of an overlong line."""
        return b"" if self.runaway else self.data[self.start : self.start + most]

    def next_line(self, limit: int) -> bytes | TooLong | None:
        """The next whole line without its end, TooLong where it had over `limit` bytes, None if there is none yet."""
        end = self.data.find(b"\n", self.start)
        if end < 0:
            self._keep_rest(limit)
            return None
        line = self.data[self.start : end].removesuffix(b"\r")
        self.start = end + 1
        if self.start == len(self.data):
            self.data, self.start = b"", 0
        size, self.runaway = self.runaway + len(line), 0
        return line if size <= limit else TooLong(size)

    def _keep_rest(self, limit: int) -> None:
        self.data, self.start = self.data[self.start :], 0
        # One byte of grace: it may be the CR of a line that just fits. A CR at the end may belong to the line's end.
        if self.runaway or len(self.data) > limit + 1:
            text = self.data.removesuffix(b"\r")
            self.runaway += len(text)
            self.data = self.data[len(text) :]
