"""Fixtures for rooms with an ssh door, and for guests by asyncssh's client in this process."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncssh
import pyte
import pytest

from tests.running import Server, start, wait_until
from tests.tui.conftest import StartServer
from tests.tui.links import until
from tests.tui.pseudo_terminal import SEQUENCE

READY = re.compile(r"ssh on (\S+):(\d+) \(host key (SHA256:\S+)\)")


class SshRoom:
    """A server with a door, and the address and the fingerprint of the door."""

    def __init__(self, server: Server) -> None:
        self.server = server
        told = server.next_report()
        ready = READY.fullmatch(told)
        assert ready, f"instead of the door it reported {told!r}, and logged:\n{server.log()}"
        self.host, self.port, self.fingerprint = ready[1], int(ready[2]), ready[3]


class Guest(asyncssh.SSHClientSession[str]):
    """A guest, with a terminal or without. It keeps what it has heard."""

    def __init__(self, size: tuple[int, int] = (80, 24)) -> None:
        self.heard = ""
        self.told = ""
        """Standard error."""
        self.status: int | None = None
        self.is_over = False
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)
        self._drawn = 0
        """The number of characters that are on the screen."""

    def connection_made(self, chan: "asyncssh.SSHClientChannel[str]") -> None:
        self.channel = chan

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        if datatype == asyncssh.EXTENDED_DATA_STDERR:
            self.told += data
        else:
            self.heard += data

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True

    @property
    def text(self) -> str:
        """All that it has heard, without control sequences, and with wrapped lines joined."""
        return SEQUENCE.sub("", self.heard).replace("\r\n    ", " ")

    @property
    def rows(self) -> list[str]:
        """The rows of its terminal that are not blank."""
        self._stream.feed(self.heard[self._drawn :])
        self._drawn = len(self.heard)
        return [row.rstrip() for row in self._screen.display if row.strip()]

    def type(self, keys: str) -> None:
        self.channel.write(keys)

    async def hears(self, text: str) -> None:
        await until(lambda: text in self.text, f"to hear {text!r}; it was {self.text[-1500:]!r}")

    async def is_told(self, text: str) -> None:
        await until(lambda: text in self.told, f"to be told {text!r}; it was {self.told[-1500:]!r}")

    async def shows(self, *rows: str) -> None:
        """Wait until these rows are on the terminal, one below the other, and nothing below them."""
        await until(lambda: self.rows[-len(rows) :] == list(rows), f"to show {rows}; it was {self.rows[-12:]}")

    async def ends(self) -> int | None:
        """Wait for the end of the session. Returns the exit status."""
        await until(lambda: self.is_over, f"the session ends; it was {self.text[-1500:]!r} and {self.told[-500:]!r}")
        return self.status


async def dial(room: SshRoom, host: str = "127.0.0.1") -> socket.socket:
    """A TCP connection to the door, from this address."""
    sock = socket.socket()
    sock.bind((host, 0))
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (room.host, room.port))
    return sock


OpenRoom = Callable[..., SshRoom]
Connect = Callable[..., Awaitable[asyncssh.SSHClientConnection]]
Visit = Callable[..., Awaitable[Guest]]


@pytest.fixture
def open_room(start_server: StartServer, tmp_path: Path) -> OpenRoom:
    """`open_room(model, *options)`: a room with a door on a free port."""

    def open_room(model: str = "event", *options: str) -> SshRoom:
        door = ["--ssh", "127.0.0.1:0", "--ssh-host-key", str(tmp_path / "host_key")]
        return SshRoom(start_server(model, *door, "-vv", *options))

    return open_room


@pytest.fixture(scope="session")
def shared_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshRoom]:
    folder = tmp_path_factory.mktemp("ssh")
    door = ["--ssh", "127.0.0.1:0", "--ssh-host-key", str(folder / "host_key")]
    server = start("event", folder, "--history", "0", *door, "-vv")
    yield SshRoom(server)
    server.close()


@pytest.fixture
def room(shared_room: SshRoom) -> Iterator[SshRoom]:
    """A room that many tests use one after the other, so a test must not depend on its state."""
    watcher = shared_room.server.rich("the-next-test")
    wait_until(lambda: watcher.status()["connections"] == 1, "everybody of the test before has gone")
    watcher.command("quit")
    watcher.expect("goodbye")
    shared_room.server.clear()
    yield shared_room
    shared_room.server.clear()
    assert "Traceback" not in shared_room.server.log(), shared_room.server.log()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(room, username, host)`: a client that has logged in from the address `host`."""
    connections: list[asyncssh.SSHClientConnection] = []

    async def connect(
        room: SshRoom, username: str = "ada", host: str = "127.0.0.1", **options: object
    ) -> asyncssh.SSHClientConnection:
        sock = await dial(room, host)
        usual = {"known_hosts": None, "client_keys": None, "config": None, "agent_path": None}
        one = await asyncssh.connect(sock=sock, username=username, **{**usual, **options})
        connections.append(one)
        return one

    yield connect
    for one in connections:
        one.abort()
        await one.wait_closed()


@pytest.fixture
def visit(connect: Connect) -> Visit:
    """`await visit(room, username, host=..., terminal=..., size=...)`: a guest in the room. An empty terminal is
    none."""

    async def visit(
        room: SshRoom,
        username: str = "ada",
        host: str = "127.0.0.1",
        terminal: str = "xterm-256color",
        size: tuple[int, int] = (80, 24),
    ) -> Guest:
        connection = await connect(room, username, host)
        _, guest = await connection.create_session(
            lambda: Guest((size[0] or 80, size[1] or 24)), term_type=terminal or None, term_size=size, encoding="utf-8"
        )
        return guest

    return visit
