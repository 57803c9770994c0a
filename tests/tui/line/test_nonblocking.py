"""A terminal that accepts no data blocks no caller, and later receives all of it in order."""

import os
import pty
import time
import tty
from collections.abc import Iterator

import pytest

from tests.pace import is_within
from tests.running import PATIENCE, wait_until
from tui.line.nonblocking import NonBlockingWriter

MUCH = "".join(f"{number:07}\n" for number in range(50_000))


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: the reader's and the writer's."""
    screen, program = pty.openpty()
    tty.setraw(program)
    yield screen, program
    os.close(screen)
    os.close(program)


def read(screen: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += os.read(screen, 65536)
    return bytes(data)


@pytest.mark.parametrize("blocking", [True, False])
def test_writing_never_waits_and_nothing_is_lost(terminal: tuple[int, int], blocking: bool) -> None:
    screen, program = terminal
    os.set_blocking(program, blocking)
    unhurried = NonBlockingWriter(program)
    began = time.monotonic()
    for start in range(0, len(MUCH), 1000):
        unhurried.write(MUCH[start : start + 1000])
    assert is_within(time.monotonic() - began, 1)
    wait_until(lambda: 0 < unhurried.backlog < len(MUCH), "the terminal to take what it can")
    began = time.monotonic()
    unhurried.drain(0.1)
    took = time.monotonic() - began
    assert took >= 0.1
    assert is_within(took, 1)
    assert read(screen, len(MUCH)).decode() == MUCH
    unhurried.drain(PATIENCE)
    assert unhurried.backlog == 0


def test_pipe_unencodable_output_is_replaced(terminal: tuple[int, int]) -> None:
    NonBlockingWriter(terminal[1], "ascii").write("❯ x")
    assert read(terminal[0], 3) == b"? x"


def test_write_to_closed_terminal_is_ignored() -> None:
    screen, program = pty.openpty()
    os.close(screen)
    unhurried = NonBlockingWriter(program)
    unhurried.write("last words")
    unhurried.drain(PATIENCE)
    assert unhurried.backlog == 0
    unhurried.write("more")
    assert unhurried.backlog == 0
    assert not unhurried.isatty()
    os.close(program)
