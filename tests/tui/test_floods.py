"""Under each flood by a server, the keys and signals to leave are obeyed at once, and memory is bounded."""

import signal
import time
from collections.abc import Callable

import psutil
import pytest

from tests.pace import allowed
from tests.tui.conftest import Open
from tests.tui.flooding import FloodingServer, flooding_server
from tests.tui.links import PATIENCE
from tests.tui.terminal import Terminal

LEAVE_WITHIN_S = 1.0
FLOODED_BYTES = 200_000
MAX_RSS = 150 * 2**20
CTRL_C, CTRL_Q = "\x03", "\x11"


def flooded(open_terminal: Open, server: FloodingServer, *options: str) -> Terminal:
    """chat-tui in the room of this server, once it is in the midst of the flood."""
    terminal = open_terminal(server.address, "-n", "ada", *options)
    deadline = time.monotonic() + PATIENCE
    while server.sent < FLOODED_BYTES or not terminal.output:
        assert time.monotonic() < deadline, f"only {server.sent} bytes were read: {terminal.text[-500:]!r}"
        time.sleep(0.01)
    return terminal


def leaves_in_time(terminal: Terminal, leave: Callable[[], None]) -> int:
    """Do what makes it leave; returns the exit code."""
    assert psutil.Process(terminal.process.pid).memory_info().rss < MAX_RSS
    began = time.monotonic()
    leave()
    code = terminal.exit_code()
    assert time.monotonic() - began < allowed(LEAVE_WITHIN_S)
    assert "Traceback" not in terminal.text
    return code


@pytest.mark.parametrize("flood", ["lines", "control sequences", "presence", "renames", "empty lines", "rosters"])
def test_full_screen_flooded_obeys_ctrl_q(open_terminal: Open, flood: str) -> None:
    with flooding_server(flood) as server:
        terminal = flooded(open_terminal, server)
        assert leaves_in_time(terminal, lambda: terminal.type(CTRL_Q)) == 0
        terminal.assert_left_clean()


@pytest.mark.parametrize("flood", ["meter", "big welcomes", "nickname taken"])
def test_full_screen_flooded_obeys_ctrl_c(open_terminal: Open, flood: str) -> None:
    with flooding_server(flood) as server:
        terminal = flooded(open_terminal, server)
        assert leaves_in_time(terminal, lambda: terminal.type(CTRL_C)) == 130


def test_full_screen_flooded_obeys_sigterm(open_terminal: Open) -> None:
    with flooding_server("mentions") as server:
        terminal = flooded(open_terminal, server)
        assert leaves_in_time(terminal, lambda: terminal.signal(signal.SIGTERM)) == 0


def test_nickname_prompt_flooded_obeys_ctrl_q(open_terminal: Open) -> None:
    """The server answers the hello with a flood, and lets nobody in."""
    with flooding_server("nickname taken", welcomes=False) as server:
        terminal = flooded(open_terminal, server)
        terminal.sees("is free, Enter takes it")
        assert leaves_in_time(terminal, lambda: terminal.type(CTRL_Q)) == 0


@pytest.mark.parametrize("flood", ["lines", "refusals", "presence", "a line without an end", "garbage"])
def test_line_mode_flooded_obeys_ctrl_c(open_terminal: Open, flood: str) -> None:
    with flooding_server(flood) as server:
        terminal = flooded(open_terminal, server, "--plain")
        terminal.sees("❯")
        assert leaves_in_time(terminal, lambda: terminal.type(CTRL_C)) == 130


def test_line_mode_flooded_obeys_sigterm(open_terminal: Open) -> None:
    with flooding_server("long lines") as server:
        terminal = flooded(open_terminal, server, "--plain")
        assert leaves_in_time(terminal, lambda: terminal.signal(signal.SIGTERM)) == 0


def test_bells_of_a_flood_of_mentions_are_few(open_terminal: Open) -> None:
    with flooding_server("mentions") as server:
        terminal = flooded(open_terminal, server, "--plain")
        leaves_in_time(terminal, lambda: terminal.type(CTRL_C))
        assert terminal.output.count("\x07") <= 20
