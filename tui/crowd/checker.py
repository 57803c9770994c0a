"""Checks of the received events. Pure.

SequenceChecker detects the events of one member that are lost, doubled or out of order. SharedDecoder decodes received
bytes once for all members that received the same ones: the room sends the same bytes to all members, so a thousand
members cost little more than one. It also checks decoded events once: for a number with two different events, a line
with two numbers, and lines of a sender in the wrong order.
"""

from msgspec import Struct

from protocol import json_lines
from protocol.json_lines import AnyEvent
from protocol.messages import MAX_COUNT, ModelSwitched, Said, Sequenced

MAX_MISSING = 2_000
"""Limit of the missing numbers that are remembered, as they may still arrive. Further ones are only counted."""
MAX_REMEMBERED = 20_000
"""Limit of the remembered lines, sent and received. Far fewer are under way at any time."""
MAX_CONFLICTS = 100
MAX_CACHED_BYTES = 32 * 2**20
"""Size limit of each cache: chunks, lines, and lines by number."""
MAX_CACHED = 1024
"""Limit of the cached chunks, and of the cached lines."""


class SequenceChecker:
    """The numbered events that a member received. A skipped number counts as lost until it arrives."""

    def __init__(self) -> None:
        self.last = 0
        """The highest number received."""
        self.doubled = 0
        self.disordered = 0
        self.reported_gaps = 0
        """Events that the room reported as no longer available."""
        self._missing: set[int] = set()
        self._skipped = 0

    @property
    def lost(self) -> int:
        """Missing events that the room did not report as a gap."""
        return len(self._missing) + self._skipped

    def begin(self, seq: int) -> None:
        """Start a new session, whose next event follows `seq`."""
        self.last = seq

    def gap(self, missed: int) -> None:
        """Record that the room reported the next `missed` events as no longer available."""
        self.reported_gaps += missed
        self.last = min(self.last + missed, MAX_COUNT)

    def see(self, seq: int) -> None:
        """Record a received event."""
        if seq == self.last + 1:
            self.last = seq
        elif seq > self.last:
            self.expect(seq - 1)
            self.last = seq
        elif seq in self._missing:
            self._missing.remove(seq)
            self.disordered += 1
        else:
            self.doubled += 1

    def expect(self, seq: int) -> None:
        """Count all events up to `seq` that have not arrived as missing."""
        if len(self._missing) + seq - self.last > MAX_MISSING:
            self._skipped += seq - self.last
        elif seq > self.last:
            self._missing.update(range(self.last + 1, seq + 1))
        self.last = max(self.last, seq)


class OwnLine(Struct, frozen=True):
    """A line of a member of the crowd: its number among the lines of that member, and its time in seconds."""

    member: int
    count: int
    text: str
    at: float


class DecodedLine(Struct, frozen=True):
    """A received line. `event` is None if it cannot be decoded; `seq` is 0 for events sent to a single member."""

    seq: int
    event: AnyEvent | None
    own: OwnLine | None


class Chunk(Struct, frozen=True):
    """The content of one read, if it has complete lines with consecutive numbers; otherwise `first` is 0."""

    first: int
    last: int
    said: tuple[str, ...]
    """The ids of its `said` events, including empty ones."""
    own: tuple[float, ...]
    """The times at which the crowd's own lines in it were said."""
    switched: tuple[ModelSwitched, ...]


IRREGULAR = Chunk(0, 0, (), (), ())


class SharedDecoder:
    """Decodes the received lines, and remembers the lines that the crowd sent."""

    def __init__(self) -> None:
        self.conflicts: list[str] = []
        """Descriptions of violations of the room's order, at most MAX_CONFLICTS."""
        self.conflict_count = 0
        self.partial_bytes = 0
        """Bytes of incomplete lines, of all members."""
        self.doubled = 0
        self.compares = True
        """Whether a number means the same event for all members. It does not after a restart of the server."""
        self._lines: dict[str, OwnLine] = {}
        self._seq_of: dict[str, int] = {}
        self._line_of: dict[int, bytes] = {}
        self._newest_count: dict[int, int] = {}
        self._chunk_cache: dict[bytes, Chunk] = {}
        self._line_cache: dict[bytes, DecodedLine] = {}
        self._chunk_cache_bytes = self._line_cache_bytes = self._line_of_bytes = 0

    def register(self, id: str, line: OwnLine) -> None:
        """Remember a line that a member sends with this id."""
        self._lines[id] = line
        if len(self._lines) > MAX_REMEMBERED:
            del self._lines[next(iter(self._lines))]

    def own_line(self, id: str) -> OwnLine | None:
        """The line that a member sent with this id, if any."""
        return self._lines.get(id)

    def forget_numbers(self) -> None:
        """Handle a restart of the server: the numbers start again, and lines may be sent again."""
        self.compares = False
        self._chunk_cache.clear()
        self._line_cache.clear()
        self._chunk_cache_bytes = self._line_cache_bytes = 0

    def decode_chunk(self, data: bytes) -> Chunk:
        """Decode the bytes of a read that begins with a line start."""
        if (chunk := self._chunk_cache.get(data)) is None:
            if len(self._chunk_cache) >= MAX_CACHED or self._chunk_cache_bytes > MAX_CACHED_BYTES:
                self._chunk_cache.clear()
                self._chunk_cache_bytes = 0
            self._chunk_cache_bytes += len(data)
            chunk = self._chunk_cache[data] = self._decode_chunk(data)
        return chunk

    def decode_line(self, line: bytes) -> DecodedLine:
        """Decode a line without its line end."""
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
        """Check a line of the crowd: it has one number, its sender's order, and its original text."""
        if self._seq_of.setdefault(said.id, said.seq) != said.seq:
            self.doubled += 1
        elif own.count < self._newest_count.get(own.member, 0):
            self._report(
                f"line {own.count} of member {own.member} was delivered after a later one, as event {said.seq}"
            )
        if own.text != said.text:
            self._report(f"event {said.seq} says {said.text[:80]!r}, and the member said {own.text[:80]!r}")
        self._newest_count[own.member] = max(own.count, self._newest_count.get(own.member, 0))
        if len(self._seq_of) > MAX_REMEMBERED:
            del self._seq_of[next(iter(self._seq_of))]
