"""Keys that are typed faster than screens open and close: each does the same as when it is typed slowly."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pace import is_within
from tests.running import PlainPeer, wait_until
from tests.tui.conftest import Open, StartServer
from tests.tui.pseudo_terminal import Terminal

ESC, F1, F2, F3, F4, F5 = "\x1b", "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~"
UP, DOWN, LEFT, END = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[F"
CTRL_C, CTRL_F, CTRL_P, CTRL_Q, CTRL_R, CTRL_U = "\x03", "\x06", "\x10", "\x11", "\x12", "\x15"
LONG_PASTE = "\x1b[200~" + "\n".join("abcdefghijklmnop") + "\x1b[201~"
SLOW_S = 0.12
"""Longer than an ESC byte waits for the rest of a sequence."""
LEAVE_WITHIN_S = 1.5
ATTEMPTS = 3

BURSTS = {
    "person-menu": ([F3, "\r", ESC, "/kick x"], "/kick x"),
    "person-chosen": ([F3, "\r", "\r", "hello"], "@ada hello"),
    "roster-letter": ([F3, DOWN, "hello"], "hello"),
    "roster-twice": ([F3, F3, "hello"], "hello"),
    "roster-paste": ([F3, "\x1b[200~pasted\x1b[201~", "hello"], "pastedhello"),
    "help-escape": ([F1, ESC, "hello"], "hello"),
    "help-q": (["one ", F1, "q", "two"], "one two"),
    "help-command": (["/help", "\r", ESC, "hello"], "hello"),
    "search": ([CTRL_F, "joined", UP, ESC, "hello"], "hello"),
    "search-edited": ([CTRL_F, "joind", "\x7f", "ed", UP, ESC, "hello"], "hello"),
    "find-command": (["/find ada", "\r", DOWN, ESC, "hello"], "hello"),
    "palette-escape": ([CTRL_P, "th", ESC, "hello"], "hello"),
    "palette-help": ([CTRL_P, "help", "\r", ESC, "hello"], "hello"),
    "palette-line": ([CTRL_P, "/pin", "\r", "hello"], "/pin hello"),
    "stage": ([F5, ESC, "hello"], "hello"),
    "stage-ignores": ([F5, "x", F5, "hello"], "hello"),
    "card": ([F4, "hello"], "hello"),
    "card-escape": ([F4, ESC, "hello"], "hello"),
    "card-paste": ([F4, "\x1b[200~pasted\x1b[201~", "hello"], "pastedhello"),
    "meter": (["one", F2, " two", F2], "one two"),
    "leave-dialog": ([CTRL_Q, ESC, "hello"], "hello"),
    "cleared": (["hello", CTRL_C, "world"], "world"),
    "again": (["one", CTRL_R, " two"], "one two"),
    "edited": (["hexllo", LEFT, LEFT, LEFT, "\x7f", "-", END], "he-llo"),
    "edited-between": (["ab", LEFT, F3, F3, "\x7f", F1, "q", "cd", LEFT, "\x7f", END], "db"),
    "edited-often": (["ab\x7f" * 300, F3, F3, "\x7f" * 299, LEFT, F1, "q", "b", END], "ba"),
    "said": (["/times", "\r", "/times", "\r", "hello"], "hello"),
    "command-list": (["/kic", "\t", "ada", " now"], "/kick ada now"),
    "all-of-it": ([F3, "\r", ESC, ESC, F1, ESC, CTRL_F, "a", ESC, F5, "\r", F4, "x", CTRL_P, ESC, "hello"], "xhello"),
}
"""Keys, and the line that they leave."""


class Host:
    """The host of a room with two in it, at the full screen."""

    def __init__(self) -> None:
        self.terminal = Terminal("--host", "--bind", "127.0.0.1:0", "-n", "ada")
        self.terminal.sees("Any key: to the room")
        self.terminal.type(ESC)
        self.terminal.sees("join: chat-tui")
        port = re.search(r"127\.0\.0\.1:(\d+)", self.terminal.text)
        assert port is not None
        self.bob = PlainPeer(("127.0.0.1", int(port[1])))
        self.bob.send(b"bob\n")
        self.terminal.sees("2 here")

    def close(self) -> None:
        self.bob.close()
        self.terminal.close()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    opened = Host()
    yield opened
    opened.close()


@pytest.mark.parametrize("name", BURSTS)
def test_burst_in_one_write_leaves_the_line(host: Host, name: str) -> None:
    keys, line = BURSTS[name]
    host.terminal.type("".join([*keys, "|"]))
    assert_line(host, f"{line}|")


@pytest.mark.parametrize("name", ["person-menu", "search-edited", "palette-line", "card", "all-of-it"])
def test_burst_byte_by_byte_leaves_the_line(host: Host, name: str) -> None:
    keys, line = BURSTS[name]
    for key in [*keys, "|"]:
        for byte in key.encode():
            host.terminal.send(bytes([byte]))
            time.sleep(0.001)  # How fast bytes come is what is tested.
        if key == ESC:
            time.sleep(SLOW_S)
    assert_line(host, f"{line}|")


def assert_line(host: Host, line: str) -> None:
    wait_until(lambda: line_of(host) == line, f"the line to be {line!r}")
    host.terminal.type(CTRL_U)
    wait_until(lambda: line_of(host) == "write a line", "the line to be empty")


def line_of(host: Host) -> str:
    """The line being written, or its last row."""
    return "\n".join(row.strip().removeprefix("❯ ") for row in host.terminal.rows[-2:-1])


@pytest.mark.parametrize(("key", "pasted"), [("\r", True), (ESC, False)])
def test_key_behind_a_long_paste_answers_the_question(host: Host, key: str, pasted: bool) -> None:
    host.terminal.type(f"{LONG_PASTE}{key}|")
    assert_line(host, "p|" if pasted else "|")


def test_ctrl_q_behind_thousands_of_edits_is_obeyed(
    start_server: StartServer, tmp_path: Path, open_terminal: Open
) -> None:
    """It overtakes the keys that are not handled yet."""
    address = f"127.0.0.1:{start_server().address[1]}"
    for _ in range(ATTEMPTS):
        terminal = open_terminal(address, "-n", "ada", environment={"XDG_CONFIG_HOME": str(tmp_path)})
        terminal.sees("event loop")
        terminal.type("a\x7f" * 5_000 + CTRL_Q)
        began = time.monotonic()
        assert terminal.exit_code() == 0
        took = time.monotonic() - began
        if is_within(took, LEAVE_WITHIN_S):
            return
    raise AssertionError(f"it took {took:.2f} s to leave")


def test_keys_typed_while_the_app_starts_are_kept(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    bob = server.plain("bob")
    terminal = Terminal(
        f"127.0.0.1:{server.address[1]}", environment={"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    )
    try:
        terminal.type("kay\rhello\r/me waves\rhalf")
        bob.expect("kay: hello")
        bob.expect("* kay waves")
        terminal.sees("❯ half ")
    finally:
        terminal.close()
