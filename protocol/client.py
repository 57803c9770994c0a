"""ClientConnection: the client's half of the rich dialect, without a socket and without a clock.

Its promises hold for each state of the network:
- each event with a `seq` is returned once and in order, and a Gap stands for events that a resume could not bring back;
- a line stays unacknowledged until the room answers with `said` or `refused`. Each new connection sends it again, and
  the server recognizes its id;
- all text from other members is sanitized (`protocol.sanitize`) before it is returned.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from protocol import json_lines
from protocol.framing import LineBuffer, OverlongLine
from protocol.json_lines import AnyEvent
from protocol.messages import (
    MAX_LISTED,
    Challenge,
    Command,
    Goodbye,
    Hello,
    Limits,
    ModelSwitched,
    Notice,
    Operator,
    OperatorGranted,
    People,
    Ping,
    Presence,
    Quit,
    Refused,
    Rename,
    Resume,
    Rules,
    RulesChanged,
    Said,
    Say,
    Sequenced,
    Status,
    StatusRequest,
    Switch,
    Welcome,
    Who,
)
from protocol.sanitize import sanitize

MAX_EVENT_BYTES = 4 * 2**20
"""The longest event that is read. A welcome has at most 1 MiB of events, and a roster of ten thousand nicknames is as
long."""
_PLAIN_GOODBYE = b"*** goodbye: "

T = TypeVar("T")

MULTILINE_FIELDS = ("text", "motd")
"""The fields in which LF stays a line end."""
MAX_TEXT_CHARACTERS, MAX_FIELD_CHARACTERS, MAX_NICK_CHARACTERS = 70_000, 1000, 100
"""Characters that are kept of a multiline field, of another field and of a listed nickname. A server sends fewer."""


class Gap(Struct, frozen=True):
    """`missed` events before the next one are lost; None if the server was restarted, so that the number is unknown."""

    missed: int | None


class HistoryEnd(Struct, frozen=True):
    """The end of the history that follows a first welcome; later events are live."""

    welcome: Welcome


Received = AnyEvent | Gap | HistoryEnd


class ClientConnection:
    """A member's session with a room, over one or more TCP connections.

    Call `connected()` on a new connection. Then pass received bytes to `receive()`, and write the result of
    `data_to_send()`. When the connection is lost, call `disconnected()`, and `connected()` on the next one. The public
    attributes are the current state.
    """

    def __init__(self, nick: str, make_id: Callable[[], str]) -> None:
        """`make_id` returns a new id at each call, which other members cannot guess."""
        self.nick = nick
        self.token = ""
        self.seq = 0
        self.in_room = False
        self.limits = Limits()
        self.nonce = ""
        self.people: set[str] = set()
        self.rules = Rules()
        self.is_operator = False
        self.holds_key = False
        """The caller holds the operators' key and can answer a Challenge."""
        self.status: Status | None = None
        self.unacknowledged: dict[str, Say] = {}
        self.new_id = make_id
        """Makes an id, for a line that is said later."""
        self._lines = LineBuffer()
        self._out = bytearray()
        self._answered = False
        """The server has sent an event in the rich dialect on this connection."""

    def connected(self) -> None:
        """Start on a new connection: queue a `hello`, which resumes an earlier session if there is one."""
        self._lines, self._out = LineBuffer(), bytearray()
        self.in_room = self._answered = False
        self._send_hello()

    def disconnected(self) -> None:
        """End the connection. Unacknowledged lines are kept for the next one."""
        self.in_room = False

    def retry_hello(self, nick: str) -> None:
        """Send `hello` again with another nickname, after `refused`."""
        self.nick = nick
        self._send_hello()

    def say(self, text: str, *, action: bool = False, id: str = "") -> str:
        """Send a line, now or as soon as the room welcomes this client. Returns its id, which the answering `said` or
        `refused` has: `id`, or a new one if `id` is empty."""
        line = Say(id or self.new_id(), text, action)
        self.unacknowledged[line.id] = line
        if self.in_room:
            self._send(line)
        return line.id

    def rename(self, nick: str) -> None:
        self._send(Rename(nick))

    def who(self, *, nameless: bool = False) -> None:
        self._send(Who(nameless))

    def ask_status(self) -> None:
        self._send(StatusRequest())

    def ping(self, id: str) -> None:
        """Ask for a `pong` with the same id. The caller measures the round trip."""
        self._send(Ping(id))

    def operator(self, proof: str) -> None:
        self._send(Operator(proof))

    def switch(self, model: str) -> None:
        self.request(Switch(model))

    def request(self, command: Command) -> None:
        """Send a request that has no method here, such as `Where` or `Kick`."""
        self._send(command)

    def quit(self) -> None:
        self._send(Quit())

    def data_to_send(self) -> bytes:
        """Remove and return the bytes to write to the connection."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> list[Received]:
        """The events that these bytes complete, each once and in order."""
        self._lines.feed(data)
        received: list[Received] = []
        while (line := self._lines.next_line(MAX_EVENT_BYTES)) is not None:
            if not isinstance(line, OverlongLine) and (event := self._decode(line)) is not None:
                received += self._handle(_sanitize_value(event))
        return received

    def _decode(self, line: bytes) -> AnyEvent | None:
        event = json_lines.decode_event(line)
        if event is None and not self._answered and line.startswith(_PLAIN_GOODBYE):
            # The server rejects a connection before its `hello` in the plain dialect. Other lines that are not JSON are
            # the greeting for a slow `hello`.
            return Goodbye("refused", line.removeprefix(_PLAIN_GOODBYE).decode(errors="replace"))
        self._answered |= event is not None
        return event

    def _send_hello(self) -> None:
        resume = Resume(self.token, self.seq) if self.token else None
        self._send(Hello(self.nick, resume, operator=self.holds_key))

    def _send(self, command: Command) -> None:
        self._out += json_lines.encode(command)

    def _handle(self, event: json_lines.AnyEvent) -> list[Received]:
        match event:
            case Welcome():
                # A correct server sends one welcome on a connection.
                return [] if self.in_room else self._handle_welcome(event)
            case Said() | Presence() | ModelSwitched() | Notice() | RulesChanged() if event.seq:
                return self._handle_sequenced(event)
            case Status():
                self.status = event
            case Challenge():
                self.nonce = event.nonce
            case OperatorGranted():
                self.is_operator = event.on
            case People() if event.seq >= self.seq:
                self.people = set(event.people)
            case Refused() if event.id:
                self.unacknowledged.pop(event.id, None)
        return [event]

    def _handle_welcome(self, welcome: Welcome) -> list[Received]:
        """Apply the missed events, then send the unacknowledged lines again."""
        known = self.seq if welcome.resumed else 0
        forgotten = bool(self.token) and not welcome.resumed
        self.token, self.limits, self.nonce = welcome.token, welcome.limits, welcome.nonce
        self.in_room = True
        self.rules, self.is_operator = welcome.rules, welcome.operator
        received: list[Received] = [welcome]
        if welcome.missed or forgotten:
            received.append(Gap(None if forgotten else welcome.missed))
        for event in welcome.history:
            if event.seq > known:
                self.seq = event.seq
                received += self._apply(event)
        if welcome.history and not welcome.resumed:
            received.append(HistoryEnd(welcome))
        # Only after the history: another member may have had this nickname in it.
        self.seq, self.nick = welcome.seq, welcome.you
        for line in self.unacknowledged.values():
            self._send(line)
        return received

    def _handle_sequenced(self, event: Sequenced) -> list[Received]:
        if event.seq <= self.seq:
            # The event was received before, and can acknowledge a line that was sent twice.
            if isinstance(event, Said):
                self.unacknowledged.pop(event.id, None)
            return []
        gap: list[Received] = [Gap(event.seq - self.seq - 1)] if event.seq > self.seq + 1 else []
        self.seq = event.seq
        return gap + self._apply(event)

    def _apply(self, event: Sequenced) -> list[Received]:
        match event:
            case Said():
                # Other members learn an id only from its `said`, so none of them can acknowledge the line earlier.
                self.unacknowledged.pop(event.id, None)
            case Presence():
                self._apply_presence(event)
            case RulesChanged():
                self.rules = event.rules
        return [event]

    def _apply_presence(self, event: Presence) -> None:
        # In place, so that the cost depends on the event and not on the size of the roster.
        renamed = dict(event.renamed)
        self.nick = renamed.get(self.nick, self.nick)
        self.people.difference_update(event.left)
        present = {old: new for old, new in renamed.items() if old in self.people}
        self.people.difference_update(present)
        self.people.update(present.values())
        self.people.update(event.joined[: max(MAX_LISTED - len(self.people), 0)])


def _sanitize_value(value: T, limit: int = MAX_FIELD_CHARACTERS, *, lines: bool = False) -> T:
    """The same value with each string in it, at any depth, sanitized and cut to `limit` characters."""
    match value:
        case str():
            return type(value)(sanitize(value[:limit], lines=lines))
        case list() | tuple():
            return type(value)([_sanitize_value(item, MAX_NICK_CHARACTERS) for item in value])
        case Struct():
            changes = {
                name: _sanitize_value(
                    getattr(value, name),
                    MAX_TEXT_CHARACTERS if name in MULTILINE_FIELDS else MAX_FIELD_CHARACTERS,
                    lines=name in MULTILINE_FIELDS,
                )
                for name in value.__struct_fields__
            }
            return replace(value, **changes)
    return value
