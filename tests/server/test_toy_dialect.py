"""A third dialect is an entry of `DIALECTS`: Session and Room serve it beside the others as they are."""

from dataclasses import replace

import pytest

from protocol import plain_text
from protocol.dialects import DIALECTS, RICH, Dialect
from protocol.messages import Event, Hello, Quit, Refused, Said, Welcome
from tests.server.without_sockets import House


def decode_hello(line: bytes) -> Hello | Quit | Refused:
    return Hello(line.removeprefix(b"=").decode())


def encode(event: Event) -> bytes:
    match event:
        case Welcome():
            return f"=welcome {event.you}\n".encode()
        case Said():
            return f"={event.nick}={event.text}\n".encode()
    return b""


TOY = replace(
    RICH,
    name="toy",
    first_byte=b"=",
    decode_hello=decode_hello,
    decode_command=plain_text.decode_command,
    encode=encode,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Dialect:
    monkeypatch.setitem(DIALECTS, "toy", TOY)
    return TOY


def test_a_third_dialect_is_served_beside_the_others(toy: Dialect) -> None:
    house = House()
    typed, rich, third = house.open(), house.open(), house.open()
    house.send(typed, "ada")
    house.send(rich, Hello("bob"))
    house.send(third, "=cyd")
    assert house.heard(third) == ["=welcome cyd"]
    house.send(typed, "hello")
    house.send(third, "good morning")
    assert house.heard(third) == ["=ada=hello", "=cyd=good morning"]
    assert house.heard(typed)[-1] == "cyd: good morning"
    assert [event.text for event in house.events(rich) if isinstance(event, Said)] == ["hello", "good morning"]
    assert house.sessions[third].dialect is toy


def test_a_third_dialect_may_leave_the_echo_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "toy", replace(TOY, echoes_own_lines=False))
    house = House()
    third, other = house.open(), house.open()
    house.send(third, "=cyd", "mine")
    house.send(other, "ada", "yours")
    assert house.heard(third) == ["=welcome cyd", "=ada=yours"]
