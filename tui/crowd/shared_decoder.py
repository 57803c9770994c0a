"""SharedDecoder: what arrives, understood once for all members who got the same bytes. Pure.

The room writes the same bytes to everybody, so a thousand members cost little more than one. What is understood once is
also compared once: whether a number was ever used for two different events, a line said twice, or two lines of one
sender told in the wrong order.
"""

from msgspec import Struct

from protocol import json_lines
from protocol.json_lines import AnyEvent
from protocol.messages import ModelSwitched, Said, Sequenced

KEPT = 20_000
"""Lines remembered, ours and the room's. Far more than are under way at once."""
MAX_CONFLICTS = 100
MAX_CACHED_BYTES = 32 * 2**20
"""Of each of the three: chunks, lines, and what was told under which number."""
CACHED = 1024
"""Chunks, and lines, that are recognised."""


class Line(Struct, frozen=True):
    """A line one of our members said: the how-many-eth of that member it was, and when it was said (seconds)."""

    member: int
    count: int
    text: str
    at: float


class Heard(Struct, frozen=True):
    """One line off the wire. `event` is None for what we do not know, `seq` is 0 for what one member alone is told."""

    seq: int
    event: AnyEvent | None
    own: Line | None


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
    """What the whole crowd said and heard."""

    def __init__(self) -> None:
        self.conflicts: list[str] = []
        """What was found wrong, in words, up to MAX_CONFLICTS: each is a violation of the room's one order."""
        self.conflict_count = 0
        self.partial_bytes = 0
        """Bytes that all members together keep of lines that have not ended."""
        self.doubled = 0
        self.compares = True
        """Whether numbers mean the same to all members; not once a server was started anew among them."""
        self._lines: dict[str, Line] = {}
        self._seq_of: dict[str, int] = {}
        self._heard: dict[int, bytes] = {}
        self._newest: dict[int, int] = {}
        self._chunks: dict[bytes, Chunk] = {}
        self._known: dict[bytes, Heard] = {}
        self._chunk_bytes = self._known_bytes = self._heard_bytes = 0

    def sends(self, id: str, line: Line) -> None:
        """One of our members says a line under this id."""
        self._lines[id] = line
        if len(self._lines) > KEPT:
            del self._lines[next(iter(self._lines))]

    def line(self, id: str) -> Line | None:
        """What was said under this id, if it was one of us."""
        return self._lines.get(id)

    def restarted(self) -> None:
        """The server does not know a member it knew: numbers begin anew, and lines may be said again."""
        self.compares = False
        self._chunks.clear()
        self._known.clear()
        self._chunk_bytes = self._known_bytes = 0

    def chunk(self, data: bytes) -> Chunk:
        """What one read brought a member that had no half line before."""
        if (chunk := self._chunks.get(data)) is None:
            if len(self._chunks) >= CACHED or self._chunk_bytes > MAX_CACHED_BYTES:
                self._chunks.clear()
                self._chunk_bytes = 0
            self._chunk_bytes += len(data)
            chunk = self._chunks[data] = self._understand(data)
        return chunk

    def heard(self, line: bytes) -> Heard:
        """One line, without its end."""
        if (heard := self._known.get(line)) is None:
            event = json_lines.decode_event(line)
            seq = event.seq if isinstance(event, Sequenced) else 0
            own = self._lines.get(event.id) if isinstance(event, Said) else None
            heard = Heard(seq, event, own)
            if seq:
                self._compare(seq, line, heard)
                if len(self._known) >= CACHED or self._known_bytes > MAX_CACHED_BYTES:
                    self._known.clear()
                    self._known_bytes = 0
                self._known_bytes += len(line)
                self._known[line] = heard
        return heard

    def _understand(self, data: bytes) -> Chunk:
        if not data.endswith(b"\n"):
            return IRREGULAR
        lines = [self.heard(line) for line in data[:-1].split(b"\n")]
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

    def _compare(self, seq: int, line: bytes, heard: Heard) -> None:
        if not self.compares:
            return
        before = self._heard.setdefault(seq, line)
        self._heard_bytes += len(line) * (before is line)
        if before is not line and before != line:
            self._report(f"event {seq} is {before[:80]!r} to one member and {line[:80]!r} to another")
        elif before is line and isinstance(heard.event, Said) and heard.own is not None:
            self._compare_own(heard.event, heard.own)
        while len(self._heard) > KEPT or self._heard_bytes > MAX_CACHED_BYTES:
            self._heard_bytes -= len(self._heard.pop(next(iter(self._heard))))

    def _report(self, conflict: str) -> None:
        self.conflict_count += 1
        if len(self.conflicts) < MAX_CONFLICTS:
            self.conflicts.append(conflict)

    def _compare_own(self, said: Said, own: Line) -> None:
        """Once for each of our lines: it is told under one number, in its sender's order, as it was said."""
        if self._seq_of.setdefault(said.id, said.seq) != said.seq:
            self.doubled += 1
        elif own.count < self._newest.get(own.member, 0):
            self._report(f"line {own.count} of member {own.member} was told after a later one, as {said.seq}")
        if own.text != said.text:
            self._report(f"event {said.seq} says {said.text[:80]!r}, and the member said {own.text[:80]!r}")
        self._newest[own.member] = max(own.count, self._newest.get(own.member, 0))
        if len(self._seq_of) > KEPT:
            del self._seq_of[next(iter(self._seq_of))]
