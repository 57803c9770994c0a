"""SharedDecoder: what arrives, understood once for all members who got the same bytes. Pure.

The room writes the same bytes to everybody, so a thousand members cost little more than one. What is understood once is
also compared once: whether a number was ever used for two different events, a line said twice, or two lines of one
sender told in the wrong order.
"""

from msgspec import Struct

from protocol import json_lines
from protocol.json_lines import AnyEvent
from protocol.messages import ModelSwitched, Said, Sequenced

MAX_REMEMBERED = 20_000
"""Lines remembered, ours and the room's. Far more than are under way at once."""
MAX_CONFLICTS = 100
MAX_CACHED_BYTES = 32 * 2**20
"""Of each of the three: chunks, lines, and what was told under which number."""
MAX_CACHED = 1024
"""Chunks, and lines, that are recognised."""


class OwnLine(Struct, frozen=True):
    """A line one of our members said: the how-many-eth of that member it was, and when it was said (seconds)."""

    member: int
    count: int
    text: str
    at: float


class DecodedLine(Struct, frozen=True):
    """One line off the wire. `event` is None for what we do not know, `seq` is 0 for what one member alone is told."""

    seq: int
    event: AnyEvent | None
    own: OwnLine | None


class Chunk(Struct, frozen=True):
    """What one read brought, where that was whole lines with numbers that follow each other; else `first` is 0."""

    first: int
    last: int
    said: tuple[str, ...]
    """The ids of the lines said in it, empty ones too."""
    own: tuple[float, ...]
    """When those lines that are ours were said."""
    switched: tuple[ModelSwitched, ...]


IRREGULAR = Chunk(0, 0, (), (), ())


class SharedDecoder:
    """What the whole crowd said and decoded."""

    def __init__(self) -> None:
        self.conflicts: list[str] = []
        """What was found wrong, in words, up to MAX_CONFLICTS: each is a violation of the room's one order."""
        self.conflict_count = 0
        self.partial_bytes = 0
        """Bytes that all members together keep of lines that have not ended."""
        self.doubled = 0
        self.compares = True
        """Whether numbers mean the same to all members; not once a server was started anew among them."""
        self._lines: dict[str, OwnLine] = {}
        self._seq_of: dict[str, int] = {}
        self._line_of: dict[int, bytes] = {}
        self._newest_count: dict[int, int] = {}
        self._chunk_cache: dict[bytes, Chunk] = {}
        self._line_cache: dict[bytes, DecodedLine] = {}
        self._chunk_cache_bytes = self._line_cache_bytes = self._line_of_bytes = 0

    def register(self, id: str, line: OwnLine) -> None:
        """One of our members says a line under this id."""
        self._lines[id] = line
        if len(self._lines) > MAX_REMEMBERED:
            del self._lines[next(iter(self._lines))]

    def own_line(self, id: str) -> OwnLine | None:
        """What was said under this id, if it was one of us."""
        return self._lines.get(id)

    def forget_numbers(self) -> None:
        """The server does not know a member it knew: numbers begin anew, and lines may be said again."""
        self.compares = False
        self._chunk_cache.clear()
        self._line_cache.clear()
        self._chunk_cache_bytes = self._line_cache_bytes = 0

    def decode_chunk(self, data: bytes) -> Chunk:
        """What one read brought a member that had no half line before."""
        if (chunk := self._chunk_cache.get(data)) is None:
            if len(self._chunk_cache) >= MAX_CACHED or self._chunk_cache_bytes > MAX_CACHED_BYTES:
                self._chunk_cache.clear()
                self._chunk_cache_bytes = 0
            self._chunk_cache_bytes += len(data)
            chunk = self._chunk_cache[data] = self._decode_chunk(data)
        return chunk

    def decode_line(self, line: bytes) -> DecodedLine:
        """One line, without its end."""
        if (decoded := self._line_cache.get(line)) is None:
            event = json_lines.decode_event(line)
            seq = event.seq if isinstance(event, Sequenced) else 0
            own = self._lines.get(event.id) if isinstance(event, Said) else None
            decoded = DecodedLine(seq, event, own)
            if seq:
                self._compare(seq, line, decoded)
                if len(self._line_cache) >= MAX_CACHED or self._line_cache_bytes > MAX_CACHED_BYTES:
                    self._line_cache.clear()
                    self._line_cache_bytes = 0
                self._line_cache_bytes += len(line)
                self._line_cache[line] = decoded
        return decoded

    def _decode_chunk(self, data: bytes) -> Chunk:
        if not data.endswith(b"\n"):
            return IRREGULAR
        lines = [self.decode_line(line) for line in data[:-1].split(b"\n")]
        first = lines[0].seq
        if not first or any(line.seq != first + place for place, line in enumerate(lines)):
            return IRREGULAR
        return Chunk(
            first,
            lines[-1].seq,
            tuple(line.event.id for line in lines if isinstance(line.event, Said)),
            tuple(line.own.at for line in lines if line.own is not None),
            tuple(line.event for line in lines if isinstance(line.event, ModelSwitched)),
        )

    def _compare(self, seq: int, line: bytes, decoded: DecodedLine) -> None:
        if not self.compares:
            return
        before = self._line_of.setdefault(seq, line)
        self._line_of_bytes += len(line) * (before is line)
        if before is not line and before != line:
            self._report(f"event {seq} is {before[:80]!r} to one member and {line[:80]!r} to another")
        elif before is line and isinstance(decoded.event, Said) and decoded.own is not None:
            self._compare_own(decoded.event, decoded.own)
        while len(self._line_of) > MAX_REMEMBERED or self._line_of_bytes > MAX_CACHED_BYTES:
            self._line_of_bytes -= len(self._line_of.pop(next(iter(self._line_of))))

    def _report(self, conflict: str) -> None:
        self.conflict_count += 1
        if len(self.conflicts) < MAX_CONFLICTS:
            self.conflicts.append(conflict)

    def _compare_own(self, said: Said, own: OwnLine) -> None:
        """Once for each of our lines: it is told under one number, in its sender's order, as it was said."""
        if self._seq_of.setdefault(said.id, said.seq) != said.seq:
            self.doubled += 1
        elif own.count < self._newest_count.get(own.member, 0):
            self._report(f"line {own.count} of member {own.member} was told after a later one, as {said.seq}")
        if own.text != said.text:
            self._report(f"event {said.seq} says {said.text[:80]!r}, and the member said {own.text[:80]!r}")
        self._newest_count[own.member] = max(own.count, self._newest_count.get(own.member, 0))
        if len(self._seq_of) > MAX_REMEMBERED:
            del self._seq_of[next(iter(self._seq_of))]
