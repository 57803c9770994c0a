"""However the full screen ends, the terminal is left as it was found, and the room hears that somebody left."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.running import Server, wait_until
from tests.tui.conftest import Open, StartServer
from tests.tui.pseudo_terminal import Terminal

CRASH = """
import tui.screens.chat
def crash(self, received):
    raise RuntimeError("a mistake of ours")
assert tui.screens.chat.ChatScreen.show_items
tui.screens.chat.ChatScreen.show_items = crash
"""


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server()


def address(server: Server) -> str:
    return f"{server.address[0]}:{server.address[1]}"


def in_room(open_terminal: Open, server: Server) -> Terminal:
    terminal = open_terminal(address(server), "-n", "ada")
    terminal.sees("1 here")
    return terminal


@pytest.mark.parametrize(("key", "code"), [("\x11", 0), ("\x03", 130)], ids=["ctrl-q", "ctrl-c"])
def test_by_a_key(open_terminal: Open, server: Server, key: str, code: int) -> None:
    terminal = in_room(open_terminal, server)
    terminal.type(key)
    assert terminal.exit_code() == code
    terminal.assert_left_clean()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_by_a_signal(open_terminal: Open, server: Server, number: signal.Signals, code: int) -> None:
    terminal = in_room(open_terminal, server)
    terminal.signal(number)
    assert terminal.exit_code() == code
    terminal.assert_left_clean()


def test_in_the_prompt_by_a_signal(open_terminal: Open, server: Server) -> None:
    terminal = open_terminal(address(server))
    terminal.sees("f1 help")
    terminal.signal(signal.SIGTERM)
    assert terminal.exit_code() == 0
    terminal.assert_left_clean()


def test_by_a_crash_of_ours(open_terminal: Open, server: Server, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CRASH)
    terminal = open_terminal(address(server), "-n", "ada", environment={"PYTHONPATH": str(tmp_path)})
    assert terminal.exit_code() == 1
    terminal.assert_left_clean()
    assert "a mistake of ours" in terminal.text[terminal.text.rindex("RuntimeError") :]


def test_after_the_server_has_gone(open_terminal: Open, server: Server) -> None:
    terminal = in_room(open_terminal, server)
    server.terminate(signal.SIGKILL)
    terminal.sees("No connection to")
    terminal.type("\x11")
    assert terminal.exit_code() == 0
    terminal.assert_left_clean()


def test_a_closed_window_ends_the_client_and_the_room_it_hosts(open_terminal: Open) -> None:
    terminal = open_terminal("--host", "--bind", "127.0.0.1:0", "-n", "ada")
    terminal.sees("connected")
    family = psutil.Process(terminal.process.pid).children(recursive=True)
    assert family
    terminal.hang_up()
    assert terminal.exit_code() in (0, 1)
    wait_until(lambda: not any(one.is_running() for one in family), "the hosted server to end")


def test_no_color_is_heeded(open_terminal: Open, server: Server) -> None:
    plain = open_terminal(address(server), "-n", "ada", environment={"NO_COLOR": "1"})
    plain.sees("1 here")
    colours = {part for part in plain.output.split("\x1b[38;2;")[1:] if not _is_grey(part.split("m")[0])}
    assert not colours


def test_no_color_that_is_empty_keeps_colours(open_terminal: Open, server: Server) -> None:
    coloured = open_terminal(address(server), "-n", "ada", environment={"NO_COLOR": ""})
    coloured.sees("1 here")
    assert any(not _is_grey(part.split("m")[0]) for part in coloured.output.split("\x1b[38;2;")[1:])


def _is_grey(parts: str) -> bool:
    red, green, blue = (int(part) for part in parts.split(";")[:3])
    return red == green == blue
