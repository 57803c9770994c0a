"""A room without sockets, with members by nickname and an operator among them, for tests of operators' commands."""

import hmac
from functools import partial
from itertools import count
from typing import TypeVar

from protocol.json_lines import AnyEvent
from protocol.messages import Command, Event, Goodbye, Hello, Limits, Operator, Refused, Resume, Say, Welcome
from server.fault_clients import FaultClients
from server.room.operators import Operators
from server.room.restart import StateKeeper, restore
from tests.server.without_sockets import UNLIMITED, House

KEY = b"the key of the tests"
E = TypeVar("E", bound=Event)


class WrittenStrikes(FaultClients):
    """Records the fault clients that would be started."""

    def __init__(self) -> None:
        super().__init__()
        self.invited: list[str] = []

    def invite(self, kind: str) -> None:
        self.invited.append(kind)


class Party(House):
    """Members by nickname. `boss` is an operator."""

    def __init__(self, limits: Limits = UNLIMITED, *, before: "Party | None" = None, dead_for: float = 0.0) -> None:
        """`before` is a room with a server that died `dead_for` seconds ago: this one restores its state."""
        super().__init__(limits)
        self.fault_clients = WrittenStrikes()
        self.closed: list[str] = []
        self.journal: list[str] = []
        self.room.operators = Operators(KEY, request_close=self.closed.append, fault_clients=self.fault_clients)
        self.room.audit_log = self.journal.append
        self.numbers: dict[str, int] = {}
        self.tokens: dict[str, str] = {}
        if before is not None:
            self.now = before.now + dead_for
            tokens = count()
            self.room.make_token = lambda: f"new-token-{next(tokens)}"
            restore(self.room, before.state)
        self.state = b""
        self.room.save_state = partial(StateKeeper(self._keep).save_if_due, self.room)
        self.join("boss", token=before.tokens["boss"] if before else "")
        self.told_at_first = self.prove("boss")
        """The events that the operator was sent when it had proved the key."""
        self.journal.clear()

    def _keep(self, state: bytes) -> None:
        self.state = state

    def join(
        self, nick: str, *, host: str = "", token: str = "", served_by: str = "event loop", worker: int = 0
    ) -> list[AnyEvent]:
        """A client joins, or returns with a token; returns the events that it is sent."""
        number = self.open()
        seat = self.room.seats[number]
        seat.host, seat.served_by, seat.worker = host, served_by, worker
        self.send(number, Hello(nick, Resume(token, 0) if token else None))
        events = self.events(number)
        for event in only(Welcome, events):
            self.numbers[event.you], self.tokens[event.you] = number, event.token
        return events

    def prove(self, nick: str, key: bytes = KEY) -> list[AnyEvent]:
        """Become an operator, with the right key."""
        number = self.numbers[nick]
        nonce = self.room.seats[number].nonce
        return self.ask(nick, Operator(hmac.new(key, nonce.encode(), "sha256").hexdigest()))

    def ask(self, nick: str, *commands: Command) -> list[AnyEvent]:
        """A member sends commands; returns the events that it is sent."""
        self.send(self.numbers[nick], *commands)
        return self.hears(nick)

    def hears(self, nick: str) -> list[AnyEvent]:
        """The events that a member is sent next."""
        return self.events(self.numbers[nick])

    def order(self, *commands: Command) -> list[AnyEvent]:
        """The operator sends commands; returns the events that it is sent. Earlier events of the others are dropped."""
        self.drain(other_than="boss")
        return self.ask("boss", *commands)

    def drain(self, other_than: str = "") -> None:
        """All members read the events so far."""
        for nick, number in self.numbers.items():
            if nick != other_than and number in self.sessions:
                self.hears(nick)

    def later(self, seconds: float) -> None:
        """Let time pass, in which all members read."""
        self.drain()
        self.step(seconds)

    def say(self, nick: str, text: str, id: str = "") -> Refused | None:
        """A member says a line; returns the refusal, if there is one."""
        refused = only(Refused, self.ask(nick, Say(id, text)))
        return refused[0] if refused else None

    def gone(self, nick: str) -> Goodbye | None:
        """The goodbye to a member, if its connection was ended."""
        goodbyes = only(Goodbye, self.hears(nick))
        return goodbyes[0] if goodbyes else None

    def is_operator(self, nick: str) -> bool:
        member = self.room.roster.find_holder(nick)
        return member is not None and member.operator


def only(kind: type[E], events: list[AnyEvent]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]
