"""Member: a member of the crowd without its socket. Pure.

Each member detects lost, doubled and out-of-order events by their numbers. A counting member does nothing else with
broadcast events. A checking member also applies them as a real client does, and compares its roster with the room's.
"""

from collections.abc import Callable, Sequence

from protocol.client import MAX_EVENT_BYTES, ClientConnection, Gap
from protocol.json_lines import AnyEvent
from protocol.messages import ModelSwitched, People, Said, Welcome
from protocol.sanitize import sanitize
from tui.crowd.checker import DecodedLine, OwnLine, SequenceChecker, SharedDecoder

MAX_PARTIAL_BYTES = 128 * 2**20
"""Limit of the incomplete lines of all members. A correct room sends each of them less than MAX_EVENT_BYTES of a line
before the rest, and only to a few members at a time."""
MAX_FOREIGN_LINES = 100
"""Limit of the lines of a connection that are no JSON objects. A room sends only a few lines in the plain dialect."""
MAX_WRONG = 100
"""Limit of the fault descriptions of a member."""
MAX_MODEL_CHARACTERS, MAX_REASON_CHARACTERS = 20, 250
"""Characters kept of a model's name and of a reason."""
MemberEvents = Sequence[AnyEvent]
"""Private events of a member, and switches."""


def sanitized(text: str, most: int = MAX_REASON_CHARACTERS) -> str:
    """The first `most` characters of a text of the server, on one line, without control sequences."""
    return sanitize(text[:most])


class ProtocolViolation(Exception):
    """The server violates the protocol; the message says how, in a few words."""


class Member:
    """Received bytes in, events out. `client` has the bytes to send."""

    def __init__(self, number: int, client: ClientConnection, decoder: SharedDecoder, *, is_checking: bool) -> None:
        self.number = number
        self.client = client
        self.is_checking = is_checking
        self.checker = SequenceChecker()
        self.deliveries = 0
        """The number of received lines."""
        self.wrong: list[str] = []
        """Descriptions of the faults that a checking member found, other than numbers."""
        self.longest_wait = 0.0
        """The longest latency of one of the crowd's lines, in seconds. The owner resets it to 0."""
        self.last_foreign_line = b""
        """The last line that was no event, such as the reason of a rejection in the plain dialect."""
        self._decoder = decoder
        self._partial = b""
        self._foreign_lines = 0
        self._said = 0
        self._roster_known = False

    def connected(self) -> None:
        """Start a new connection."""
        self._keep_partial(b"")
        self._foreign_lines = 0
        self.client.connected()

    def disconnected(self) -> None:
        """Handle the end of the connection, and drop an incomplete line."""
        self._keep_partial(b"")
        self.client.disconnected()

    def say(self, text: str, now: float) -> None:
        """Say a line."""
        self._said += 1
        self._decoder.register(self.client.say(text), OwnLine(self.number, self._said, text, now))

    def waits(self, now: float) -> float:
        """Seconds since the oldest unacknowledged line of this member was said."""
        oldest = self._decoder.own_line(next(iter(self.client.unacknowledged), ""))
        return now - oldest.at if oldest else 0.0

    def receive(self, data: bytes, now: float, record: Callable[[float, float], None]) -> MemberEvents:
        """Handle received bytes. `record(now, seconds)` receives the latency of each of the crowd's lines.
        Raises ProtocolViolation."""
        if not self._partial and not self.is_checking:
            chunk = self._decoder.decode_chunk(data)
            if chunk.first and chunk.first == self.checker.last + 1:
                self.checker.last = self.client.seq = chunk.last
                self.deliveries += len(chunk.said)
                self._acknowledge(chunk.said)
                self._time(chunk.own, now, record)
                return chunk.switched
        lines = (self._partial + data).split(b"\n")
        self._keep_partial(lines.pop())
        events: list[AnyEvent] = []
        for line in lines:
            self._foreign_lines += not line.startswith(b"{")
            if self._foreign_lines > MAX_FOREIGN_LINES:
                raise ProtocolViolation("it does not speak as a room does")
            events += self._receive_line(line, self._decoder.decode_line(line), now, record)
        return events

    def _keep_partial(self, rest: bytes) -> None:
        self._decoder.partial_bytes += len(rest) - len(self._partial)
        self._partial = rest
        if len(rest) > MAX_EVENT_BYTES or (rest and self._decoder.partial_bytes > MAX_PARTIAL_BYTES):
            raise ProtocolViolation("it sent a line that is too long")

    def _receive_line(
        self, line: bytes, decoded: DecodedLine, now: float, record: Callable[[float, float], None]
    ) -> MemberEvents:
        event = decoded.event
        if event is None:
            self.last_foreign_line = line
            return ()
        if not decoded.seq:
            self._receive_private(line, event)
            return (event,)
        if isinstance(event, Said) and decoded.seq <= self.checker.last and event.id in self.client.unacknowledged:
            # The answer to a line that was sent again after a reconnect. It repeats an old event, outside of the order.
            self.client.receive(line + b"\n")
            return ()
        self.checker.see(decoded.seq)
        if isinstance(event, Said):
            self.deliveries += 1
        if decoded.own is not None:
            self._time((decoded.own.at,), now, record)
        if self.is_checking:
            self._apply(line)
        else:
            self.client.seq = self.checker.last
            self._acknowledge((event.id,) if isinstance(event, Said) else ())
        return (event,) if isinstance(event, ModelSwitched) else ()

    def _time(self, said_at: Sequence[float], now: float, record: Callable[[float, float], None]) -> None:
        for at in said_at:
            record(now, now - at)
        if said_at:
            self.longest_wait = max(self.longest_wait, now - min(said_at))

    def _acknowledge(self, ids: Sequence[str]) -> None:
        if self.client.unacknowledged:
            for id in ids:
                self.client.unacknowledged.pop(id, None)

    def _receive_private(self, line: bytes, event: AnyEvent) -> None:
        if isinstance(event, Welcome):
            self._on_welcome(event)
        elif isinstance(event, People) and self.is_checking:
            self._check_roster(event)
        self.client.receive(line + b"\n")

    def _on_welcome(self, welcome: Welcome) -> None:
        """Check that the replayed history and the reported gap cover all events since the last one received."""
        if welcome.resumed:
            self.checker.gap(welcome.missed)
            for event in welcome.history:
                self.checker.see(event.seq)
                self.deliveries += isinstance(event, Said)
            self.checker.expect(welcome.seq)
        else:
            if self.client.token:
                self._decoder.forget_numbers()
            self.checker.begin(welcome.seq)
        if not welcome.resumed or welcome.missed:
            self._roster_known = False

    def _apply(self, line: bytes) -> None:
        before = self.client.seq
        for event in self.client.receive(line + b"\n"):
            if isinstance(event, Gap):
                self._report(f"a gap of {event.missed} after event {before}")

    def _check_roster(self, people: People) -> None:
        if people.seq != self.checker.last:
            self._report(f"a roster as of event {people.seq} came after event {self.checker.last}")
        elif self._roster_known and set(people.people) != self.client.people:
            differ = sorted(self.client.people ^ set(people.people))
            self._report(f"the roster at event {people.seq} differs from the events, in {differ[:5]}")
        self._roster_known = True

    def _report(self, fault: str) -> None:
        if len(self.wrong) < MAX_WRONG:
            self.wrong.append(fault)
