"""The console's place in a real room: whatever sends it away, it comes back as an operator."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.running import OPERATOR_KEY, Server
from tests.tui.conftest import StartServer
from tests.tui.links import address_of, until
from tui.console import talk as console_talk
from tui.console.talk import ConsoleClient, hushed
from tui.line.formatting import NICK_STYLES, OWN, TEXT, Line, text_of

Stay = Callable[[Server], ConsoleClient]


class Heard(list[str]):
    """What the console would print."""

    def show(self, lines: list[Line]) -> None:
        self.extend(text_of(line) for line in lines)

    async def has(self, text: str) -> None:
        await until(lambda: any(text in line for line in self), f"{text!r} in {self}")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def stay(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], Awaitable[ConsoleClient]]:
    """`stay(server)`: a console in its room, ended after the test."""
    monkeypatch.setattr(console_talk, "RETURN_AFTER", 0.1)
    staying: list[tuple[ConsoleClient, asyncio.Task[None]]] = []

    def stay(server: Server) -> ConsoleClient:
        talk = ConsoleClient(address_of(server), OPERATOR_KEY.encode(), show=heard.show, on_change=lambda: None)
        staying.append((talk, asyncio.create_task(talk.stay())))
        return talk

    yield stay  # type: ignore[misc]
    for talk, task in staying:
        await talk.leave()
        task.cancel()
        await asyncio.wait([task])


async def test_it_watches_what_the_room_costs(start_server: StartServer, stay: Stay) -> None:
    talk = stay(start_server())
    await until(lambda: talk.metered is not None, "a reading")
    assert talk.metered is not None
    assert talk.metered.connections == 1


async def test_where_its_name_is_taken_it_takes_one_like_it(start_server: StartServer, stay: Stay) -> None:
    server = start_server()
    server.plain("console")
    talk = stay(server)
    await until(lambda: talk.metered is not None, "to be an operator")
    assert talk.line_talk.link.client.nick.startswith("console")
    assert talk.line_talk.link.client.nick != "console"


async def test_after_another_operator_kicked_it_and_locked_the_room_it_comes_back(
    start_server: StartServer, stay: Stay, heard: Heard
) -> None:
    server = start_server()
    talk = stay(server)
    await until(lambda: talk.metered is not None, "to be an operator")
    talk.metered = None
    eve = server.operator("eve")
    eve.command("lock")
    eve.command("kick", nick="console", reason="out")
    await heard.has("--- the console was sent away, and comes back in")
    await until(lambda: talk.metered is not None, "to be an operator again")


async def test_once_the_room_closes_that_its_connection_breaks_is_no_news(
    start_server: StartServer, stay: Stay, heard: Heard
) -> None:
    server = start_server()
    talk = stay(server)
    await until(lambda: talk.metered is not None, "to be an operator")
    server.terminate()
    await heard.has("*** goodbye")
    await until(lambda: talk.line_talk.link.state.phase != "online", "to notice the end")
    assert not any("lost" in line for line in heard)


def test_what_people_say_stands_back_and_what_the_operator_says_does_not() -> None:
    theirs, mine = [(NICK_STYLES[0], "ada"), (TEXT, ": hi")], [(OWN, "console"), (TEXT, ": hi")]
    assert hushed(theirs) == [(NICK_STYLES[0], "ada"), ("class:quiet", ": hi")]
    assert hushed(mine) == mine
