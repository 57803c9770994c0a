"""Clients in the states that tests begin with, and the events of a server."""

from collections.abc import Callable
from itertools import count

from protocol import json_lines
from protocol.client import ClientConnection, Received
from protocol.messages import (
    Event,
    Limits,
    Refused,
    Said,
    Welcome,
)


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def welcome(seq: int = 0, **fields: object) -> Welcome:
    given = {"you": "ada", "token": "t", "model": "event", "connections": 1, "served_by": "event loop", "nonce": "n"}
    return Welcome(seq=seq, limits=Limits(), **{**given, **fields})  # type: ignore[arg-type]  # by name, as on the wire


def said(seq: int, text: str = "hi", id: str = "", nick: str = "bob") -> Said:
    return Said(seq, nick, text, 0.0, id)


def connected(nick: str = "ada") -> ClientConnection:
    """A client that has sent hello."""
    ours = ClientConnection(nick, ids())
    ours.connected()
    return ours


def told(ours: ClientConnection, *events: Event) -> list[Received]:
    return ours.receive(b"".join(map(json_lines.encode, events)))


def in_room(seq: int = 0) -> ClientConnection:
    """A client that has joined, and has nothing to send."""
    ours = connected()
    told(ours, welcome(seq))
    ours.data_to_send()
    return ours


def sent(ours: ClientConnection) -> list[json_lines.AnyCommand | Refused]:
    return [json_lines.decode_command(line) for line in ours.data_to_send().splitlines()]


def again(ours: ClientConnection, *events: Event) -> list[Received]:
    """Lose the connection, make a new one, and receive this event on it."""
    ours.disconnected()
    ours.connected()
    ours.data_to_send()
    return told(ours, *events)
