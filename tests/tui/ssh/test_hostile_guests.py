"""Hostile clients: what they send reaches neither the room nor other guests, and they do not stay."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from unittest.mock import Mock

import asyncssh
import pytest

from tests.pace import allowed, is_within
from tests.running import PATIENCE, Server
from tests.tui.links import until
from tests.tui.ssh.conftest import Connect, Guest, OpenRoom, SshRoom, Visit, dial
from tests.tui.ssh.test_guests import door_of
from tui.link.connecting import Streams
from tui.ssh import door, session
from tui.ssh.arrivals import MAX_ARRIVALS, MAX_ARRIVALS_EACH
from tui.ssh.door import Door, Guard
from tui.ssh.room_channel import RoomChannel

VERSION = b"SSH-2.0-x\r\n"


async def received(sock: socket.socket, patience: float = PATIENCE) -> bytes:
    """All that comes until the end of the connection."""
    data = b""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while part := await asyncio.wait_for(loop.sock_recv(sock, 65536), patience):
            data += part
    return data


def memory_growth(room: SshRoom) -> Callable[[], int]:
    """A function that returns by how many bytes the door's process has grown since this call."""
    process = door_of(room.server)
    before = process.memory_info().rss

    def grown_by() -> int:
        return int(process.memory_info().rss - before)

    return grown_by


# Before a session


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"ada\nhello\n",
        b"\x00" * 10_000,
        b"SSH-1.5-old\r\n",
        b"SSH-2.0-" + b"x" * 100_000 + b"\r\n",
        VERSION + b"\xff" * 10_000,
        VERSION + b"\x00\x00\x00\x0c\x0a\x14" + b"\x00" * 40,
        b"\r\n" * 5000,
        VERSION + bytes(range(256)) * 20,
    ],
    ids=["http", "plain", "zeros", "version 1", "long version", "ones", "short packet", "blank lines", "all bytes"],
)
async def test_garbage_ends_its_own_connection_only(room: SshRoom, visit: Visit, garbage: bytes) -> None:
    sock = await dial(room)
    with sock, suppress(ConnectionError):
        await asyncio.get_running_loop().sock_sendall(sock, garbage)
        sock.shutdown(socket.SHUT_WR)
        await received(sock)
    ada = await visit(room, "ada")
    await ada.hears("as ada")
    assert "Traceback" not in room.server.log()


async def test_arrivals_of_one_address_are_limited(room: SshRoom, visit: Visit) -> None:
    silent = [await dial(room, "127.0.0.5") for _ in range(MAX_ARRIVALS_EACH)]
    one_too_many = await dial(room, "127.0.0.5")
    assert b"many connections are logging in" in await received(one_too_many)
    other = await visit(room, "ada", host="127.0.0.6")
    await other.hears("as ada")
    for sock in (*silent, one_too_many):
        sock.close()
    again = await visit(room, "bob", host="127.0.0.5")
    await again.hears("as bob")


async def test_arrivals_of_all_addresses_are_limited(room: SshRoom, visit: Visit) -> None:
    silent = [await dial(room, f"127.0.1.{number}") for number in range(1, MAX_ARRIVALS + 1)]
    one_too_many = await dial(room, "127.0.0.6")
    assert b"many connections are logging in" in await received(one_too_many)
    for sock in (*silent, one_too_many):
        sock.close()
    ada = await visit(room, "ada")
    await ada.hears("as ada")


async def test_flood_of_connections_does_not_disturb_the_room(room: SshRoom, visit: Visit) -> None:
    ada = await visit(room, "ada", host="127.0.0.6")
    await ada.hears("as ada")
    bob = await asyncio.to_thread(room.server.rich, "bob")
    for _ in range(300):
        (await dial(room, "127.0.0.5")).close()
    flood = [await dial(room, "127.0.0.5") for _ in range(100)]
    ada.type("still here\r")
    await asyncio.to_thread(bob.expect, "said", nick="ada", text="still here")
    for sock in flood:
        sock.close()
    process = door_of(room.server)
    await until(lambda: process.num_fds() < 40, "the descriptors of the flood are closed")
    assert "Traceback" not in room.server.log()


# With a session


async def test_control_sequences_are_taken_out(room: SshRoom, visit: Visit) -> None:
    bob = await asyncio.to_thread(room.server.rich, "bob")
    bad = await visit(room, "bad", terminal="")
    bad.channel.write("\x1b]0;title\x07\x1b[2Jhello\x1b[31m \x9b31m\u202e\x07end\n")
    said = await asyncio.to_thread(bob.expect, "said", nick="bad")
    assert not set("\x1b\x07\x9b\u202e") & set(said["text"])
    ada = await visit(room, "ada", terminal="")
    await ada.is_told("as ada")
    bob.say("\x1b[2Jcleared\x1b]52;c;aGk=\x07")
    await ada.hears("cleared")
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ada.heard)


async def test_pasted_escape_sequences_reach_nobody(room: SshRoom, visit: Visit) -> None:
    bob = await asyncio.to_thread(room.server.rich, "bob")
    bad = await visit(room, "bad")
    await bad.hears("as bad")
    bad.type("\x1b]0;title\x07\x1b[200~pasted\x1b[201~\r")
    said = await asyncio.to_thread(bob.expect, "said", nick="bad")
    assert said["text"].isprintable()


async def test_huge_paste_is_refused_and_the_guest_stays(room: SshRoom, visit: Visit) -> None:
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada")
    await ada.hears("as ada")
    ada.type("x" * 2_000_000 + "\r")
    await ada.hears("too long")
    ada.type("short\r")
    await asyncio.to_thread(bob.expect, "said", nick="ada", text="short")


async def test_endless_line_without_a_terminal_takes_no_memory(open_room: OpenRoom, visit: Visit) -> None:
    room = open_room()
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada", terminal="")
    grown_by = memory_growth(room)
    for _ in range(40):
        ada.channel.write("x" * 1_000_000)
        await asyncio.sleep(0)
    ada.channel.write("\nshort\n")
    ada.channel.write_eof()
    await asyncio.to_thread(bob.expect, "said", nick="ada", text="short")
    assert await ada.ends() == 1
    assert "a line of more than 1,048,576 characters was left out" in ada.told
    assert grown_by() < 30_000_000


async def test_many_pasted_lines_wait_in_the_client(open_room: OpenRoom, visit: Visit) -> None:
    """The room takes two lines a second. The door reads no more than it can hold."""
    room = open_room("event", "--rate-limit", "10/2")
    ada = await visit(room, "ada")
    await ada.hears("as ada")
    grown_by = memory_growth(room)
    ada.type("a line of a paste\r" * 200_000)
    await ada.hears("ada: a line of a paste")
    await asyncio.sleep(1)
    assert grown_by() < 20_000_000
    bob = await visit(room, "bob")
    await bob.hears("as bob")


async def test_refused_lines_of_a_deaf_guest_take_no_memory(open_room: OpenRoom, connect: Connect) -> None:
    """Each makes a sentence without the room, and so without its limits."""
    room = open_room()
    connection = await connect(room, "deaf")
    _, deaf = await connection.create_session(Guest, encoding="utf-8", window=64 * 1024)
    await deaf.is_told("as deaf")
    deaf.channel.pause_reading()
    grown_by = memory_growth(room)
    deaf.channel.write("/x\n" * 400_000)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    other = await connection.create_session(Guest, encoding="utf-8")
    other[1].channel.write("hello\n")
    await asyncio.to_thread(bob.expect, "said", text="hello")
    await asyncio.sleep(2)
    assert grown_by() < 15_000_000


async def deaf_guest_with_a_long_line(room: SshRoom, connect: Connect) -> tuple[Guest, Callable[[], int]]:
    """A guest that has typed a line and reads nothing any more, and the memory that the door takes from then on."""
    connection = await connect(room, "bad")
    _, bad = await connection.create_session(Guest, term_type="xterm", encoding="utf-8", window=64 * 1024)
    await bad.hears("as bad")
    bad.type("x" * 4000)
    await until(lambda: bad.heard.count("x") >= 4000, "the line is drawn")
    bad.channel.pause_reading()
    return bad, memory_growth(room)


async def test_keys_that_redraw_a_long_line_disturb_nobody(open_room: OpenRoom, connect: Connect) -> None:
    """Each Ctrl-R is one byte, and draws thousands. The guest reads nothing of it."""
    room = open_room()
    bad, grown_by = await deaf_guest_with_a_long_line(room, connect)
    bad.type("\x12" * 30_000)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    other = await (await connect(room, "ada")).create_session(Guest, encoding="utf-8")
    for number in range(10):
        began = time.monotonic()
        other[1].channel.write(f"hello {number}\n")
        await asyncio.to_thread(bob.expect, "said", text=f"hello {number}")
        assert is_within(time.monotonic() - began, 2)
    assert grown_by() < 15_000_000


async def test_flood_of_window_changes_disturbs_nobody(open_room: OpenRoom, connect: Connect) -> None:
    """Requests are not held back by the window of the channel, and each draws the line anew."""
    room = open_room()
    bad, grown_by = await deaf_guest_with_a_long_line(room, connect)
    for number in range(20_000):
        bad.channel.change_terminal_size(40 + number % 2, 24)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    other = await (await connect(room, "ada")).create_session(Guest, encoding="utf-8")
    other[1].channel.write("hello\n")
    await asyncio.to_thread(bob.expect, "said", text="hello")
    assert grown_by() < 15_000_000


async def test_variables_of_a_client_are_not_kept(room: SshRoom, connect: Connect) -> None:
    connection = await connect(room, "bad")
    grown_by = memory_growth(room)
    variables = {f"NAME{number}": "x" * 10_000 for number in range(3000)}
    _, bad = await connection.create_session(Guest, term_type="xterm", encoding="utf-8", env=variables)
    await bad.hears("as bad")
    assert grown_by() < 15_000_000


async def test_slow_reader_loses_lines_and_not_the_room(open_room: OpenRoom, connect: Connect) -> None:
    room = open_room()
    bob = await asyncio.to_thread(room.server.rich, "bob")
    connection = await connect(room, "slow")
    _, slow = await connection.create_session(Guest, term_type="xterm", encoding="utf-8", window=64 * 1024)
    await slow.hears("as slow")
    slow.channel.pause_reading()
    grown_by = memory_growth(room)
    for _ in range(200):  # Few at a time: the door itself reads fast enough for the room.
        for _ in range(20):
            bob.say("x" * 1500)
        await asyncio.to_thread(bob.sync)
        await asyncio.sleep(0)
    await asyncio.to_thread(bob.sees, "slow")
    assert grown_by() < 40_000_000
    slow.channel.resume_reading()
    # On a busy machine the room may find the door too slow, and the client then counts what it missed.
    told = ("left out, as you read too slowly", "are lost")
    await until(lambda: any(words in slow.text for words in told), "to be told of the lines that are missing")
    bob.say("after the flood")
    await slow.hears("bob: after the flood")


async def test_client_that_grants_an_endless_window_takes_no_memory(open_room: OpenRoom, connect: Connect) -> None:
    """asyncssh then writes all to the transport, whose buffer has no limit."""
    room = open_room()
    bob = await asyncio.to_thread(room.server.rich, "bob")
    connection = await connect(room, "slow")
    await connection.create_session(Guest, term_type="xterm", encoding="utf-8", window=2**32 - 1)
    await asyncio.to_thread(bob.sees, "slow")
    connection._transport.pause_reading()  # type: ignore[union-attr]  # it is a socket's
    grown_by = memory_growth(room)
    for _ in range(20):
        for _ in range(200):
            bob.say("x" * 1900)
        await asyncio.to_thread(bob.sync)
    assert grown_by() < 40_000_000


async def test_sessions_of_one_connection_are_limited(room: SshRoom, connect: Connect) -> None:
    connection = await connect(room, "ada")
    for _ in range(door.MAX_SESSIONS):
        await connection.create_session(Guest, term_type="xterm", encoding="utf-8")
    with pytest.raises(asyncssh.ChannelOpenError, match="at most 4 sessions"):
        await connection.create_session(Guest, term_type="xterm", encoding="utf-8")


def test_sessions_that_never_begin_are_limited() -> None:
    """Each takes memory, so they count from their request on."""
    guard = Guard(Door(RoomChannel(socket.socket()), asyncssh.generate_private_key("ssh-ed25519")))
    guard._host, guard._username = "192.0.2.7", "ada"
    guard._connection = Mock(spec=asyncssh.SSHServerConnection)
    for _ in range(door.MAX_SESSIONS):
        guard.session_requested()
    with pytest.raises(asyncssh.ChannelOpenError):
        guard.session_requested()


# Silence: a door in this process, with shorter times


class TcpChannel(RoomChannel):
    """Connects guests by TCP."""

    def __init__(self, server: Server) -> None:
        super().__init__(socket.socket())
        self._server = server

    async def connect(self, host: str) -> Streams:
        return await asyncio.open_connection(*self._server.address)


class Listener(asyncssh.SSHClient):
    """A client that keeps the reason for which it was disconnected."""

    reason: Exception | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.reason = exc


OpenDoor = Callable[[Server], Awaitable[SshRoom]]


@pytest.fixture
async def open_door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenDoor]:
    """`await open_door(server)`: a door whose times are short."""
    monkeypatch.setattr(door, "LOGIN_TIMEOUT_S", allowed(0.6))
    monkeypatch.setattr(door, "KEEPALIVE_INTERVAL_S", 0.3)
    doors: list[Door] = []

    async def open_door(server: Server) -> SshRoom:
        sock = socket.create_server(("127.0.0.1", 0))
        doors.append(Door(TcpChannel(server), asyncssh.generate_private_key("ssh-ed25519")))
        await doors[-1].open([sock])
        room = SshRoom.__new__(SshRoom)
        room.server, room.host, room.port = server, "127.0.0.1", sock.getsockname()[1]
        return room

    yield open_door
    for one in doors:
        await one.close()


@pytest.mark.parametrize("sent", [b"", b"SSH-2.0-", VERSION])
async def test_client_that_does_not_log_in_is_disconnected(
    start_server: Callable[..., Server], open_door: OpenDoor, sent: bytes
) -> None:
    room = await open_door(start_server())
    sock = await dial(room)
    with sock:
        await asyncio.get_running_loop().sock_sendall(sock, sent)
        assert (await received(sock)).startswith(b"SSH-2.0-")


async def test_client_without_a_session_is_disconnected(
    start_server: Callable[..., Server], open_door: OpenDoor, connect: Connect
) -> None:
    room = await open_door(start_server())
    connection = await connect(room, client_factory=Listener)
    owner = connection.get_owner()
    assert isinstance(owner, Listener)
    await asyncio.wait_for(connection.wait_closed(), PATIENCE)
    assert "ssh without -N begins one" in str(owner.reason)


async def test_client_that_stays_after_its_session_is_disconnected(
    start_server: Callable[..., Server], open_door: OpenDoor, connect: Connect
) -> None:
    room = await open_door(start_server())
    connection = await connect(room)
    _, ada = await connection.create_session(Guest, term_type="xterm", encoding="utf-8")
    await ada.hears("as ada")
    ada.type("/quit\r")
    assert await ada.ends() == 0
    await asyncio.wait_for(connection.wait_closed(), PATIENCE)


async def test_client_that_answers_no_keepalive_leaves_the_room(
    start_server: Callable[..., Server], open_door: OpenDoor, connect: Connect
) -> None:
    server = start_server()
    bob = await asyncio.to_thread(server.rich, "bob")
    room = await open_door(server)
    connection = await connect(room, "ada")
    await connection.create_session(Guest, term_type="xterm", encoding="utf-8")
    await asyncio.to_thread(bob.sees, "ada")
    connection._transport.pause_reading()  # type: ignore[union-attr]  # it is a socket's
    await asyncio.to_thread(bob.expect_presence, left=["ada"])


async def test_idle_client_that_answers_stays(
    start_server: Callable[..., Server], open_door: OpenDoor, connect: Connect
) -> None:
    room = await open_door(start_server())
    connection = await connect(room, "ada")
    _, ada = await connection.create_session(Guest, term_type="xterm", encoding="utf-8")
    await ada.hears("as ada")
    await asyncio.sleep(5 * door.KEEPALIVE_INTERVAL_S)
    ada.type("still here\r")
    await ada.hears("ada: still here")


def test_dead_client_is_gone_after_45_seconds() -> None:
    """asyncssh ends a connection at the interval after the last question without an answer."""
    assert door.KEEPALIVE_INTERVAL_S * (door.MAX_UNANSWERED_KEEPALIVES + 1) == 45
    assert door.UNACKNOWLEDGED_TIMEOUT_S == 45


async def test_room_that_never_answers_ends_the_session(
    start_server: Callable[..., Server], open_door: OpenDoor, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SETTLE_TIMEOUT_S", 0.3)
    server = start_server()
    room = await open_door(server)
    connection = await connect(room, "ada")
    _, ada = await connection.create_session(Guest, encoding="utf-8")
    await ada.is_told("as ada")
    server.process.suspend()
    try:
        ada.channel.write("hello\n")
        ada.channel.write_eof()
        assert await ada.ends() == 1
        assert "some lines may not have been said" in ada.told
    finally:
        server.process.resume()
