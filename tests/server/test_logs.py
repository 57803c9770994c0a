import fcntl
import json
import logging
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import logs
from server.log_limit import DuplicateFilter
from server.logs import JSONFormatter, NonBlockingHandler, TextFormatter
from tests.running import PATIENCE, PlainPeer, readable
from tests.server.records import raised, record

LOST = re.compile(r"(\d+) lines? of this log lost, because the reader was too slow")


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook
    yield
    root.handlers[:], threading.excepthook = before[0], before[2]
    root.setLevel(before[1])


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal's two ends: the one that a user sees, and the one that a program writes to."""
    screen, program = pty.openpty()
    yield screen, program
    os.close(screen)
    os.close(program)


def taken_from(descriptor: int) -> str:
    """All that waits to be read."""
    os.set_blocking(descriptor, False)
    parts = []
    try:
        while data := os.read(descriptor, 1 << 16):
            parts.append(data)
    except BlockingIOError:
        pass
    os.set_blocking(descriptor, True)
    return b"".join(parts).decode().replace("\r\n", "\n")


# The format of a line


def test_text_line_has_time_level_and_message() -> None:
    line = TextFormatter().format(record("connection %d failed", 7))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING connection 7 failed", line)


def test_a_traceback_follows_its_line_indented() -> None:
    first, *rest = TextFormatter().format(record("failed", error=raised(KeyError("x")))).split("\n")
    assert first.endswith("WARNING failed")
    assert rest[0] == "  Traceback (most recent call last):"
    assert rest[-1] == "  KeyError: 'x'"
    assert all(line.startswith("  ") for line in rest)


def test_log_is_safe_for_terminals_and_forges_no_line() -> None:
    evil = "\x1b]0;x\x07 \x9b2J \u202e a\n2026-01-01 00:00:00.000 ERROR forged"
    line = TextFormatter().format(record("said %s", evil, error=raised(ValueError(evil))))
    assert not set(line) & set("\x1b\x07\x9b\u202e")
    assert [text for text in line.split("\n") if text.startswith("20")] == [line.split("\n")[0]]


def test_a_json_line_is_one_object_with_its_traceback_in_it() -> None:
    line = JSONFormatter().format(record("connection %d failed\x1b", 7, error=raised(KeyError("x"))))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry.keys() == {"at", "level", "pid", "message", "traceback"}
    assert (entry["level"], entry["pid"], entry["message"]) == ("warning", os.getpid(), "connection 7 failed␛")
    assert entry["traceback"].endswith("KeyError: 'x'")


# Its end


def test_end_of_the_log_reports_suppressed_records(pipe: tuple[int, int]) -> None:
    handler = NonBlockingHandler(pipe[1])
    handler.addFilter(DuplicateFilter())
    handler.setFormatter(TextFormatter())
    for number in range(20):
        handler.handle(record("connection %d failed", number))
    taken_from(pipe[0])
    handler.close()
    [line] = taken_from(pipe[0]).splitlines()
    assert re.search(
        r" WARNING not written since \d\d:\d\d:\d\d: 10 more, the last of them: connection 19 failed$", line
    )


def test_log_reports_suppressed_records_at_exit(root: Path) -> None:
    program = "import logging; from server import logs; logs.set_up('text', 30); log = logging.getLogger('chat.room')"
    command = [sys.executable, "-c", f"{program}\nfor number in range(11): log.warning('line %d', number)"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    assert len(done.stderr.splitlines()) == 11
    assert done.stderr.endswith(": 1 more, the last of them: line 10\n")


def test_at_its_end_the_log_says_how_many_lines_were_not_taken(pipe: tuple[int, int]) -> None:
    handler = NonBlockingHandler(pipe[1])
    handler.emit(record("x" * 1_000_000))
    taken_from(pipe[0])
    handler.close()
    assert taken_from(pipe[0]).splitlines()[-1] == "1 line of this log lost, because the reader was too slow"


# Never waiting


@pytest.mark.parametrize("end", ["pipe", "terminal"])
def test_unread_log_never_blocks_and_counts_lost_lines(end: str, request: pytest.FixtureRequest) -> None:
    reading, writing = request.getfixturevalue(end)
    logs.reopen_terminal_nonblocking(writing)
    handler = NonBlockingHandler(writing)
    for number in range(20_000):
        handler.emit(record("%d %s", number, "x" * (number % 300)))
    assert handler.dropped > 0
    told = taken_from(reading)
    handler.emit(record("read again"))
    lines = (told + taken_from(reading)).splitlines()
    assert lines[-1] == "read again"
    shown = [int(line.split()[0]) for line in lines if re.fullmatch(r"\d+ x*", line)]
    whole = [number for number in shown if f"{number} {'x' * (number % 300)}" in lines]
    assert whole == sorted(set(whole))
    # Of a line that was cut just before its end all can be read, and yet it counts as lost.
    losses = [int(found[1]) for found in map(LOST.search, lines) if found]
    assert losses
    assert 0 <= len(whole) + sum(losses) - 20_000 <= len(losses)


def test_log_line_longer_than_the_pipe_is_cut(pipe: tuple[int, int]) -> None:
    handler = NonBlockingHandler(pipe[1])
    handler.emit(record("x" * 1_000_000))
    assert handler.dropped == 1
    taken_from(pipe[0])
    handler.emit(record("next"))
    assert taken_from(pipe[0]).splitlines()[0] == ""
    handler.emit(record("after"))
    assert taken_from(pipe[0]) == "after\n"


def test_log_without_a_reader_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    handler = NonBlockingHandler(writing)
    handler.emit(record("to nobody"))
    os.close(writing)
    assert handler.dropped == 1


def test_a_file_gets_every_line_however_long(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        handler = NonBlockingHandler(file.fileno())
        for number in range(100):
            handler.emit(record("%d%s", number, "x" * 50_000))
    assert (tmp_path / "log").read_text() == "".join(f"{number}{'x' * 50_000}\n" for number in range(100))


def test_the_terminal_others_share_with_us_still_waits_for_them(terminal: tuple[int, int]) -> None:
    shells = os.dup(terminal[1])
    logs.reopen_terminal_nonblocking(terminal[1])
    assert fcntl.fcntl(terminal[1], fcntl.F_GETFL) & os.O_NONBLOCK
    assert not fcntl.fcntl(shells, fcntl.F_GETFL) & os.O_NONBLOCK
    os.close(shells)


def test_a_record_that_cannot_be_put_into_words_ends_nothing(
    pipe: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = NonBlockingHandler(pipe[1])
    handler.emit(record("%d", "seven"))
    handler.emit(record("fine"))
    assert taken_from(pipe[0]) == "fine\n"
    assert "Logging error" in capsys.readouterr().err


# Set up


@pytest.mark.usefixtures("logging_as_before")
def test_records_below_the_level_are_not_written(pipe: tuple[int, int]) -> None:
    logs.set_up("text", logging.WARNING, pipe[1])
    logging.getLogger("chat.server").info("small talk")
    logging.getLogger("chat.server").warning("grave")
    [line] = taken_from(pipe[0]).splitlines()
    assert line.endswith("WARNING grave")


@pytest.mark.usefixtures("logging_as_before")
def test_exception_that_ends_a_thread_is_logged(pipe: tuple[int, int]) -> None:
    logs.set_up("json", logging.WARNING, pipe[1])

    def fail() -> None:
        raise KeyError("a bug in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    entry = json.loads(taken_from(pipe[0]))
    assert entry["level"] == "error"
    assert entry["traceback"].endswith("KeyError: 'a bug in a thread'")


@pytest.mark.parametrize("model", ["process", "thread", "event"])
def test_server_with_an_unread_log_goes_on(model: str, root: Path, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, b"." * 512)
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    command = [sys.executable, "-m", "server", "--bind", "127.0.0.1:0", "--model", model, "-vv", "--rate-limit", "off"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=writing, text=True) as server:
        try:
            assert server.stdout is not None
            assert readable(server.stdout, 10)
            port = int(server.stdout.readline().split()[2].rpartition(":")[2])
            ada, bob = PlainPeer(("127.0.0.1", port)), PlainPeer(("127.0.0.1", port))
            ada.join("ada")
            bob.join("bob")
            ada.expect("bob joined")
            for number in range(50):
                ada.say(f"line {number}")
                bob.expect(f"ada: line {number}")
            taken_from(reading)
            bob.close()
            ada.expect("bob left")
            ada.close()
        finally:
            server.terminate()
            assert server.wait(PATIENCE) == 0
