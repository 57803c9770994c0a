"""The full screen under faults of terminals, multiplexers and networks: it neither ends nor ignores its keys."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.running import PATIENCE, PlainPeer, Server, wait_until
from tests.tui.conftest import Open, StartServer
from tests.tui.pseudo_terminal import ENTERS, SEQUENCE, Terminal

HIDES_CURSOR = "\x1b[?25l"


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server("event", "--rate-limit", "off")


@pytest.fixture
def bob(server: Server) -> Iterator[PlainPeer]:
    peer = server.plain("bob")
    yield peer
    peer.close()


def join(open_terminal: Open, server: Server, **options: object) -> Terminal:
    terminal = open_terminal(f"127.0.0.1:{server.address[1]}", "-n", "ada", **options)
    terminal.sees("2 here")
    return terminal


def assert_can_talk(terminal: Terminal, bob: PlainPeer, words: str) -> None:
    terminal.type(f"\x15{words}\r")
    bob.expect(f"ada: {words}")


def test_input_of_random_bytes_neither_ends_nor_deafens(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    random = Random(10)
    pieces = [b"\x1b[", b"\x1b]", b"\x1bP", b"\x1bO", b"\x1b[M", b"\x1b[<", b";5u", b"\x1b[200~", b"\xe9", b"1:1u"]
    pieces += [
        b"\x10",
        b"\x1b[5~",
        b"\x1b[<0;10;10M",
        b"\t",
        b"\x1b[B",
        b"\x1b[11~",
        b"\x06",
    ]  # The palette, help, search.
    leaving = bytes([0x03, 0x0D, 0x11, 0x12, 0x1A])
    for _ in range(30):
        noise = b"".join(random.choice([random.choice(pieces), random.randbytes(3)]) for _ in range(20))
        terminal.send(noise.translate(None, leaving).replace(b"q", b"").replace(b"c", b"").replace(b"z", b""))
    terminal.send(b"\x1b[201~\x1b\\\x1b\x1b")
    wait_until(lambda: talks(terminal, bob), "a line to get through")


def talks(terminal: Terminal, bob: PlainPeer) -> bool:
    """Whether a line gets through now: it may stand behind a paste that has to time out, or a dialog."""
    terminal.send(b"\x1b")
    time.sleep(0.2)  # Else it would be Alt and what follows.
    terminal.type("\x15still here\r")
    try:
        bob.expect("ada: still here", 0.5)
    except AssertionError:
        return False
    return True


def test_bytes_that_are_not_utf8_leave_a_hosted_room_open(open_terminal: Open) -> None:
    terminal = open_terminal("--host", "--bind", "127.0.0.1:0", "-n", "ada")
    terminal.sees("connected")
    terminal.send(b"caf\xe9 \x1b[200~caf\xe9\x1b[201~\xe1\x1b[M\x23\xb6\x2a\r")
    terminal.sees("caf\ufffd")
    assert terminal.process.poll() is None


@pytest.mark.parametrize("reply", ["\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1bP>|term(0.35)\x1b\\", "\x1b[?62;22;52c"])
def test_reply_to_another_query_is_not_typed(open_terminal: Open, server: Server, bob: PlainPeer, reply: str) -> None:
    terminal = join(open_terminal, server)
    terminal.type(f"a{reply}b\r")
    bob.expect("ada: ab")


def test_reply_to_another_query_is_no_nickname(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = open_terminal(f"127.0.0.1:{server.address[1]}")
    terminal.sees("f1 help")
    terminal.type("\x1b]11;rgb:1e1e/1e1e/2e2e\x07\x1b[?0u\x1b[?997;1nada\r")
    bob.expect("ada joined")


def test_paste_without_end_is_over_after_a_while(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    terminal.send(b"\x1b[200~half a paste")
    terminal.sees("half a paste")
    terminal.type(" and typed\r")
    bob.expect("ada: half a paste and typed")


def test_ctrl_q_on_a_russian_layout_leaves(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    terminal.type("\x1b[1081::113;5u")
    assert terminal.exit_code() == 0
    terminal.assert_left_clean()


def test_screen_is_on_the_terminal_where_stderr_is_a_file(
    open_terminal: Open, server: Server, bob: PlainPeer, tmp_path: Path
) -> None:
    with (tmp_path / "err.log").open("wb") as log:
        terminal = join(open_terminal, server, stderr=log.fileno())
    terminal.type("\x11")
    assert terminal.exit_code() == 0
    assert (tmp_path / "err.log").read_bytes() == b""


def test_size_is_the_windows_where_columns_is_exported(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server, environment={"COLUMNS": "40", "LINES": "12"}, size=(100, 30))
    assert "\x1b[30;" in terminal.output
    terminal.resize(100, 40)
    wait_until(lambda: "\x1b[40;" in terminal.output, "the last row of the larger window to be drawn")


def test_redraw_draws_all_of_the_screen(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    before = len(terminal.text)
    terminal.type("\x0c")
    terminal.sees("f1 help", since=before)


def test_mentions_of_a_crowd_ring_a_few_times(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    for number in range(20):
        bob.say(f"ada! {number}")
        terminal.sees(f"ada! {number}")
    assert 1 <= SEQUENCE.sub("", terminal.output).count("\x07") <= 10


def test_suggested_nickname_is_not_remembered(
    open_terminal: Open, server: Server, bob: PlainPeer, tmp_path: Path
) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}

    def open_window() -> Terminal:
        return open_terminal(f"127.0.0.1:{server.address[1]}", environment=environment)

    window = open_window()
    window.sees("f1 help")
    window.type("ada\r")
    window.sees("2 here")
    window = open_window()
    window.sees("joins the room as ada")
    window.type("\r")
    window.sees("is free, Enter takes it")
    window.type("\r")
    window.sees("3 here")
    window = open_window()
    window.sees("joins the room as ada")
    assert "joins the room as ada2" not in window.text


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (3, 2)])
def test_size_of_any_kind_lets_one_talk(
    open_terminal: Open, server: Server, bob: PlainPeer, size: tuple[int, int]
) -> None:
    terminal = open_terminal(f"127.0.0.1:{server.address[1]}", "-n", "ada", size=size)
    bob.expect("ada joined")
    assert_can_talk(terminal, bob, "hello")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_stalled_terminal_obeys_a_signal(
    open_terminal: Open, server: Server, bob: PlainPeer, number: signal.Signals, code: int
) -> None:
    terminal = join(open_terminal, server)
    terminal.takes_output.clear()
    stall(server, bob)
    terminal.signal(number)
    assert terminal.process.wait(PATIENCE) == code


def stall(server: Server, bob: PlainPeer) -> None:
    """Have more said than a terminal and its queues hold."""
    for number in range(120):
        bob.say(f"{number} " + "x" * 700)
    time.sleep(0.3)  # For frames to pile up: nothing tells when they do.


def test_stalled_terminal_is_drawn_anew_once_it_goes_on(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    terminal.takes_output.clear()
    stall(server, bob)
    terminal.takes_output.set()
    bob.say("the last line")
    terminal.sees("the last line")
    assert_can_talk(terminal, bob, "hello")


@pytest.mark.parametrize("way", ["ctrl-z", "signal"])
def test_suspended_gives_the_terminal_back_then_takes_it_again(
    open_terminal: Open, server: Server, bob: PlainPeer, way: str
) -> None:
    terminal = join(open_terminal, server)
    if way == "ctrl-z":
        terminal.type("\x1a")
    else:
        terminal.signal(signal.SIGTSTP)
    wait_until(lambda: terminal.is_stopped, "the client to stop")
    wait_until(lambda: "\x1b[?1049l" in terminal.output, "the other screen to be left")
    terminal.assert_left_clean()
    before = len(terminal.text)
    terminal.signal(signal.SIGCONT)
    terminal.sees("f1 help", since=before)
    assert_can_talk(terminal, bob, "hello")
    terminal.type("\x11")
    assert terminal.exit_code() == 0
    terminal.assert_left_clean()


def test_stopped_from_outside_takes_the_terminal_again(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    terminal = join(open_terminal, server)
    terminal.signal(signal.SIGSTOP)
    wait_until(lambda: terminal.is_stopped, "the client to stop")
    before = len(terminal.output)
    terminal.signal(signal.SIGCONT)
    wait_until(lambda: ENTERS in terminal.output[before:], "the screen to be entered again")
    assert_can_talk(terminal, bob, "hello")


def test_stopped_while_input_pours_in_goes_on(open_terminal: Open, server: Server, bob: PlainPeer) -> None:
    """Also while the loop is busy: what wakes it must not crowd out the signal."""
    terminal = join(open_terminal, server)
    for number in range(600):
        terminal.type(f"\x1b[<35;{1 + number % 90};{1 + number % 25}Mk")
        if number == 400:
            terminal.signal(signal.SIGTSTP)
    wait_until(lambda: terminal.is_stopped, "the client to stop")
    terminal.signal(signal.SIGCONT)
    wait_until(lambda: terminal.output.count(ENTERS) == 2, "the screen to be entered again")
    assert_can_talk(terminal, bob, "after")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_in_the_first_moment_leaves_the_terminal_clean(
    open_terminal: Open, server: Server, number: signal.Signals
) -> None:
    terminal = open_terminal(f"127.0.0.1:{server.address[1]}", "-n", "ada")
    wait_until(lambda: HIDES_CURSOR in terminal.output, "the screen to be entered")
    terminal.signal(number)
    assert terminal.exit_code() in ((130,) if number is signal.SIGINT else (0, 69))  # 69: the room was not reached yet.
    terminal.assert_left_clean()


def test_modes_of_a_terminal_that_reports_its_size_are_left(
    open_terminal: Open, server: Server, bob: PlainPeer
) -> None:
    terminal = join(open_terminal, server)
    terminal.type("\x1b[?2048;2$y\x1b[?2026;2$y")
    wait_until(lambda: "\x1b[?2048h" in terminal.output, "the size to be asked for")
    terminal.type("\x1b[48;20;90;0;0t\x11")
    assert terminal.exit_code() == 0
    terminal.assert_left_clean()
    set_modes = {part.split("h")[0] for part in terminal.output.split("\x1b[?")[1:] if part.split("h")[0].isdigit()}
    for mode in set_modes - {"7", "25"}:
        assert f"\x1b[?{mode}l" in terminal.output, f"mode {mode} is left on"
