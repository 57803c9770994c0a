"""The operator console: `chat-server` on a real terminal, with real clients in the room."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pace import is_within
from tests.running import OPERATOR_KEY, PlainPeer, RichPeer
from tests.tui.emulator import Emulator
from tui.console.console import MAX_REMEMBERED, EchoFilter

COMMAND = (sys.executable, "-m", "server", "--bind", "127.0.0.1:0")
LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+) \(model (\w+), pid (\d+)\)")
FAILS = """
import server.handover
def fail(*args):
    raise KeyError("a bug of ours")
server.handover.serve = fail
"""


class OnTerminal(Emulator):
    """A chat-server on a terminal."""

    def __init__(self, *options: str, **more: object) -> None:
        super().__init__([*COMMAND, *options], **more)  # type: ignore[arg-type]  # as they came
        self.peers: list[PlainPeer | RichPeer] = []

    def listening(self) -> re.Match[str]:
        """Wait for the line with the address."""
        self.sees("listening on ")
        return next(told for row in self.rows if (told := LISTENING.fullmatch(row)))

    def ready(self) -> "OnTerminal":
        """Wait until the console is in the room and shows the meter."""
        self.until(lambda: "lines/s" in self.toolbar, "the toolbar to show figures")
        return self

    def plain(self, nick: str) -> PlainPeer:
        self.peers.append(peer := PlainPeer(("127.0.0.1", int(self.listening()[1]))))
        peer.join(nick)
        return peer

    def rich(self, nick: str) -> RichPeer:
        self.peers.append(peer := RichPeer(("127.0.0.1", int(self.listening()[1]))))
        peer.hello(nick)
        return peer

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        super().close()


Open = Callable[..., OnTerminal]


@pytest.fixture
def open_console() -> Iterator[Open]:
    """`open_console(*options)`: a chat-server on its own terminal."""
    opened: list[OnTerminal] = []

    def open_console(*options: str, **more: object) -> OnTerminal:
        opened.append(OnTerminal(*options, **more))
        return opened[-1]

    yield open_console
    for console in opened:
        console.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[OnTerminal]:
    """A console that is shared by the tests which leave it unchanged."""
    console = OnTerminal("-vv")
    yield console.ready()
    console.close()


@pytest.fixture
def console(shared: OnTerminal) -> Iterator[OnTerminal]:
    yield shared
    shared.type("\x15")  # Ctrl-U clears the line for the next command.
    while shared.peers:
        shared.peers.pop().close()


# Below the log


def test_console_shows_listening_line_and_toolbar(console: OnTerminal) -> None:
    told = console.listening()
    assert console.rows[0] == told[0]
    assert int(told[3]) != console.process.pid  # The server is a separate process.
    assert re.fullmatch(
        rf" ↻ event   1 connection   [\d.]+ lines/s   [\d.]+ MiB   127\.0\.0\.1:{told[1]}", console.toolbar
    )


def test_console_toolbar_follows_the_room(console: OnTerminal) -> None:
    ada, bob = console.plain("ada"), console.plain("bob")
    console.until(lambda: "3 connections" in console.toolbar, "three connections")
    for number in range(8):
        ada.say(f"line {number}")
    bob.expect("line 7")
    console.until(lambda: re.search(r" [1-9][\d.]* lines/s", console.toolbar), "the lines of the last second")


def test_console_shows_messages_and_says_lines(console: OnTerminal) -> None:
    ada = console.plain("ada")
    ada.say("is anybody there?")
    console.sees("ada: is anybody there?")
    console.enter("the house is")
    ada.expect("console: the house is")
    console.sees("console: the house is")


def test_the_log_never_tears_the_line_that_is_being_typed(console: OnTerminal) -> None:
    console.type("a line of which only a half is typ")
    for number in range(20):
        console.plain(f"guest{number}").close()
    console.until(lambda: console.text.count("DEBUG connection") >= 20, "the log")
    console.sees("❯ a line of which only a half is typ")
    rows = console.rows
    assert [row for row in rows if "a half is typ" in row] == ["❯ a line of which only a half is typ"]
    log = [row for row in rows if " DEBUG " in row]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} DEBUG \S", row) for row in log)
    console.enter("ed")
    console.sees("console: a line of which only a half is typed")


def test_tab_completes_commands_models_and_nicknames(console: OnTerminal) -> None:
    console.plain("zoe")
    console.sees("*** zoe joined")
    console.type("/mod\t")
    console.sees("❯ /model")
    console.type("th\t")
    console.sees("❯ /model thread")
    console.type("\x15/unmute z\t")
    console.sees("❯ /unmute zoe")
    console.press("enter")
    console.sees("console unmuted zoe")


def test_console_arrow_up_recalls_the_last_line(console: OnTerminal) -> None:
    console.enter("/where")
    console.until(lambda: console.text.count("*** you: event loop") == 1, "an answer")
    console.press("up")
    console.press("enter")
    console.until(lambda: console.text.count("*** you: event loop") == 2, "another answer")


def test_console_explains_a_mistake_and_lists_commands(console: OnTerminal) -> None:
    console.enter("/model fork")
    console.sees("--- there is no model fork: it is one of process, thread, event")
    console.enter("/help")
    console.sees("--- /kick NICK [reason]")


def test_an_order_is_carried_out_told_to_all_and_shown_once(console: OnTerminal) -> None:
    ada, bob = console.plain("ada"), console.plain("bob")
    console.enter("/kick ada enough of that")
    assert ada.lines_until_closed()[-1] == "*** goodbye: console kicked you: enough of that"
    bob.expect("*** console kicked ada: enough of that")
    for number in range(5):
        console.enter(f"/pin number {number}")
        bob.expect(f"*** console pinned: number {number}")
    bob.say("that was all")
    console.sees("bob: that was all")
    console.sees("console pinned: number 4")
    for order in ("console kicked ada: enough of that", *(f"console pinned: number {number}" for number in range(5))):
        assert len([row for row in console.rows if row.endswith(order)]) == 1


def test_ctrl_c_clears_the_line_and_on_an_empty_one_asks_first(console: OnTerminal) -> None:
    console.type("half a line")
    console.sees("❯ half a line")
    console.press("ctrl-c")
    console.until(lambda: not any("half a line" in row for row in console.rows), "an empty line")
    console.press("ctrl-c")
    console.sees("--- Ctrl-C again within 5 seconds ends the room for everybody")
    console.enter("still here")
    console.sees("console: still here")


def test_console_help_describes_quit(console: OnTerminal) -> None:
    console.enter("/help")
    console.until(lambda: any(re.match("--- /quit +end the room for everybody", row) for row in console.rows), "/quit")


def test_console_completes_random_as_chaos_victim(console: OnTerminal) -> None:
    console.type("/chaos kill-worker ran\t")
    console.sees("❯ /chaos kill-worker random")


def test_nothing_that_people_say_is_obeyed_by_the_terminal(console: OnTerminal) -> None:
    ada = console.plain("ada")
    ada.say("\x1b[2J\x1b]0;owned\x07 still here")
    console.sees("still here")
    assert console.rows[0].startswith("listening on")


def test_each_model_has_its_sign(open_console: Open) -> None:
    console = open_console("--model", "process").ready()
    assert console.toolbar.startswith(" ▣ process")
    for model, sign in (("thread", "≋"), ("event", "↻"), ("process", "▣")):
        console.enter(f"/model {model}")
        console.until(lambda sign=sign, model=model: console.toolbar.startswith(f" {sign} {model}"), model)  # type: ignore[misc]
    console.press("ctrl-d")
    assert console.exit_code() == 0


@pytest.mark.needs("bash")
def test_ctrl_z_suspends_the_console_and_not_the_room() -> None:
    shell = OnTerminal.__new__(OnTerminal)
    Emulator.__init__(shell, ["bash", "--norc", "-i"])
    shell.peers = []
    try:
        shell.enter(" ".join(COMMAND))
        shell.ready()
        ada, bob = shell.plain("ada"), shell.plain("bob")
        shell.type("\x1a")
        shell.sees("Stopped")
        ada.say("meanwhile")
        bob.expect("ada: meanwhile")
        shell.enter("fg")
        shell.sees("ada: meanwhile")
        shell.enter("back again")
        bob.expect("console: back again")
        shell.press("ctrl-d")
        bob.expect("goodbye")
        shell.enter("exit")  # An interactive shell ignores SIGTERM.
        assert shell.exit_code() == 0
    finally:
        shell.close()


# The end


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda console: console.enter("/close good night"), 0),
        (lambda console: console.enter("/quit"), 0),
        (lambda console: console.press("ctrl-d"), 0),
        (lambda console: console.type("half a line\x03\x03\x03"), 130),
        (lambda console: console.process.send_signal(signal.SIGINT), 130),
        (lambda console: console.process.send_signal(signal.SIGTERM), 0),
    ],
    ids=["close", "quit", "ctrl-d", "ctrl-c", "SIGINT", "SIGTERM"],
)
def test_console_quit_says_goodbye_and_leaves_no_process(
    open_console: Open, end: Callable[[OnTerminal], None], code: int
) -> None:
    console = open_console().ready()
    ada = console.plain("ada")
    assert len(console.family()) >= 2
    end(console)
    assert ada.lines_until_closed()[-1].startswith("*** goodbye: ")
    assert console.exit_code() == code
    assert console.settings == console.settings_before
    assert "the room is lost" not in console.text


def test_a_window_that_is_closed_ends_the_room(open_console: Open) -> None:
    console = open_console("--model", "process").ready()
    ada = console.plain("ada")
    console.hang_up()
    assert ada.lines_until_closed()[-1] == "*** goodbye: the room closes"
    assert console.exit_code() == 0


def test_a_console_that_is_killed_takes_the_room_with_it(open_console: Open) -> None:
    console = open_console().ready()
    ada = console.plain("ada")
    console.family()
    console.process.kill()
    assert ada.lines_until_closed()[-1] == "*** goodbye: the room closes"
    assert console.exit_code() == -signal.SIGKILL


def test_console_reports_killed_server_with_shell_exit_code(open_console: Open) -> None:
    console = open_console().ready()
    os.kill(int(console.listening()[3]), signal.SIGKILL)
    assert console.exit_code() == 128 + signal.SIGKILL
    assert "--- the server was ended by SIGKILL" in console.text
    assert console.settings == console.settings_before


def test_the_last_words_of_a_server_that_fails_are_shown(open_console: Open, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(FAILS)
    console = open_console(environment={"PYTHONPATH": str(tmp_path)})
    assert console.exit_code() == 1
    assert "  KeyError: 'a bug of ours'" in console.rows
    assert "chat-server: the server has failed because of a bug" in console.text


def test_a_port_in_use_is_one_sentence_and_exit_code_1(open_console: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        console = open_console("--bind", address)
        assert console.exit_code() == 1
    assert console.text == f"chat-server: {address} is in use already; --bind HOST:PORT chooses another"


def test_hanging_up_by_hand_reads_the_settings_again(open_console: Open, tmp_path: Path) -> None:
    motd = tmp_path / "motd"
    motd.write_text("before")
    console = open_console("-v", "--motd", str(motd)).ready()
    motd.write_text("after")
    console.process.send_signal(signal.SIGHUP)
    console.sees("the message of the day and the limits were read again")
    console.plain("ada").expect("*** after")


# Without a console


@pytest.mark.parametrize("option", ["--help", "--nonsense"])
def test_console_is_not_used_for_help_and_version(open_console: Open, option: str) -> None:
    console = open_console(option)
    assert console.exit_code() == (2 if option == "--nonsense" else 0)
    piped = subprocess.run([*COMMAND, option], capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"})
    assert console.text.split() == (piped.stdout + piped.stderr).split()


def test_with_no_console_there_is_the_log_alone(open_console: Open) -> None:
    console = open_console("--no-console")
    assert int(console.listening()[3]) == console.process.pid
    console.plain("ada")
    assert console.text == console.listening()[0]


def test_a_terminal_on_which_no_line_can_be_drawn_anew_has_none(open_console: Open) -> None:
    console = open_console(environment={"TERM": "dumb"})
    assert int(console.listening()[3]) == console.process.pid


@pytest.mark.needs("bash")
def test_console_is_not_used_in_a_background_job(open_console: Open) -> None:
    console = Emulator(["bash", "-mc", f"{' '.join(COMMAND)} & wait"])
    try:
        console.sees("listening on ")
        (server,) = console.family()[-1:]
        assert str(server.pid) in console.text
        assert server.status() != "stopped"
    finally:
        console.family()
        console.close()


# Operator rights


def test_console_with_key_file_and_redirected_log_works(open_console: Open, tmp_path: Path) -> None:
    key, log = tmp_path / "key", tmp_path / "log"
    key.write_text(f"  {OPERATOR_KEY}\n")
    key.chmod(0o600)
    with log.open("wb") as stderr:
        console = open_console("--operator-key-file", str(key), stderr=stderr.fileno()).ready()
    bob = console.rich("bob")
    bob.prove()
    bob.switch("thread")
    console.until(lambda: console.toolbar.startswith(" ≋ thread"), "the model that bob chose")
    console.enter("/pin welcome")
    console.sees("*** console pinned: welcome")
    bob.expect("rules", text="console pinned: welcome")
    assert " WARNING console pinned: welcome" in log.read_text()
    assert " WARNING " not in console.text


# A terminal that accepts no data


def test_console_stopped_terminal_does_not_delay_the_room(open_console: Open) -> None:
    console = open_console("--rate-limit", "off").ready()
    ada, bob = console.plain("ada"), console.plain("bob")
    console.stop()
    slowest = 0.0
    for number in range(40):
        began = time.monotonic()
        for _ in range(30):
            ada.say("x" * 200)
        ada.say(f"round {number}")
        bob.expect(f"ada: round {number}")
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.02)
    assert is_within(slowest, 3)  # A blocked room would wait for the 10 s timeout of a slow reader.
    console.go_on()
    console.sees("ada: round 39")
    console.sees("lines came faster than this terminal took them: not shown")
    console.until(lambda: "lines/s" in console.toolbar, "the toolbar")


def test_console_stopped_terminal_does_not_keep_server_alive(open_console: Open) -> None:
    console = open_console("--rate-limit", "off").ready()
    ada, bob = console.plain("ada"), console.plain("bob")
    console.stop()
    for _ in range(500):
        ada.say("x" * 200)
    ada.say("last")
    bob.expect("ada: last")
    console.process.send_signal(signal.SIGTERM)
    assert bob.lines_until_closed()[-1] == "*** goodbye: the room closes"
    assert console.exit_code() == 0


def test_console_of_a_flooded_room_obeys_ctrl_d(open_console: Open) -> None:
    console = open_console("--rate-limit", "off").ready()
    bob = console.rich("bob")
    flood = b"".join(b'{"type":"say","id":"","text":"line %d"}\n' % number for number in range(1000))
    is_over = threading.Event()

    def client() -> None:
        while not is_over.is_set():
            try:
                bob.socket.sendall(flood)
                bob.socket.recv(1 << 20)
            except OSError:
                return

    talking = threading.Thread(target=client, daemon=True)
    talking.start()
    try:
        console.until(lambda: re.search(r" \d[\d,.]*k? lines/s", console.toolbar), "the flood")
        began = time.monotonic()
        console.type("\x04")
        assert console.exit_code() == 0
        assert is_within(time.monotonic() - began, 3)  # Two of these seconds are for the room's goodbye.
    finally:
        is_over.set()
        talking.join(5)


def test_echo_filter_shows_a_line_of_both_sources_once() -> None:
    echoes = EchoFilter()
    assert echoes.is_new("log", "ada locked the room")
    assert not echoes.is_new("room", "ada locked the room")
    assert echoes.is_new("room", "ada unlocked the room")
    assert not echoes.is_new("log", "ada unlocked the room")


def test_echo_filter_shows_a_repeated_action_twice() -> None:
    echoes = EchoFilter()
    shown = [echoes.is_new(source, "ada locked the room") for source in ("log", "log", "room", "room")]
    assert shown == [True, True, False, False]


def test_echo_filter_shows_repeats_of_one_source() -> None:
    echoes = EchoFilter()
    assert echoes.is_new("room", "hear, hear")
    assert echoes.is_new("room", "hear, hear")


def test_echo_filter_is_bounded() -> None:
    echoes = EchoFilter()
    for number in range(MAX_REMEMBERED + 1):
        echoes.is_new("log", str(number))
    assert echoes.is_new("room", "0")
    assert not echoes.is_new("room", str(MAX_REMEMBERED))
