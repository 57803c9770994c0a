"""Guests by ssh in real rooms: asyncssh's client, the door's process and the server."""

import asyncio
import re
from pathlib import Path
from urllib.request import urlopen

import asyncssh
import psutil
import pytest

from protocol.messages import Model
from tests.running import PATIENCE, Server, wait_until
from tests.tui.links import until
from tests.tui.ssh.conftest import Connect, OpenRoom, SshRoom, Visit

each_model = pytest.mark.parametrize("model", list(Model))
SERVED_BY = {"process": r"process \d+", "thread": r"thread \d+", "event": "event loop"}


def door_of(server: Server) -> psutil.Process:
    """The process of the door."""
    return next(one for one in server.children() if "tui.ssh" in one.cmdline())


@each_model
async def test_guest_talks_with_others_and_leaves(open_room: OpenRoom, visit: Visit, model: Model) -> None:
    room = open_room(model)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada")
    await ada.hears("you are in the room, as ada, with 1 other")
    ada.type("hello bob\r")
    said = await asyncio.to_thread(bob.expect, "said", nick="ada")
    assert said["text"] == "hello bob"
    bob.say("hello ada")
    await ada.shows("ada: hello bob", "bob: hello ada")
    ada.type("/where\r")
    await ada.hears("you: ")
    assert re.search(rf"you: {SERVED_BY[model]}", ada.text)
    ada.type("/quit\r")
    assert await ada.ends() == 0
    await asyncio.to_thread(bob.expect_presence, left=["ada"])


async def test_guest_stays_across_live_switches(open_room: OpenRoom, visit: Visit) -> None:
    room = open_room("event")
    boss = await asyncio.to_thread(room.server.operator)
    ada = await visit(room, "ada")
    await ada.hears("as ada")
    ada.type("half")
    for model in ("process", "thread", "event", "thread", "process", "event"):
        await asyncio.to_thread(boss.switch, model)
        ada.type("-typed\r")
        said = await asyncio.to_thread(boss.expect, "said", nick="ada")
        assert said["text"] == "half-typed"
        ada.type("half")
    assert "the room is lost" not in ada.text


@each_model
async def test_input_without_a_terminal_is_said_and_ends_with_0(
    open_room: OpenRoom, visit: Visit, model: Model
) -> None:
    room = open_room(model)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada", terminal="")
    ada.channel.write("one\ntwo\r\nthree without an end")
    ada.channel.write_eof()
    assert await ada.ends() == 0
    for text in ("one", "two", "three without an end"):
        said = await asyncio.to_thread(bob.expect, "said", nick="ada")
        assert said["text"] == text
    assert "\x1b" not in ada.heard
    assert "\r" not in ada.heard
    assert "you are in the room, as ada" in ada.told


@pytest.mark.parametrize("end", ["", "/quit\r"])
async def test_keys_before_the_end_of_the_input_are_all_typed(room: SshRoom, visit: Visit, end: str) -> None:
    """As `ssh -tt` sends them, with its input from a file."""
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada")
    ada.type("".join(f"line {number}\r" for number in range(20)) + end)
    ada.channel.write_eof()
    for number in range(20):
        await asyncio.to_thread(bob.expect, "said", text=f"line {number}")
    assert await ada.ends() == 0


async def test_many_lines_are_all_said_in_order(room: SshRoom, visit: Visit) -> None:
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada", terminal="")
    lines = [f"line {number}" for number in range(3000)]
    ada.channel.write("\n".join(lines))
    ada.channel.write_eof()
    texts = [(await asyncio.to_thread(bob.expect, "said", nick="ada"))["text"] for _ in lines]
    assert texts == lines
    assert await ada.ends() == 0


async def test_refused_line_without_a_terminal_ends_with_1(room: SshRoom, visit: Visit) -> None:
    ada = await visit(room, "ada", terminal="")
    ada.channel.write("/nosuchcommand\nhello\n")
    ada.channel.write_eof()
    assert await ada.ends() == 1
    assert "nosuchcommand" in ada.told


@pytest.mark.parametrize("terminal", ["dumb", "unknown"])
async def test_dumb_terminal_gets_no_control_sequences(room: SshRoom, visit: Visit, terminal: str) -> None:
    ada = await visit(room, "ada", terminal=terminal)
    await ada.hears("as ada")
    ada.type("hello\rhello again\r")
    await ada.hears("ada: hello\r\nada: hello again\r\n")
    assert "\x1b" not in ada.heard
    ada.type("\x04")
    assert await ada.ends() == 0


@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
async def test_lines_before_ctrl_d_are_said_before_the_guest_leaves(room: SshRoom, visit: Visit, terminal: str) -> None:
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada", terminal=terminal)
    await ada.hears("as ada")
    lines = [f"line {number}" for number in range(30)]
    ada.type("".join(f"{line}\r" for line in lines) + "\x04")
    assert await ada.ends() == 0
    heard = [(await asyncio.to_thread(bob.expect, "said"))["text"] for _ in lines]
    assert heard == lines


async def test_guest_comes_back_after_its_worker_was_killed(open_room: OpenRoom, visit: Visit) -> None:
    room = open_room("process")
    boss = await asyncio.to_thread(room.server.operator)
    ada = await visit(room, "ada")
    await asyncio.to_thread(boss.sees, "ada")
    ada.type("half")
    boss.command("chaos", what="kill-worker", nick="ada")
    await ada.hears("back in the room, as ada")
    ada.type("-typed\r")
    await asyncio.to_thread(boss.expect, "said", nick="ada", text="half-typed")


async def test_taken_nickname_is_replaced_by_a_free_one(room: SshRoom, visit: Visit) -> None:
    await asyncio.to_thread(room.server.rich, "ada")
    ada = await visit(room, "ada")
    await ada.hears("ada is taken, so you are ada2 until you type /nick NAME")
    await ada.hears("you are in the room, as ada2")


@pytest.mark.parametrize("username", ["_", "two words", pytest.param("a" * 900, id="long"), "<script>", "a/b", "-x"])
async def test_impossible_nickname_becomes_guest(room: SshRoom, visit: Visit, username: str) -> None:
    first = await visit(room, username)
    await first.hears("so you are guest until you type /nick NAME")
    await first.hears("you are in the room, as guest")
    second = await visit(room, username, terminal="")
    await second.is_told("you are in the room, as guest2")


async def test_nickname_in_another_script_is_kept(room: SshRoom, visit: Visit) -> None:
    guest = await visit(room, "李雷")
    await guest.hears("you are in the room, as 李雷")


async def test_client_with_many_keys_gets_in(room: SshRoom, connect: Connect) -> None:
    keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(30)]
    await connect(room, client_keys=keys, password="a password")


@pytest.mark.parametrize("method", ["publickey", "password", "keyboard-interactive"])
async def test_client_that_prefers_another_method_gets_in(room: SshRoom, connect: Connect, method: str) -> None:
    await connect(
        room,
        client_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        password="a password",
        preferred_auth=method,
    )


async def test_command_is_refused_with_a_sentence(room: SshRoom, connect: Connect) -> None:
    connection = await connect(room)
    done = await connection.run("cat /etc/passwd", timeout=PATIENCE)
    assert (done.exit_status, done.stdout) == (1, "")
    assert done.stderr == "this is a chat room, and runs no commands: connect without one\n"


async def test_files_are_refused_with_a_sentence(room: SshRoom, connect: Connect) -> None:
    connection = await connect(room)
    process = await connection.create_process(subsystem="sftp")
    _, told = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert told == "this is a chat room: there are no files here\n"
    assert process.exit_status == 1


async def test_nothing_is_forwarded(room: SshRoom, connect: Connect) -> None:
    connection = await connect(room, agent_forwarding=True)
    with pytest.raises(asyncssh.ChannelOpenError, match="nothing is forwarded"):
        await connection.open_connection(*room.server.address)
    with pytest.raises(asyncssh.ChannelOpenError, match="nothing is forwarded"):
        await connection.open_unix_connection("/run/docker.sock")
    with pytest.raises(asyncssh.ChannelListenError):
        await connection.forward_remote_port("", 0, "127.0.0.1", 9)
    with pytest.raises(asyncssh.ChannelListenError):
        await connection.forward_remote_path("/tmp/never-made", "/tmp/x")


async def test_save_writes_no_file_of_the_host(room: SshRoom, visit: Visit, tmp_path: Path) -> None:
    ada = await visit(room, "ada")
    await ada.hears("as ada")
    for command in (f"/save {tmp_path / 'stolen'}", "/SAVE x", f"/save\t{tmp_path / 'stolen'}"):
        ada.type("\x15" + command.replace("\t", " ") + "\r")
        await ada.hears("/save does not work by ssh")
    ada.type("/help\r")
    await ada.hears("leave the room")
    assert "write down what was said" not in ada.text
    assert not (tmp_path / "stolen").exists()


async def test_session_at_the_end_of_the_room_hears_the_reason(open_room: OpenRoom, visit: Visit) -> None:
    room = open_room()
    ada = await visit(room, "ada")
    await ada.hears("as ada")
    ada.type("half-typed")
    await ada.hears("half-typed")
    door = door_of(room.server)
    await asyncio.to_thread(room.server.terminate)
    await ada.hears("goodbye: the room closes")
    assert await ada.ends() == 1
    assert "trying to come back" not in ada.text
    assert not door.is_running()


@pytest.mark.parametrize("terminal", ["xterm", ""])
async def test_guest_of_a_killed_server_hears_that_the_room_has_ended(
    open_room: OpenRoom, visit: Visit, terminal: str
) -> None:
    room = open_room()
    ada = await visit(room, "ada", terminal=terminal)
    await (ada.hears("as ada") if terminal else ada.is_told("as ada"))
    room.server.process.kill()
    assert await ada.ends() == 1
    assert (ada.text + ada.told).endswith("--- the room has ended\r\n" if terminal else "--- the room has ended\n")


@pytest.mark.parametrize("terminal", ["xterm", ""])
async def test_kicked_guest_hears_the_reason(room: SshRoom, visit: Visit, terminal: str) -> None:
    boss = await asyncio.to_thread(room.server.operator)
    ada = await visit(room, "ada", terminal=terminal)
    await asyncio.to_thread(boss.sees, "ada")
    boss.command("kick", nick="ada", reason="too loud")
    assert await ada.ends() == 1
    assert "too loud" in ada.text + ada.told


@each_model
async def test_killed_client_leaves_at_once(open_room: OpenRoom, visit: Visit, connect: Connect, model: Model) -> None:
    room = open_room(model)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    connection = await connect(room, "ada")
    await connection.create_session(asyncssh.SSHClientSession, term_type="xterm")
    await asyncio.to_thread(bob.sees, "ada")
    connection.abort()
    await asyncio.to_thread(bob.expect_presence, left=["ada"])


@each_model
async def test_end_of_the_door_ends_its_guests_only(open_room: OpenRoom, visit: Visit, model: Model) -> None:
    room = open_room(model)
    bob = await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada")
    await asyncio.to_thread(bob.sees, "ada")
    door_of(room.server).kill()
    await ada.ends()
    await asyncio.to_thread(bob.expect_presence, left=["ada"])
    bob.say("still here")
    await asyncio.to_thread(bob.expect, "said", text="still here")
    again = SshRoom(room.server)
    assert (again.port, again.fingerprint) == (room.port, room.fingerprint)
    ada = await visit(room, "ada")
    await ada.hears("bob: still here")
    assert "the program for ssh has ended (signal 9)" in room.server.log()


def test_page_for_browsers_has_the_port_and_the_fingerprint(room: SshRoom) -> None:
    host, port = room.server.address
    with urlopen(f"http://{host}:{port}/", timeout=PATIENCE) as answer:
        page = answer.read().decode()
    assert f"ssh -p {room.port}" in page
    assert room.fingerprint in page


async def test_log_and_room_have_the_fingerprint_of_the_key(room: SshRoom, connect: Connect, tmp_path: Path) -> None:
    assert room.fingerprint in room.server.log()
    connection = await connect(room)
    assert connection.get_server_host_key().get_fingerprint() == room.fingerprint


# Addresses


@each_model
async def test_room_sees_the_address_of_each_guest(open_room: OpenRoom, visit: Visit, model: Model) -> None:
    room = open_room(model)
    boss = await asyncio.to_thread(room.server.operator)
    eve = await visit(room, "eve", host="127.0.0.5")
    bob = await visit(room, "bob", host="127.0.0.6")
    await asyncio.to_thread(boss.sees, "eve", "bob")
    assert re.search(r"eve joined \(connection \d+ from 127\.0\.0\.5\)", room.server.log())
    boss.command("ban", nick="eve", address=True, sure=True)
    assert await eve.ends() == 1
    again = await visit(room, "mallory", host="127.0.0.5")
    assert await again.ends() == 1
    assert "the room cannot be joined" in again.text
    assert "ban" in again.text
    bob.type("hello\r")
    await asyncio.to_thread(boss.expect, "said", text="hello")


@each_model
@pytest.mark.parametrize("terminal", ["xterm", ""])
async def test_guest_over_the_limit_of_an_address_hears_why(
    open_room: OpenRoom, visit: Visit, model: Model, terminal: str
) -> None:
    room = open_room(model, "--max-per-ip", "2")
    for nick in ("ada", "bob"):
        guest = await visit(room, nick, host="127.0.0.5")
        await guest.hears(f"as {nick}")
    third = await visit(room, "cleo", host="127.0.0.5", terminal=terminal)
    assert await third.ends() == 1
    assert "the room cannot be joined: there are 2 connections from your address already" in third.text + third.told
    other = await visit(room, "dan", host="127.0.0.6")
    await other.hears("as dan")


async def test_guest_at_a_locked_room_hears_why(open_room: OpenRoom, visit: Visit) -> None:
    room = open_room()
    boss = await asyncio.to_thread(room.server.operator)
    boss.command("lock", on=True)
    await asyncio.to_thread(boss.expect, "rules")
    ada = await visit(room, "ada")
    assert await ada.ends() == 1
    assert "the room cannot be joined: " in ada.text
    assert "locked" in ada.text


async def test_full_room_tells_a_guest_so(open_room: OpenRoom, visit: Visit) -> None:
    room = open_room("event", "--max-clients", "1")
    await asyncio.to_thread(room.server.rich, "bob")
    ada = await visit(room, "ada")
    assert await ada.ends() == 1
    assert "the room is full" in ada.text


def test_port_in_use_is_told_with_the_option(start_server: object, tmp_path: Path, free_port: int) -> None:
    from tests import running

    with pytest.raises(AssertionError, match=r"in use already; --ssh \[HOST:\]PORT chooses another"):
        running.start("event", tmp_path, "--ssh", f"127.0.0.1:{free_port}")


def test_wrong_host_key_ends_the_door_and_not_the_room(start_server: object, tmp_path: Path) -> None:
    from tests import running

    (tmp_path / "key").write_text("rubbish")
    (tmp_path / "key").chmod(0o600)
    server = running.start("event", tmp_path, "--ssh", "127.0.0.1:0", "--ssh-host-key", str(tmp_path / "key"))
    try:
        wait_until(lambda: "nobody can join by ssh" in server.log(), "the log says so")
        assert "host key" in server.log()
        server.plain("ada")
    finally:
        server.close()


async def test_all_guests_are_gone_after_a_crowd(room: SshRoom, visit: Visit) -> None:
    door = door_of(room.server)
    before = door.num_fds()
    for _ in range(3):
        guests = [await visit(room, f"guest{number}") for number in range(5)]
        for number, guest in enumerate(guests):
            await guest.hears(f"as guest{number}")
            guest.type("\x04")
        for guest in guests:
            assert await guest.ends() == 0
    bob = await asyncio.to_thread(room.server.rich, "bob")
    await asyncio.to_thread(bob.sees_no, *[f"guest{number}" for number in range(5)])
    await until(lambda: door.num_fds() <= before + 15, "the descriptors are closed but those of open connections")
