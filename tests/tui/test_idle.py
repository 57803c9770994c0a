"""An idle program writes nothing. So monitor-activity and monitor-silence of tmux work, and a slow line is not used."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.running import Server, wait_until
from tests.tui.conftest import Open, StartServer
from tests.tui.emulator import Emulator
from tests.tui.pseudo_terminal import Terminal

QUIET_S = 2.0
BLINK_S = 1.2
"""A cursor that blinks is drawn more often."""
PALETTE = "\x10"

OpenPlain = Callable[..., Terminal]


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server("event")


@pytest.fixture
def console() -> Iterator[Emulator]:
    emulator = Emulator([sys.executable, "-m", "server", "--bind", "127.0.0.1:0"])
    yield emulator
    emulator.close()


def bytes_written_in(terminals: Sequence[Terminal | Emulator], seconds: float) -> list[int]:
    before = [terminal.bytes_written for terminal in terminals]
    time.sleep(seconds)  # The measured time.
    return [terminal.bytes_written - count for terminal, count in zip(terminals, before, strict=True)]


def test_idle_client_writes_nothing(open_terminal: Open, server: Server) -> None:
    """The prompt for a nickname, the room, and the palette, which has a cursor that could blink."""
    terminal = open_terminal(f"127.0.0.1:{server.address[1]}")
    terminal.sees("nickname")
    wait_until(lambda: not any(bytes_written_in([terminal], BLINK_S)), "the question to be still")
    terminal.type("ada\r")
    terminal.sees("f1 help")
    terminal.sees(" ms")
    wait_until(lambda: not any(bytes_written_in([terminal], QUIET_S)), "the room to be still")
    terminal.type(PALETTE)
    terminal.sees("Search for commands")
    wait_until(lambda: not any(bytes_written_in([terminal], BLINK_S)), "the palette to be still")


def test_idle_line_mode_writes_nothing(open_terminal: Open, server: Server) -> None:
    address = f"127.0.0.1:{server.address[1]}"
    terminals = [open_terminal("--plain", address, "-n", "ada"), open_terminal("--plain", address)]
    terminals[0].sees(" ms")
    terminals[1].sees("your nickname")
    wait_until(lambda: not any(bytes_written_in(terminals, QUIET_S)), "both to write nothing for a while")


def test_idle_console_writes_nothing(console: Emulator) -> None:
    console.until(lambda: "lines/s" in console.toolbar, "the toolbar to show figures")
    wait_until(lambda: not any(bytes_written_in([console], QUIET_S)), "it to write nothing for a while")


@pytest.mark.parametrize("key", ["", "\x1b", "\x1b[15~"], ids=["join-card", "room", "stage"])
def test_idle_host_writes_a_kilobyte_a_second_at_most(open_terminal: Open, key: str) -> None:
    terminal = open_terminal("--host", "--bind", "127.0.0.1:0", "-n", "ada", size=(120, 40))
    terminal.sees("connected")
    terminal.type(key)
    wait_until(lambda: bytes_written_in([terminal], QUIET_S)[0] < 1000 * QUIET_S, "a kilobyte a second at most")
