"""The console in a real room: it comes back as an operator each time it is removed."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.running import OPERATOR_KEY, Server
from tests.tui.conftest import StartServer
from tests.tui.links import address_of, until
from tui.console import client as console_client
from tui.console.client import ConsoleClient, dim_message
from tui.line.formatting import NICK_STYLES, OWN, TEXT, Line, text_of

Stay = Callable[[Server], ConsoleClient]


class Heard(list[str]):
    """The lines that the console would print."""

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
    monkeypatch.setattr(console_client, "FIRST_RETURN_DELAY_S", 0.1)
    staying: list[tuple[ConsoleClient, asyncio.Task[None]]] = []

    def stay(server: Server) -> ConsoleClient:
        client = ConsoleClient(address_of(server), OPERATOR_KEY.encode(), show=heard.show, on_change=lambda: None)
        staying.append((client, asyncio.create_task(client.stay())))
        return client

    yield stay  # type: ignore[misc]
    for client, task in staying:
        await client.leave()
        task.cancel()
        await asyncio.wait([task])


async def test_console_client_watches_the_meter(start_server: StartServer, stay: Stay) -> None:
    client = stay(start_server())
    await until(lambda: client.client.meter_history.last is not None, "a reading")
    assert client.client.meter_history.last is not None
    assert client.client.meter_history.last.connections == 1


async def test_where_its_name_is_taken_it_takes_one_like_it(start_server: StartServer, stay: Stay) -> None:
    server = start_server()
    server.plain("console")
    client = stay(server)
    await until(lambda: client.client.meter_history.last is not None, "to be an operator")
    assert client.client.nick.startswith("console")
    assert client.client.nick != "console"


async def test_console_client_returns_after_kick_and_lock(start_server: StartServer, stay: Stay, heard: Heard) -> None:
    server = start_server()
    client = stay(server)
    await until(lambda: client.client.meter_history.last is not None, "to be an operator")
    before = client.client.meter_history.last
    eve = server.operator("eve")
    eve.command("lock")
    eve.command("kick", nick="console", reason="out")
    await heard.has("--- the console was sent away, and comes back in")
    await until(
        lambda: client.client.in_room and client.client.meter_history.last is not before, "to be an operator again"
    )


async def test_console_client_after_close_reports_no_lost_link(
    start_server: StartServer, stay: Stay, heard: Heard
) -> None:
    server = start_server()
    client = stay(server)
    await until(lambda: client.client.meter_history.last is not None, "to be an operator")
    server.terminate()
    await heard.has("*** goodbye")
    await until(lambda: client.client.link.state.phase != "online", "to notice the end")
    assert not any("lost" in line for line in heard)


def test_dim_message_dims_only_messages_of_others() -> None:
    theirs, mine = [(NICK_STYLES[0], "ada"), (TEXT, ": hi")], [(OWN, "console"), (TEXT, ": hi")]
    assert dim_message(theirs) == [(NICK_STYLES[0], "ada"), ("class:quiet", ": hi")]
    assert dim_message(mine) == mine
