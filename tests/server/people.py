"""Members of a room without sockets."""

from collections.abc import Iterable

from protocol.json_lines import AnyEvent
from protocol.messages import (
    Event,
    Hello,
    Resume,
    Welcome,
)
from tests.server.without_sockets import House


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
