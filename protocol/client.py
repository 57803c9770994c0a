"""ClientConnection: the client's half of the rich dialect, without a socket and without a clock.

Rules it keeps, whatever the network does:
- everything with a `seq` is passed on once, in order; what a resume could not bring back is told as a Gap;
- a line counts as sent only when the room's `said` (or `refused`) comes back; until then each new connection sends it
  again, and the server tells the same id apart;
- whatever strangers wrote is harmless (`protocol.text`) before anybody sees it.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from protocol import json_lines
from protocol.framing import LineBuffer, TooLong
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
    OperatorCommand,
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
    Where,
    Who,
)
from protocol.sanitize import sanitize

MAX_EVENT = 4 * 2**20
"""Bytes of one event. A welcome brings 1 MiB of events at most, and a roster of ten thousand people is as long."""


_PLAIN_GOODBYE = b"*** goodbye: "

T = TypeVar("T")

MULTILINE = ("text", "motd")
"""The fields in which a line end is a line end."""
MAX_TEXT, MAX_WORDS, MAX_NICK = 70_000, 1000, 100
"""Characters kept of such a field, of any other, and of a nickname in a list: a room sends less."""


class Gap(Struct, frozen=True):
    """`missed` events between the last one seen and the next are lost to us; None where nobody can tell how many,
    because the server does not know us (it was started anew)."""

    missed: int | None


Received = AnyEvent | Gap


class HistoryReader:
    """Tells where the history ends that a first welcome brings: what follows is live. Pure."""

    def __init__(self) -> None:
        self._welcome: Welcome | None = None
        self._left = 0

    def ended_by(self, event: Received) -> Welcome | None:
        """To be asked for each event in order. The welcome whose history this event is the last of, or None."""
        if isinstance(event, Welcome):
            self._welcome, self._left = event, 0 if event.resumed else len(event.history)
        elif self._left and isinstance(event, Sequenced) and self._welcome and event.seq <= self._welcome.seq:
            self._left -= 1
            return None if self._left else self._welcome
        return None


class ClientConnection:
    """One person's conversation with a room, over as many TCP connections as it takes.

    Use: `connected()` once a connection stands, then `receive(bytes)` for what arrives and `data_to_send()` for what
    is to go out; `disconnected()` when it broke, and `connected()` again. Public attributes hold what is known now.
    """

    def __init__(self, nick: str, make_id: Callable[[], str]) -> None:
        """`make_id` gives a new id, that nobody can guess, each time it is called."""
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
        """The operators' key is at hand, to answer a Challenge."""
        self.status: Status | None = None
        self.unacknowledged: dict[str, Say] = {}
        self.new_id = make_id
        """Makes an id, for a line that is to be said later."""
        self._lines = LineBuffer()
        self._out = bytearray()
        self._answered = False
        """The server has spoken our dialect on this connection."""

    def connected(self) -> None:
        """A new connection stands: introduce ourselves, as whom we were before if we were."""
        self._lines, self._out = LineBuffer(), bytearray()
        self.in_room = self._answered = False
        self._hello()

    def disconnected(self) -> None:
        """The connection is gone. What was not acknowledged is kept for the next one."""
        self.in_room = False

    def introduce(self, nick: str) -> None:
        """Ask again with another nickname, after `refused`."""
        self.nick = nick
        self._hello()

    def say(self, text: str, *, action: bool = False, id: str = "") -> str:
        """Say a line, now or as soon as we are in the room. Returns the id its `said` or `refused` will carry: a new
        one, or the one that was made for it."""
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
        """Ask for a `pong` with the same id: the round trip is the caller's to time."""
        self._send(Ping(id))

    def operator(self, proof: str) -> None:
        self._send(Operator(proof))

    def switch(self, model: str) -> None:
        self.order(Switch(model))

    def order(self, order: OperatorCommand) -> None:
        """Ask for what only an operator may."""
        self._send(order)

    def where(self) -> None:
        self._send(Where())

    def quit(self) -> None:
        self._send(Quit())

    def data_to_send(self) -> bytes:
        """What is to be written to the connection now; given once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> list[Received]:
        """What the room told us in these bytes, each thing once and in order."""
        self._lines.feed(data)
        received: list[Received] = []
        while (line := self._lines.next_line(MAX_EVENT)) is not None:
            if not isinstance(line, TooLong) and (event := self._understand(line)) is not None:
                received += self._take(_harmless(event))
        return received

    def _understand(self, line: bytes) -> AnyEvent | None:
        event = json_lines.decode_event(line)
        if event is None and not self._answered and line.startswith(_PLAIN_GOODBYE):
            # A connection that is rejected before it said hello is told the reason in the plain dialect. What else is
            # not JSON is the greeting of a connection that was slow to say hello.
            return Goodbye("refused", line.removeprefix(_PLAIN_GOODBYE).decode(errors="replace"))
        self._answered |= event is not None
        return event

    def _hello(self) -> None:
        resume = Resume(self.token, self.seq) if self.token else None
        self._send(Hello(self.nick, resume, operator=self.holds_key))

    def _send(self, command: Command) -> None:
        self._out += json_lines.encode(command)

    def _take(self, event: json_lines.AnyEvent) -> list[Received]:
        match event:
            case Welcome():
                # A second one on the same connection is a fault of the server.
                return [] if self.in_room else self._welcomed(event)
            case Said() | Presence() | ModelSwitched() | Notice() | RulesChanged() if event.seq:
                return self._sequenced(event)
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

    def _welcomed(self, welcome: Welcome) -> list[Received]:
        """The missed events come out as if they had been heard, then what was never acknowledged is said again."""
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
        # Not before: the history may tell of another who went by our name.
        self.seq, self.nick = welcome.seq, welcome.you
        for line in self.unacknowledged.values():
            self._send(line)
        return received

    def _sequenced(self, event: Sequenced) -> list[Received]:
        if event.seq <= self.seq:
            # Heard before: still the acknowledgement of a line that was sent twice.
            if isinstance(event, Said):
                self.unacknowledged.pop(event.id, None)
            return []
        gap: list[Received] = [Gap(event.seq - self.seq - 1)] if event.seq > self.seq + 1 else []
        self.seq = event.seq
        return gap + self._apply(event)

    def _apply(self, event: Sequenced) -> list[Received]:
        match event:
            case Said():
                # Ids are unguessable and known to others only once they are said: whoever sends mine comes too late.
                self.unacknowledged.pop(event.id, None)
            case Presence():
                self._move(event)
            case RulesChanged():
                self.rules = event.rules
        return [event]

    def _move(self, event: Presence) -> None:
        # In place: each event costs as much as it brings, however many people are here.
        renamed = dict(event.renamed)
        self.nick = renamed.get(self.nick, self.nick)
        self.people.difference_update(event.left)
        present = {old: new for old, new in renamed.items() if old in self.people}
        self.people.difference_update(present)
        self.people.update(present.values())
        self.people.update(event.joined[: max(MAX_LISTED - len(self.people), 0)])


def _harmless(value: T, most: int = MAX_WORDS, *, lines: bool = False) -> T:
    """The same value with each string in it made harmless and cut to `most` characters, however deep: no field can be
    forgotten."""
    match value:
        case str():
            return type(value)(sanitize(value[:most], lines=lines))
        case list() | tuple():
            return type(value)([_harmless(item, MAX_NICK) for item in value])
        case Struct():
            changes = {
                name: _harmless(
                    getattr(value, name), MAX_TEXT if name in MULTILINE else MAX_WORDS, lines=name in MULTILINE
                )
                for name in value.__struct_fields__
            }
            return replace(value, **changes)
    return value
