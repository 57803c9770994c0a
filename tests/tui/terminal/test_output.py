"""TerminalOutput: the caller never waits for a terminal that is stalled or gone."""

import os
import pty
import threading
import time
from collections.abc import Iterator

import pytest

from tests.pace import is_within
from tests.running import PATIENCE, wait_until
from tui.terminal.output import MAX_BACKLOG_BYTES, TerminalOutput


class Line:
    """A pseudo-terminal with our writer on it."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        self.gone, self.caught_up = threading.Event(), threading.Event()
        self.output = TerminalOutput(self.theirs, on_gone=self.gone.set, on_caught_up=self.caught_up.set)

    def read(self) -> bytes:
        try:
            return os.read(self.ours, 65536)
        except BlockingIOError:
            return b""

    def read_until(self, end: bytes) -> bytes:
        heard = bytearray()

        def has_end() -> bool:
            heard.extend(self.read())
            return heard.endswith(end)

        wait_until(has_end, f"{end!r} to be written")
        return bytes(heard)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.output.close(0)
    for descriptor in (made.ours, made.theirs):
        if descriptor >= 0:
            os.close(descriptor)


def test_write_keeps_the_order(line: Line) -> None:
    for part in ("one ", "two ", "three"):
        line.output.write(part)
    assert line.read_until(b"three") == b"one two three"


def test_write_to_a_stalled_terminal_drops_frames(line: Line) -> None:
    frame = "x" * 10_000
    for _ in range(2 * MAX_BACKLOG_BYTES // len(frame)):
        line.output.write(frame)
    assert not line.caught_up.is_set()
    heard = bytearray()

    def has_caught_up() -> bool:
        heard.extend(line.read())
        return line.caught_up.is_set()

    wait_until(has_caught_up, "the dropped frames to be noticed")
    line.output.write("drawn anew")
    heard += line.read_until(b"drawn anew")
    assert len(heard) % len(frame) == len("drawn anew")
    assert len(heard) < MAX_BACKLOG_BYTES + 2 * len(frame)


def test_write_last_drops_the_backlog(line: Line) -> None:
    for _ in range(10):
        line.output.write("x" * 10_000)
    line.output.write_last("goodbye")
    heard = line.read_until(b"goodbye")
    assert len(heard) < 20_000


def test_close_does_not_wait_for_a_stalled_terminal(line: Line) -> None:
    line.output.write("x" * 100_000)
    began = time.monotonic()
    line.output.close(0.05)
    assert is_within(time.monotonic() - began, 1)
    line.output.write("and more")


def test_write_to_a_lost_terminal_reports_it_once(line: Line) -> None:
    os.close(line.ours)
    line.ours = -1
    line.output.write("x")
    assert line.gone.wait(PATIENCE)
    line.output.write("x")
