"""Fixtures for real rooms, links to them and relays between; all end after the test."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests import running
from tests.running import Server
from tests.tui.links import Linked, Relay, address_of
from tests.tui.pseudo_terminal import Terminal
from tui.address import Address

StartServer = Callable[..., Server]
Join = Callable[[Address, str], Linked]
Open = Callable[..., Terminal]
OpenRelay = Callable[[Server], Awaitable[Relay]]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """`start_server(model="event", *options)`."""
    servers: list[Server] = []

    def start(model: str = "event", *options: str) -> Server:
        servers.append(running.start(model, tmp_path, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    for server in servers:
        assert "Traceback" not in server.log(), server.log()


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    """`open_terminal(*arguments, **options)`: chat-tui on its own terminal, see Terminal.

    Its settings are new: a nickname remembered from another test would change what the prompt shows.
    """
    opened: list[Terminal] = []
    settings = {"XDG_CONFIG_HOME": str(tmp_path / "settings")}

    def open_terminal(*arguments: str, environment: Mapping[str, str] | None = None, **options: object) -> Terminal:
        variables = {**settings, **(environment or {})}
        opened.append(Terminal(*arguments, environment=variables, **options))  # type: ignore[arg-type]  # as they came
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


@pytest.fixture
async def join() -> AsyncIterator[Join]:
    """`join(address, nick)`: a running link."""
    linked: list[Linked] = []

    def join(address: Address, nick: str) -> Linked:
        linked.append(Linked(address, nick))
        return linked[-1]

    yield join
    for one in linked:
        await one.link.close()
        await one.running


@pytest.fixture
async def open_relay() -> AsyncIterator[OpenRelay]:
    """`await open_relay(server)`: a relay to the server that can be cut."""
    relays: list[Relay] = []

    async def open_relay(server: Server) -> Relay:
        relays.append(Relay(address_of(server)))
        await relays[-1].open()
        return relays[-1]

    yield open_relay
    for relay in relays:
        await relay.close()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port of 127.0.0.1 without a listener. It is bound, so that no other program can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
