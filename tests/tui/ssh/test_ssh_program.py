"""The real `ssh` in a terminal and in pipes, against rooms of each model."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from protocol.messages import Model
from tests.running import PATIENCE, wait_until
from tests.tui.conftest import Open
from tests.tui.pseudo_terminal import Terminal
from tests.tui.ssh.conftest import OpenRoom, SshRoom
from tui.hosting.hosted_server import FIRST_SSH_PORT

pytestmark = pytest.mark.needs("ssh")
each_model = pytest.mark.parametrize("model", list(Model))
Call = Callable[..., list[str]]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """`call(room, *options, user="ada")`: the command line of ssh. It knows the key of the room after the first time,
    and reads no configuration of this machine."""
    known = tmp_path / "known_hosts"

    def call(room: SshRoom, *options: str, user: str = "ada") -> list[str]:
        fixed = ["StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={known}", "LogLevel=ERROR"]
        words = [word for one in fixed for word in ("-o", one)]
        return ["ssh", "-F", "none", *words, "-p", str(room.port), *options, f"{user}@{room.host}"]

    return call


@pytest.fixture
def open_ssh(open_terminal: Open, call: Call) -> Callable[..., Terminal]:
    """`open_ssh(room, *options, user="ada", size=(80, 24))`: ssh on a terminal of its own."""

    def open_ssh(room: SshRoom, *options: str, user: str = "ada", **more: object) -> Terminal:
        return open_terminal(program=call(room, *options, user=user), **more)

    return open_ssh


def run(command: list[str], said: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=said, capture_output=True, timeout=PATIENCE, check=False)


@each_model
def test_guest_talks_on_a_terminal(open_room: OpenRoom, open_ssh: Callable[..., Terminal], model: Model) -> None:
    room = open_room(model)
    bob = room.server.rich("bob")
    ada = open_ssh(room)
    ada.sees("you are in the room, as ada, with 1 other")
    ada.type("hello bob\r")
    bob.expect("said", nick="ada", text="hello bob")
    ada.sees("ada: hello bob")
    ada.type("half")
    bob.say("hello ada")
    ada.sees("bob: hello ada")
    wait_until(lambda: [row for row in ada.rows if row.strip()][-1].rstrip() == "half", "the half-typed line is last")
    ada.type("-typed b\t\r")
    bob.expect("said", nick="ada", text="half-typed bob ")
    ada.type("\x1b[A\r")
    bob.expect("said", nick="ada", text="half-typed bob ")
    ada.resize(40, 10)
    bob.say("x" * 60)
    ada.sees("    " + "x" * 20)
    ada.type("/quit\r")
    assert ada.exit_code() == 0
    bob.expect_presence(left=["ada"])


@each_model
def test_lines_of_a_pipe_are_said(open_room: OpenRoom, call: Call, model: Model) -> None:
    room = open_room(model)
    bob = room.server.rich("bob")
    done = run(call(room), b"one\ntwo\n")
    assert done.returncode == 0
    assert b"you are in the room, as ada" in done.stderr
    bob.expect("said", nick="ada", text="one")
    bob.expect("said", nick="ada", text="two")


def test_ctrl_d_leaves_with_0(room: SshRoom, open_ssh: Callable[..., Terminal]) -> None:
    ada = open_ssh(room)
    ada.sees("as ada")
    ada.type("\x04")
    assert ada.exit_code() == 0


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (500, 200)])
def test_any_size_of_a_window_is_taken(room: SshRoom, open_ssh: Callable[..., Terminal], size: tuple[int, int]) -> None:
    bob = room.server.rich("bob")
    ada = open_ssh(room, size=size)
    bob.sees("ada")
    bob.say("hello " * 30)
    ada.type("hello\r")
    bob.expect("said", nick="ada", text="hello")
    ada.resize(0, 0)
    ada.type("again\r/quit\r")
    bob.expect("said", nick="ada", text="again")
    assert ada.exit_code() == 0


def test_killed_ssh_is_gone_at_once(room: SshRoom, open_ssh: Callable[..., Terminal]) -> None:
    bob = room.server.rich("bob")
    ada = open_ssh(room)
    bob.sees("ada")
    ada.signal(signal.SIGKILL)
    bob.expect_presence(left=["ada"])


def test_guests_from_other_addresses_are_banned_apart(open_room: OpenRoom, call: Call) -> None:
    room = open_room()
    boss = room.server.operator()
    eve = subprocess.Popen(call(room, "-b", "127.0.0.5", user="eve"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    boss.sees("eve")
    boss.command("ban", nick="eve", address=True, sure=True)
    eve.communicate(timeout=PATIENCE)
    assert eve.returncode == 1
    again = run(call(room, "-b", "127.0.0.5", user="mallory"), b"hello\n")
    assert again.returncode == 1
    assert b"the room cannot be joined: " in again.stderr
    assert run(call(room, "-b", "127.0.0.6", user="bob"), b"hello\n").returncode == 0


@pytest.mark.parametrize(
    ("options", "command", "sentence"),
    [
        ((), ("id",), b"this is a chat room, and runs no commands"),
        (("-s",), ("sftp",), b"this is a chat room: there are no files here"),
        (("-tt",), ("id",), b"this is a chat room, and runs no commands"),
    ],
)
def test_anything_but_a_session_is_refused_with_1(
    room: SshRoom, call: Call, options: tuple[str, ...], command: tuple[str, ...], sentence: bytes
) -> None:
    done = run([*call(room, *options), *command], b"")
    assert done.returncode == 1
    assert sentence in done.stderr + done.stdout


def test_forwarded_port_leads_nowhere(room: SshRoom, call: Call) -> None:
    target = f"{room.server.address[0]}:{room.server.address[1]}"
    ssh, *words = call(room, "-W", target)
    done = run([ssh, "-o", "LogLevel=INFO", *words], b"mallory\n")
    assert done.returncode != 0
    assert b"nothing is forwarded" in done.stderr
    assert b"Connected" not in done.stdout


def test_key_is_the_same_after_a_restart(open_room: OpenRoom, call: Call) -> None:
    """Otherwise ssh would warn of a changed identity, and refuse to connect."""
    first = open_room()
    assert run(call(first), b"").returncode == 0
    first.server.close()
    second = open_room()
    assert second.fingerprint == first.fingerprint
    command = [
        word if word != "StrictHostKeyChecking=accept-new" else "StrictHostKeyChecking=yes" for word in call(second)
    ]
    command[command.index("-p") + 1] = str(second.port)
    keyed = [*command[:-1], "-o", f"HostKeyAlias=[{first.host}]:{first.port}", command[-1]]
    assert run(keyed, b"").returncode == 0


def test_agent_and_x11_are_not_forwarded(room: SshRoom, call: Call, tmp_path: Path) -> None:
    environment = os.environ | {"DISPLAY": "127.0.0.1:77", "SSH_AUTH_SOCK": str(tmp_path / "agent")}
    command = call(room, "-A", "-X", "-v")
    done = subprocess.run(
        command, input=b"hello\n", capture_output=True, timeout=PATIENCE, env=environment, check=False
    )
    assert done.returncode == 0
    assert b"X11 forwarding request failed" in done.stderr or b"xauth" in done.stderr


def test_guest_comes_to_the_room_of_a_host(open_terminal: Open, call: Call, tmp_path: Path) -> None:
    """The card tells the command, and the key is in the folder for data."""
    environment = {"CHAT_TUI_NO_SSH": "", "XDG_DATA_HOME": str(tmp_path / "data")}
    host = open_terminal("--host", "-n", "boss", "--bind", "127.0.0.1:0", environment=environment, size=(100, 40))
    host.sees("ssh -p ")
    host.sees("SHA256:")
    host.sees("Only ssh is encrypted")
    told = next(row for row in host.rows if "ssh -p " in row)
    port = int(told.split("ssh -p ")[1].split()[0])
    assert port >= FIRST_SSH_PORT
    room = SimpleNamespace(host="127.0.0.1", port=port)
    assert run(call(room), b"hello from afar\n").returncode == 0
    host.type(" ")
    host.sees("hello from afar")
    key = tmp_path / "data" / "chat-server" / "ssh_host_ed25519_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
