"""Under each flood by a server, the keys and signals to leave are obeyed at once, and memory is bounded."""

import signal
import time
from collections.abc import Callable

import psutil
import pytest

from tests.pace import is_within
from tests.tui.conftest import Open
from tests.tui.flooding import FloodingServer, flooding_server
from tests.tui.links import PATIENCE
from tests.tui.pseudo_terminal import Terminal

LEAVE_WITHIN_S = 1.0
FLOODED_BYTES = 200_000
MAX_RSS = 150 * 2**20
ATTEMPTS = 3
IN_ROOM = "event loop"
CTRL_C, CTRL_Q = "\x03", "\x11"


def leave_flood(
    open_terminal: Open,
    flood: str,
    leave: Callable[[Terminal], None],
    *options: str,
    sees: str = "",
    welcomes: bool = True,
) -> int:
    """The exit code of chat-tui that leaves in the midst of a flood. It has to be quick once in ATTEMPTS: other
    programs may have the processor for a moment."""
    for _ in range(ATTEMPTS):
        with flooding_server(flood, welcomes=welcomes) as server:
            terminal = flooded(open_terminal, server, *options)
            terminal.sees(sees)
            assert psutil.Process(terminal.process.pid).memory_info().rss < MAX_RSS
            began = time.monotonic()
            leave(terminal)
            code = terminal.exit_code()
            took = time.monotonic() - began
        assert "Traceback" not in terminal.text
        if "--plain" not in options:
            terminal.assert_left_clean()
        if is_within(took, LEAVE_WITHIN_S):
            return code
    raise AssertionError(f"it took {took:.2f} s to leave")


def flooded(open_terminal: Open, server: FloodingServer, *options: str) -> Terminal:
    """chat-tui in the room of this server, once it is in the midst of the flood."""
    terminal = open_terminal(server.address, "-n", "ada", *options)
    deadline = time.monotonic() + PATIENCE
    while server.sent < FLOODED_BYTES or not terminal.output:
        assert time.monotonic() < deadline, f"only {server.sent} bytes were read: {terminal.text[-500:]!r}"
        time.sleep(0.01)
    return terminal


def presses(key: str) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.type(key)


def ends(terminal: Terminal) -> None:
    terminal.signal(signal.SIGTERM)


@pytest.mark.parametrize("flood", ["lines", "control sequences", "presence", "renames", "empty lines", "rosters"])
def test_full_screen_flooded_obeys_ctrl_q(open_terminal: Open, flood: str) -> None:
    assert leave_flood(open_terminal, flood, presses(CTRL_Q), sees=IN_ROOM) == 0


@pytest.mark.parametrize("flood", ["meter", "big welcomes", "nickname taken"])
def test_full_screen_flooded_obeys_ctrl_c(open_terminal: Open, flood: str) -> None:
    assert leave_flood(open_terminal, flood, presses(CTRL_C), sees=IN_ROOM) == 130


def test_full_screen_flooded_obeys_sigterm(open_terminal: Open) -> None:
    assert leave_flood(open_terminal, "mentions", ends, sees=IN_ROOM) == 0


def test_nickname_prompt_flooded_obeys_ctrl_q(open_terminal: Open) -> None:
    """The server answers the hello with a flood, and sends no welcome."""
    told = "is free, Enter takes it"
    assert leave_flood(open_terminal, "nickname taken", presses(CTRL_Q), sees=told, welcomes=False) == 0


@pytest.mark.parametrize("flood", ["lines", "refusals", "presence", "a line without an end", "garbage"])
def test_line_mode_flooded_obeys_ctrl_c(open_terminal: Open, flood: str) -> None:
    assert leave_flood(open_terminal, flood, presses(CTRL_C), "--plain", sees="❯") == 130


def test_line_mode_flooded_obeys_sigterm(open_terminal: Open) -> None:
    assert leave_flood(open_terminal, "long lines", ends, "--plain", sees="❯") == 0


def test_bells_of_a_flood_of_mentions_are_few(open_terminal: Open) -> None:
    with flooding_server("mentions") as server:
        terminal = flooded(open_terminal, server, "--plain")
        terminal.sees("❯")
        terminal.type(CTRL_C)
        terminal.exit_code()
        assert terminal.output.count("\x07") <= 20
