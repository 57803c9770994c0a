"""Member: one of the crowd, without its socket. Pure.

Every member detects what is lost, doubled or out of order, by the events' numbers. A counting member does no more than
that with what is told to everybody; a checking member also lives through all of it as a real client does, and compares
its roster with the room's.
"""

from collections.abc import Callable, Sequence

from protocol.client import MAX_EVENT_BYTES, ClientConnection, Gap
from protocol.json_lines import AnyEvent
from protocol.messages import ModelSwitched, People, Said, Welcome
from tui.crowd.sequence_checker import Order
from tui.crowd.shared_decoder import Heard, Line, SharedDecoder

MAX_PARTIAL_BYTES = 128 * 2**20
"""Of lines that have not ended, of the whole crowd. An honest room sends each member less than MAX_EVENT_BYTES at once,
and few of them at a time."""
MAX_FOREIGN_LINES = 100
"""Lines of one connection that are no JSON objects: a room says a few words in the plain dialect at most."""
MAX_WRONG = 100
"""Faults kept in words, of one member."""
NewsOf = Sequence[AnyEvent]
"""What was told to this member alone, and switches."""


class NotARoom(Exception):
    """The server does not speak as a room does; the message says why, in a few words."""


class Member:
    """Bytes in, news out. `client` says what is to be sent."""

    def __init__(self, number: int, client: ClientConnection, wire: SharedDecoder, *, checks: bool) -> None:
        self.number = number
        self.client = client
        self.checks = checks
        self.order = Order()
        self.deliveries = 0
        """Lines that were told to this member."""
        self.wrong: list[str] = []
        """What a checking member found wrong besides numbers, in words."""
        self.longest_wait = 0.0
        """The longest that one of the crowd's lines took to get here, since somebody set this to 0: seconds."""
        self.last_words = b""
        """The last line that was no event: the door's reason for turning us away."""
        self._wire = wire
        self._rest = b""
        self._foreign_lines = 0
        self._said = 0
        self._roster_known = False

    def connected(self) -> None:
        """A new connection stands."""
        self._keep_rest(b"")
        self._foreign_lines = 0
        self.client.connected()

    def disconnected(self) -> None:
        """The connection is gone, and with it the half of a line."""
        self._keep_rest(b"")
        self.client.disconnected()

    def say(self, text: str, now: float) -> None:
        """Say a line."""
        self._said += 1
        self._wire.sends(self.client.say(text), Line(self.number, self._said, text, now))

    def waits(self, now: float) -> float:
        """For how many seconds the oldest of its lines that has no answer waits for it."""
        oldest = self._wire.line(next(iter(self.client.unacknowledged), ""))
        return now - oldest.at if oldest else 0.0

    def receive(self, data: bytes, now: float, record: Callable[[float, float], None]) -> NewsOf:
        """Take in what was read. `record(now, seconds)` is told how long each of the crowd's lines took to get here.
        Raises NotARoom."""
        if not self._rest and not self.checks:
            chunk = self._wire.chunk(data)
            if chunk.first and chunk.first == self.order.last + 1:
                self.order.last = self.client.seq = chunk.last
                self.deliveries += len(chunk.said)
                self._acknowledge(chunk.said)
                self._time(chunk.own, now, record)
                return chunk.switched
        lines = (self._rest + data).split(b"\n")
        self._keep_rest(lines.pop())
        news: list[AnyEvent] = []
        for line in lines:
            self._foreign_lines += not line.startswith(b"{")
            if self._foreign_lines > MAX_FOREIGN_LINES:
                raise NotARoom("it does not speak as a room does")
            news += self._take(line, self._wire.heard(line), now, record)
        return news

    def _keep_rest(self, rest: bytes) -> None:
        self._wire.partial_bytes += len(rest) - len(self._rest)
        self._rest = rest
        if len(rest) > MAX_EVENT_BYTES or (rest and self._wire.partial_bytes > MAX_PARTIAL_BYTES):
            raise NotARoom("it sent a line that is too long")

    def _take(self, line: bytes, heard: Heard, now: float, record: Callable[[float, float], None]) -> NewsOf:
        event = heard.event
        if event is None:
            self.last_words = line
            return ()
        if not heard.seq:
            self._take_own(line, event)
            return (event,)
        if isinstance(event, Said) and heard.seq <= self.order.last and event.id in self.client.unacknowledged:
            # The answer to a line we said again after a reconnect: what it was told as, and no part of the order.
            self.client.receive(line + b"\n")
            return ()
        self.order.see(heard.seq)
        if isinstance(event, Said):
            self.deliveries += 1
        if heard.own is not None:
            self._time((heard.own.at,), now, record)
        if self.checks:
            self._live(line)
        else:
            self.client.seq = self.order.last
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

    def _take_own(self, line: bytes, event: AnyEvent) -> None:
        if isinstance(event, Welcome):
            self._welcomed(event)
        elif isinstance(event, People) and self.checks:
            self._check_roster(event)
        self.client.receive(line + b"\n")

    def _welcomed(self, welcome: Welcome) -> None:
        """What the room says we missed must be all of it, from where we were to where the room is."""
        if welcome.resumed:
            self.order.gap(welcome.missed)
            for event in welcome.history:
                self.order.see(event.seq)
                self.deliveries += isinstance(event, Said)
            self.order.expect(welcome.seq)
        else:
            if self.client.token:
                self._wire.restarted()
            self.order.begin(welcome.seq)
        if not welcome.resumed or welcome.missed:
            self._roster_known = False

    def _live(self, line: bytes) -> None:
        before = self.client.seq
        for event in self.client.receive(line + b"\n"):
            if isinstance(event, Gap):
                self._report(f"a gap of {event.missed} after event {before}")

    def _check_roster(self, people: People) -> None:
        if people.seq != self.order.last:
            self._report(f"a roster as of event {people.seq} came after event {self.order.last}")
        elif self._roster_known and set(people.people) != self.client.people:
            differ = sorted(self.client.people ^ set(people.people))
            self._report(f"the roster at event {people.seq} differs from what was told, in {differ[:5]}")
        self._roster_known = True

    def _report(self, fault: str) -> None:
        if len(self.wrong) < MAX_WRONG:
            self.wrong.append(fault)
