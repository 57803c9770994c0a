"""Typing faster than the screen draws: on a real terminal, each key counts, in its order."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Server
from tests.tui.conftest import StartServer
from tests.tui.pseudo_terminal import Terminal


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server()


@pytest.fixture
def terminal(server: Server) -> Iterator[Terminal]:
    """A client at the prompt."""
    opened = Terminal(f"{server.address[0]}:{server.address[1]}")
    opened.sees("f1 help")
    yield opened
    opened.close()


def enter(terminal: Terminal) -> None:
    terminal.type("ada\r")
    terminal.sees("ada joined")


def test_lines_typed_in_one_burst_are_said_one_by_one(server: Server, terminal: Terminal) -> None:
    bob = server.rich("bob")
    enter(terminal)
    terminal.type("one\rtwo\rthree\rfou")
    for text in ("one", "two", "three"):
        assert bob.expect("said")["text"] == text
    terminal.type("r\r")
    assert bob.expect("said")["text"] == "four"


def test_keys_at_a_high_rate_are_kept_and_separate(server: Server, terminal: Terminal) -> None:
    bob = server.rich("bob")
    enter(terminal)
    lines = [f"line number {number}" for number in range(12)]
    for key in "".join(f"{line}\r" for line in lines):
        terminal.type(key)
        time.sleep(0.002)  # The test depends on the rate of the keys.
    assert [bob.expect("said")["text"] for _ in lines] == lines


def test_a_key_that_edits_takes_its_turn_among_those_that_write(server: Server, terminal: Terminal) -> None:
    bob = server.rich("bob")
    enter(terminal)
    terminal.type("hex\x7fllp\x7f\x7flo\x1b[D\x1b[D\x1b[D-\r")  # Backspace, and the left arrow.
    assert bob.expect("said")["text"] == "he-llo"
    terminal.type("\x1b[A!\r")
    assert bob.expect("said")["text"] == "he-llo!"


def test_the_highlight_of_the_commands_follows_the_keys(server: Server, terminal: Terminal) -> None:
    bob = server.rich("bob")
    enter(terminal)
    terminal.type("/\x1b[B\twaves\r")
    assert bob.expect("said", action=True)["text"] == "waves"


def test_what_is_typed_after_the_nickname_belongs_to_the_room(server: Server, terminal: Terminal) -> None:
    bob = server.rich("bob")
    terminal.type("kay\rhello\rsecond li")
    for nick, text in (("kay", "hello"), ("kay", "second line")):
        said = bob.expect("said")
        assert (said["nick"], said["text"]) == (nick, text)
        if text == "hello":
            terminal.type("ne\r")


def test_text_after_a_taken_nickname_waits(server: Server, terminal: Terminal) -> None:
    bob = server.rich("bob")
    terminal.type("bob\rhello\r")
    terminal.sees("bob2 is free")
    terminal.type("\r")
    said = bob.expect("said")
    assert (said["nick"], said["text"]) == ("bob2", "hello")


@pytest.fixture
def host() -> Iterator[Terminal]:
    """A host at the prompt."""
    opened = Terminal("--host", "--bind", "127.0.0.1:0")
    opened.sees("Your room is open")
    yield opened
    opened.close()


def test_text_after_a_hosts_nickname_is_sent(host: Terminal) -> None:
    host.type("kay\rhello\r")
    host.sees("Any key: to the room")
    host.type("\x1b")
    host.sees("kay  hello")


def test_text_typed_on_the_join_card_is_sent_whole(host: Terminal) -> None:
    host.type("kay\r")
    host.sees("Any key: to the room")
    host.type("hello\r")
    host.sees("kay  hello")


def test_what_is_typed_while_the_room_is_being_opened_is_kept(server: Server) -> None:
    bob = server.rich("bob")
    terminal = Terminal(f"{server.address[0]}:{server.address[1]}", "-n", "kay")
    try:
        terminal.sees("joining")
        terminal.type("hello\r")
        assert bob.expect("said")["text"] == "hello"
    finally:
        terminal.close()
