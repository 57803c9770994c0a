"""The server's side of the ssh door, with a small program in the place of the real one."""

import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import three_chat_rooms
from protocol.door import Guest, Message, Ready, Report, encode
from server import ssh_door
from server.ssh_door import SshDoor
from tests.running import PATIENCE, wait_until

OBEYS = """
import os, socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
channel.send(b'{"type":"ready","fingerprint":"SHA256:x"}')
os.read(0, 1)
"""
"""Reports that it is ready, and ends with its standard input."""
HANGS = OBEYS + "import time; time.sleep(1000)"
REFUSES = "import sys; sys.exit(78)"
FAILS = "import sys; sys.exit(3)"
LISTS = """
import os, socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
names = [str(socket.socket(fileno=int(number)).getsockname()[1]) for number in sys.argv[3:]]
channel.send(b'{"type":"report","level":"warning","text":"' + " ".join([sys.argv[2], *names]).encode() + b'"}')
os.read(0, 1)
"""
Open = Callable[..., SshDoor]


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ssh_door, "monotonic", clock)
    return clock


@pytest.fixture
def fingerprints() -> list[str]:
    return []


@pytest.fixture
def open_door(monkeypatch: pytest.MonkeyPatch, fingerprints: list[str]) -> Iterator[Open]:
    """`open_door(program, *sockets)`: a door that runs this program."""
    doors: list[SshDoor] = []

    def open_door(program: str = OBEYS, *sockets: socket.socket) -> SshDoor:
        use(monkeypatch, program)
        doors.append(SshDoor(sockets, "KEY", fingerprints.append))
        return doors[-1]

    yield open_door
    for door in doors:
        door.close()


def use(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Have doors start this program from now on."""
    monkeypatch.setattr(
        three_chat_rooms, "command_line", lambda module, *words: [sys.executable, "-c", program, *words]
    )


def receive(door: SshDoor) -> tuple[socket.socket, tuple[object, ...]] | None:
    try:
        return door.accept()
    except BlockingIOError:
        return None


def send(door: SshDoor, message: Message | bytes, *descriptors: int) -> None:
    data = message if isinstance(message, bytes) else encode(message)
    socket.send_fds(door._theirs, [data], descriptors)


def is_readable(door: SshDoor) -> bool:
    poller = select.poll()
    poller.register(door, select.POLLIN)
    return bool(poller.poll(0))


def has_ended(door: SshDoor) -> bool:
    return door.pid is None or psutil.Process(door.pid).status() == psutil.STATUS_ZOMBIE


def test_guest_is_a_connection_with_its_address(open_door: Open) -> None:
    door = open_door()
    assert receive(door) is None
    guest, theirs = socket.socketpair()
    with guest, theirs:
        send(door, Guest("192.0.2.7"), theirs.fileno())
        assert is_readable(door)
        accepted = receive(door)
        assert accepted is not None
        with accepted[0] as sock:
            assert accepted[1] == ("192.0.2.7",)
            assert not os.get_inheritable(sock.fileno())
            guest.send(b"hello")
            assert sock.recv(5) == b"hello"
    assert receive(door) is None


def test_guests_behind_reports_are_found(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    door = open_door()
    guest, theirs = socket.socketpair()
    with guest, theirs:
        send(door, Report("warning", "a sentence"))
        send(door, b"\xff")
        send(door, Guest("192.0.2.7"), theirs.fileno())
        accepted = receive(door)
        assert accepted is not None
        accepted[0].close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert caplog.messages[0] == "a sentence"


def test_guest_without_a_descriptor_is_no_connection(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    door = open_door()
    send(door, Guest("192.0.2.7"))
    with pytest.raises(ConnectionAbortedError):
        door.accept()
    assert "a guest by ssh from 192.0.2.7 cannot be served" in caplog.text


def test_descriptor_with_another_message_is_closed(open_door: Open) -> None:
    door = open_door()
    guest, theirs = socket.socketpair()
    with guest:
        with theirs:
            send(door, Report("info", "x"), theirs.fileno())
        assert receive(door) is None
        guest.settimeout(PATIENCE)
        assert guest.recv(1) == b""


def test_program_is_started_and_its_key_is_told(open_door: Open, fingerprints: list[str]) -> None:
    door = open_door()
    assert door.pid is None
    door.tend()
    wait_until(lambda: receive(door) or fingerprints, "the program is ready")
    assert fingerprints == ["SHA256:x"]


def test_program_inherits_the_listening_sockets(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    first, second = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in (first, second)]
    door = open_door(LISTS, first, second)
    door.tend()
    wait_until(lambda: receive(door) or caplog.messages, "its report")
    assert caplog.messages == [f"KEY {ports[0]} {ports[1]}"]


def test_program_that_fails_is_started_again_at_a_bounded_rate(
    open_door: Open, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door(FAILS)
    waits = []
    for _ in range(9):
        door.tend()
        wait_until(lambda: has_ended(door), "the program ends")
        door.tend()
        began = clock.now
        while door.pid is None:
            clock.now += 0.5
            door.tend()
        waits.append(clock.now - began)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert "the program for ssh has ended (exit code 3), and is started again in 1 s" in caplog.messages


def test_program_that_was_stable_is_started_again_soon(
    open_door: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door(FAILS)
    for _ in range(3):
        clock.now += 30
        door.tend()
        wait_until(lambda: has_ended(door), "the program ends")
        door.tend()
    caplog.clear()
    use(monkeypatch, OBEYS)
    clock.now += 30
    door.tend()
    assert door.pid is not None
    clock.now += ssh_door.STABLE_AFTER_S
    os.kill(door.pid, signal.SIGKILL)
    wait_until(lambda: has_ended(door), "the program ends")
    door.tend()
    assert caplog.messages == ["the program for ssh has ended (signal 9), and is started again in 1 s"]


def test_program_with_a_wrong_configuration_is_not_started_again(
    open_door: Open, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door(REFUSES)
    door.tend()
    wait_until(lambda: has_ended(door), "the program ends")
    for _ in range(5):
        clock.now += 100
        door.tend()
        assert door.pid is None
    assert caplog.messages == ["nobody can join by ssh until the server is started again"]


def test_given_up_door_refuses_connections(open_door: Open) -> None:
    """A client that is accepted, and never answered, would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening, listening.dup():  # The copy is that of a forked process.
        address = listening.getsockname()
        door = open_door(REFUSES, listening)
        door.tend()
        wait_until(lambda: has_ended(door), "the program ends")
        door.tend()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, PATIENCE)


def test_program_that_cannot_be_started_is_tried_again(
    open_door: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door()
    monkeypatch.setattr(three_chat_rooms, "command_line", lambda module, *words: ["/nowhere/at/all"])
    door.tend()
    door.tend()
    assert len(caplog.records) == 1
    clock.now += 1
    door.tend()
    assert len(caplog.records) == 2
    assert "cannot be started: No such file" in caplog.text


@pytest.mark.parametrize("program", [OBEYS, HANGS])
def test_close_ends_the_program(open_door: Open, fingerprints: list[str], program: str) -> None:
    door = open_door(program)
    door.tend()
    wait_until(lambda: receive(door) or fingerprints, "the program is ready")
    process = psutil.Process(door.pid)
    door.close()
    assert not process.is_running()


def test_program_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    """The end of its standard input tells it."""
    told = tmp_path / "pid"
    server = f"""
import sys, time, os, signal
import three_chat_rooms
from pathlib import Path
from server.ssh_door import SshDoor
three_chat_rooms.command_line = lambda module, *words: [sys.executable, "-c", {OBEYS!r}, *words]
door = SshDoor([], "", lambda fingerprint: None)
door.tend()
while True:
    try:
        door.accept()
    except BlockingIOError:
        time.sleep(0.01)
    if not Path({str(told)!r}).exists():
        Path({str(told)!r}).write_text(str(door.pid))
"""
    killed = psutil.Popen([sys.executable, "-c", server])
    wait_until(lambda: told.exists() and told.read_text(), "the program runs")
    program = psutil.Process(int(told.read_text()))
    killed.kill()
    killed.wait()
    wait_until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE, "the program ends, too")


def test_reports_have_the_level_of_the_program(open_door: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    door = open_door()
    for level in ("debug", "info", "warning", "error"):
        send(door, encode(Report(level, level)))  # type: ignore[arg-type]  # mypy sees a str
    assert receive(door) is None
    assert [record.levelname.lower() for record in caplog.records] == caplog.messages


def test_ready_is_told_each_time(open_door: Open, fingerprints: list[str]) -> None:
    door = open_door()
    send(door, Ready("SHA256:\x1b[31mx"))
    send(door, Ready("SHA256:y"))
    assert receive(door) is None
    assert len(fingerprints) == 2
    assert "\x1b" not in fingerprints[0]
