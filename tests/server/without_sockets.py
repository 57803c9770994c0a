"""A room with sessions and members, but without sockets. Tests pass the bytes and set the time."""

from collections.abc import Iterable
from itertools import count

from protocol import json_lines
from protocol.json_lines import AnyEvent
from protocol.messages import (
    Command,
    Event,
    Hello,
    Limits,
    Presence,
    Resume,
    Welcome,
)
from server.room.operators import Operators
from server.room.room import Room
from server.room.state import ResourceUsage
from server.session import Session

UNLIMITED = Limits(rate=0)


def new_room(limits: Limits = UNLIMITED, *, keep: int = 10_000, history: int = 50, key: bytes = b"") -> Room:
    """A room whose tokens are `token-1`, `token-2` and so on."""
    numbers = count(1)
    return Room(
        limits,
        keep=keep,
        history=history,
        operators=Operators(key),
        make_token=lambda: f"token-{next(numbers)}",
        measure=lambda workers: ResourceUsage(1, 1, 2**20, 1),
    )


class House:
    """Does the work of a model without its concurrency. `now` is the only clock, in seconds."""

    def __init__(self, limits: Limits = UNLIMITED, *, keep: int = 10_000, history: int = 50) -> None:
        self.now = 1000.0
        self.limits = limits
        self.room = new_room(limits, keep=keep, history=history)
        self.sessions: dict[int, Session] = {}
        self._numbers = count(1)

    def open(self) -> int:
        """Open a connection, and return its number."""
        number = next(self._numbers)
        self.sessions[number] = Session.open(number, self.limits, self.now)
        self.room.open(number, "event loop")
        return number

    def send(self, number: int, *lines: bytes | str | Command) -> None:
        """The peer sends lines, messages or raw bytes. The room applies them at once."""
        for line in lines:
            data = (
                line
                if isinstance(line, bytes)
                else json_lines.encode(line)
                if isinstance(line, Command)
                else f"{line}\n"
            )
            session = self.sessions[number]
            for item in session.receive(data if isinstance(data, bytes) else data.encode(), self.now):
                self.room.apply(number, item, self.now)

    def end(self, number: int) -> None:
        """The peer closes its side."""
        for item in self.sessions[number].end(self.now):
            self.room.apply(number, item, self.now)

    def close(self, number: int) -> None:
        """The connection breaks."""
        del self.sessions[number]
        self.room.close(number)

    def step(self, seconds: float = 0.0) -> None:
        """Let time pass, advance the sessions that are due, deliver, and close connections that have ended."""
        self.now += seconds
        for number, session in list(self.sessions.items()):
            if session.next_deadline(self.now) <= self.now:
                for item in session.advance(self.now):
                    self.room.apply(number, item, self.now)
            if session.is_over(self.now):
                self.close(number)
        for number, data, flags in self.room.flush(self.now):
            if number in self.sessions:
                self.sessions[number].set_fault(flags)
                self.sessions[number].queue(data, flags, self.now)

    def taken(self, number: int, most: int = 2**30) -> bytes:
        """The peer reads at most `most` bytes of its unsent data."""
        session = self.sessions[number]
        data = bytes(session.unsent[:most])
        session.sent(len(data), self.now)
        return data

    def heard(self, number: int) -> list[str]:
        """Deliver, and return the lines that a plain peer reads."""
        self.step()
        return self.taken(number).decode().splitlines()

    def events(self, number: int) -> list[json_lines.AnyEvent]:
        """Deliver, and return the events that a rich peer reads."""
        self.step()
        told = [json_lines.decode_event(line) for line in self.taken(number).splitlines()]
        return [event for event in told if event is not None]


def only(kind: type[Event], events: Iterable[AnyEvent]) -> list[AnyEvent]:
    return [event for event in events if isinstance(event, kind)]


def plain(house: House, nick: str = "ada") -> int:
    """A member with a plain client."""
    number = house.open()
    house.send(number, nick)
    house.step(1.0)
    house.taken(number)
    return number


def rich(house: House, nick: str = "ada") -> tuple[int, Welcome]:
    """A member with a rich client, and its welcome."""
    number = house.open()
    welcome = hello(house, number, nick)
    house.step(1.0)
    house.taken(number)
    return number, welcome


def hello(house: House, number: int, nick: str, token: str = "", after: int = 0) -> Welcome:
    house.send(number, Hello(nick, Resume(token, after) if token else None))
    (welcome,) = only(Welcome, house.events(number))
    assert isinstance(welcome, Welcome)
    return welcome


def applied(people: set[str], presence: Presence) -> set[str]:
    """The nicknames after `presence`, for a reader: `left` is applied first, then `renamed` at once, then `joined`.

    Raises AssertionError if the event does not fit: a nickname that leaves or is renamed must be present, and no two
    members have one nickname.
    """
    left, joined, renamed = presence.left, presence.joined, dict(presence.renamed)
    assert set(left) <= people
    stayed = people - set(left)
    assert set(renamed) <= stayed
    now = [renamed.get(nick, nick) for nick in stayed] + joined
    assert len(set(now)) == len(now)
    return set(now)
