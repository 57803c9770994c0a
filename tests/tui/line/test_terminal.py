"""A terminal that accepts no data blocks no caller, and later receives all of it in order.

Lines above the prompt appear in order; if they arrive too fast, the latest and the number of dropped ones.
"""

import asyncio
import contextlib
import io
import os
import pty
import termios
import time
import tty
from collections.abc import Iterator

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.styles import Style

from tests.pace import is_within
from tests.peers import PATIENCE
from tests.running import wait_until
from tests.tui.links import until
from tui.line.formatting import Line
from tui.line.terminal import LineTerminal, NonBlockingWriter, PromptPrinter


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def printer(written: io.StringIO, pipe: tuple[int, int]) -> PromptPrinter:
    return PromptPrinter(NonBlockingWriter(pipe[1]), PlainTextOutput(written), Style([]), MAX_WAITING_LINES)


MAX_WAITING_LINES = 400


def lines(name: str, count: int) -> list[Line]:
    return [[("", f"{name} {number}")] for number in range(count)]


def test_lines_are_printed_once_in_the_order_in_which_they_came(printer: PromptPrinter, written: io.StringIO) -> None:
    printer.show(lines("log", 1))
    printer.show(lines("talk", 2), minor=True)
    printer.show(lines("more", 1))
    printer.print_now()
    printer.print_now()
    assert written.getvalue().splitlines() == ["log 0", "talk 0", "talk 1", "more 0"]
    assert written.getvalue().count("log 0") == 1


def test_printer_drops_minor_lines_without_losing_log_lines(printer: PromptPrinter, written: io.StringIO) -> None:
    printer.show(lines("log", 3))
    printer.show(lines("talk", MAX_WAITING_LINES + 100), minor=True)
    printer.print_now()
    printed = written.getvalue().splitlines()
    assert printed[0] == "--- 100 lines came faster than this terminal took them: not shown"
    assert printed[1:5] == ["log 0", "log 1", "log 2", "talk 100"]
    assert printed[-1] == f"talk {MAX_WAITING_LINES + 99}"


async def test_nothing_is_printed_to_a_terminal_that_takes_nothing(written: io.StringIO) -> None:
    reading, writing = os.pipe()
    terminal = NonBlockingWriter(writing)
    printer = PromptPrinter(terminal, PlainTextOutput(written), Style([]), MAX_WAITING_LINES)
    terminal.write("x" * 300_000)
    await until(lambda: terminal.backlog < 300_000, "the pipe to be full")
    printing = asyncio.create_task(printer.run())
    printer.show(lines("log", 1))
    await asyncio.sleep(0.3)  # No event shows the absence of output, so wait a moment.
    assert printer.is_clogged
    assert written.getvalue() == ""
    os.set_blocking(reading, False)  # The last write may still count as backlog, and a read would block.

    def is_drained() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(reading, 300_000)
        return not terminal.backlog

    await until(is_drained, "the terminal to take it all")
    await until(lambda: "log 0" in written.getvalue(), "the line")
    printing.cancel()
    os.close(reading)
    os.close(writing)


async def test_printing_above_a_prompt_leaves_raw_mode_never(monkeypatch: pytest.MonkeyPatch) -> None:
    """In cooked mode, Ctrl-D, Ctrl-C and Ctrl-Z would be lost."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stdin, os.fdopen(os.dup(theirs), "w") as stdout:
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("sys.stdout", stdout)
        terminal = LineTerminal(Style([]), max_waiting_lines=10)
        raw: list[bool] = []
        monkeypatch.setattr(
            terminal.output, "flush", lambda: raw.append(not termios.tcgetattr(theirs)[3] & termios.ICANON)
        )
        with terminal.session():
            printing = asyncio.create_task(terminal.printer.run())
            session: PromptSession[str] = PromptSession(input=terminal.input, output=terminal.output)
            line = asyncio.create_task(session.prompt_async(set_exception_handler=False))
            await until(lambda: session.app.is_running and any(raw))
            raw.clear()
            terminal.printer.show(lines("talk", 3))
            await until(lambda: len(raw) > 3)
            os.write(ours, b"\x04")
            with pytest.raises(EOFError):
                await asyncio.wait_for(line, PATIENCE)
            printing.cancel()
        assert all(raw)
    os.close(ours)


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
