"""A trace of a connection that breaks and a client that resumes, made with a real room. No socket, no clock."""

from collections.abc import Iterator

from msgspec import json

from protocol import json_lines
from protocol.messages import Command, Hello, Resume, Say
from tests.server.without_sockets import House

SHOWN = ("type", "you", "token", "seq", "history", "resumed", "nick", "text", "id", "joined", "left")
"""The fields that the trace shows; the others would hide them."""


def resume_trace() -> Iterator[str]:
    """The lines of the trace."""
    house = House()
    bob = house.open()
    house.send(bob, Hello("bob"))
    house.events(bob)
    ada = house.open()
    yield from exchange(house, ada, Hello("ada"))
    house.step(1)
    yield from events(house, ada)
    token, seen = _token(house, "ada"), house.room.history.seq
    yield "  (Ada's connection breaks.)"
    house.close(ada)
    house.send(bob, Say("b-1", "are you there?"))
    house.step(1)
    yield "  (Bob speaks. Ada's client connects again.)"
    ada = house.open()
    yield from exchange(house, ada, Hello("ada", Resume(token, seen)))
    house.step(1)
    yield from events(house, ada)
    yield from exchange(house, ada, Say("a-1", "I am back"))


def _token(house: House, nick: str) -> str:
    member = house.room.roster.find_holder(nick)
    assert member is not None
    return member.token


def exchange(house: House, number: int, command: Command) -> Iterator[str]:
    """A command and the server's answers."""
    yield f"> {written(command)}"
    house.send(number, command)
    house.step()
    yield from events(house, number)


def events(house: House, number: int) -> Iterator[str]:
    """The events that wait for a connection, each with the fields that matter here."""
    for line in house.taken(number).splitlines():
        event = json.decode(line)
        if event["type"] != "status":
            yield f"< {json.encode(shown(event)).decode()}"


def written(command: Command) -> str:
    """The command as a client would write it: without what is empty, and without the server's own field."""
    fields = json.decode(json_lines.encode(command))
    return json.encode({k: v for k, v in fields.items() if v not in (None, False, "") and k != "dialect"}).decode()


def shown(event: dict[str, object]) -> dict[str, object]:
    """The event, and those in its history, without the fields that the trace leaves out."""
    kept = {name: value for name, value in event.items() if name in SHOWN}
    if isinstance(history := kept.get("history"), list):
        kept["history"] = [shown(one) for one in history]
    return kept
