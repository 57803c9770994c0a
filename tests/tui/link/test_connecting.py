"""Connecting to a host, failures and back-off, and leaving while the host is unreachable."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pace import is_within
from tests.running import PATIENCE, ROOT
from tests.tui.conftest import Open
from tests.tui.links import until
from tui.address import Address
from tui.link import connecting
from tui.link.connecting import MAX_DELAY_S, back_off, connect, look_up, plain_reason
from tui.link.room_link import LinkState, RoomLink

HANGING_DNS = {"PYTHONPATH": str(Path(__file__).parent.parent / "hanging_dns")}


@pytest.fixture
def silent_address() -> Iterator[str]:
    """An address that does not answer, because its listen queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


@pytest.mark.parametrize(("options", "key", "code"), [((), "\x11", 69), ((), "\x03", 130), (("--plain",), "\x03", 130)])
@pytest.mark.parametrize("place", ["name", "address"])
def test_client_that_reaches_nothing_obeys_at_once(
    open_terminal: Open, silent_address: str, options: tuple[str, ...], key: str, code: int, place: str
) -> None:
    """A name without an answer of a name server, or an address that does not answer."""
    target = "hangs.example" if place == "name" else silent_address
    terminal = open_terminal(target, "-n", "ada", *options, environment=HANGING_DNS)
    if options:
        time.sleep(0.6)  # The client shows no output yet; Ctrl-C works at any time.
    else:
        terminal.sees("joining")
    began = time.monotonic()
    terminal.type(key)
    assert terminal.exit_code() == code
    assert is_within(time.monotonic() - began, 1)
    assert "Traceback" not in terminal.text


def test_crowd_during_name_lookup_handles_ctrl_c() -> None:
    command = [
        sys.executable,
        "-c",
        "from tui.crowd import crowd; print(flush=True); from tui.crowd import cli; cli.main()",
    ]
    environment = {**os.environ, **HANGING_DNS}
    with subprocess.Popen(
        [*command, "hangs.example"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        assert popen.stdout is not None
        popen.stdout.readline()
        time.sleep(0.3)
        began = time.monotonic()
        popen.send_signal(signal.SIGINT)
        _, told = popen.communicate(timeout=PATIENCE)
        assert is_within(time.monotonic() - began, 1)
        assert (popen.returncode, told) == (130, "")


def test_client_during_reconnect_handles_ctrl_q(open_terminal: Open) -> None:
    """The client reconnects repeatedly meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    terminal = open_terminal(address, "-n", "ada")
    terminal.sees("Next try in")
    began = time.monotonic()
    terminal.type("\x11")
    assert terminal.exit_code() == 69
    assert is_within(time.monotonic() - began, 1)


async def test_connect_takes_the_first_address_that_answers(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        told = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one)) for one in (free_port, port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: told)
        found = look_up("two.example", 0).result(PATIENCE)
        assert [address for _, address in found] == [("127.0.0.1", free_port), ("127.0.0.1", port)]
        monkeypatch.undo()
        monkeypatch.setattr(connecting, "look_up", lambda host, port: _done(found))
        _, writer = await asyncio.wait_for(connect("two.example", 0), PATIENCE)
        assert writer.get_extra_info("peername")[1] == port
        writer.close()


def _done(found: connecting.Found) -> "connecting.Future[connecting.Found]":
    future: connecting.Future[connecting.Found] = connecting.Future()
    future.set_result(found)
    return future


@pytest.mark.parametrize("name", ["no-such-host.invalid", "x" * 300, "a..b"])
async def test_link_to_a_name_that_is_none_says_so(name: str) -> None:
    states: list[LinkState] = []
    link = RoomLink(Address(name), "ada", on_events=lambda events: None, on_state=states.append)
    running = asyncio.create_task(link.run())
    await until(lambda: link.state.phase == "waiting")
    assert link.state.reason == "there is no such host"
    await link.close()
    await running


def test_back_off_doubles_to_a_limit_with_jitter() -> None:
    assert [back_off(attempt, 0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 15, 15]
    assert back_off(10_000, 0) == MAX_DELAY_S
    assert back_off(3, 1) == 1
    assert back_off(3, 0.5) == 1.5


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "nobody listens there"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] x"), "nobody listens there"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "the connection broke"),
        (socket.gaierror(-2, "Name or service not known"), "there is no such host"),
        (OSError(errno.EHOSTUNREACH, "Connect call failed"), "no route to host"),
        (OSError("?"), "the network failed"),
    ],
)
def test_a_failure_is_told_in_plain_words(error: OSError, words: str) -> None:
    if "111" in str(error) and errno.ECONNREFUSED != 111:
        pytest.skip("another system's number")
    assert plain_reason(error) == words
