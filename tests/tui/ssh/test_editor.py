"""The input line of a guest, drawn on an emulated terminal."""

import random
from collections.abc import Callable
from types import SimpleNamespace

import pyte
import pytest

from tui.commands.completion import Completion
from tui.ssh.editor import MAX_INPUT_CHARACTERS, LineEditor


class Terminal:
    """An editor on a terminal. It keeps the lines and whether the guest has left."""

    def __init__(self, columns: int = 40, complete: Callable[[str, int], list[Completion]] = lambda *at: []) -> None:
        self.lines: list[str] = []
        self.left = 0
        self.output = ""
        self._screen = pyte.Screen(columns or 80, 12)
        self._stream = pyte.Stream(self._screen)
        channel = SimpleNamespace(write=self._draw)
        self.editor = LineEditor(
            channel,  # type: ignore[arg-type]  # only `write` is used
            columns,
            on_line=self.lines.append,
            on_end=self._leave,
            on_leave=self._leave,
            complete=complete,
        )

    def _draw(self, text: str) -> None:
        self.output += text
        self._stream.feed(text)

    def _leave(self) -> None:
        self.left += 1

    def type(self, keys: str) -> None:
        self.editor.feed(keys)

    def resize(self, columns: int) -> None:
        self._screen.resize(columns=columns or 80)
        self.editor.resize(columns)

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self._screen.display if row.strip()]

    @property
    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.x, self._screen.cursor.y


def test_printed_lines_go_above_the_half_typed_one() -> None:
    terminal = Terminal()
    terminal.type("half")
    terminal.editor.write("bob: hello\n")
    assert terminal.rows == ["bob: hello", "half"]
    assert terminal.cursor == (4, 1)
    terminal.type("-typed")
    terminal.editor.write("bob: again\n")
    assert terminal.rows == ["bob: hello", "bob: again", "half-typed"]
    terminal.type("\r")
    assert terminal.lines == ["half-typed"]


def test_cursor_inside_a_wrapped_line_stays_where_it_is() -> None:
    terminal = Terminal(columns=20)
    terminal.type("abcdefghij" * 4 + "\x02" * 15)
    terminal.editor.write("bob: hello\n")
    assert terminal.rows == ["bob: hello", "abcdefghijabcdefghij", "abcdefghijabcdefghij"]
    assert terminal.cursor == (5, 2)
    terminal.type("X\r")
    assert terminal.lines == ["abcdefghij" * 2 + "abcdeXfghijabcdefghij"]


def test_typed_line_gives_way_to_the_answer() -> None:
    terminal = Terminal()
    terminal.type("hello\r")
    assert terminal.rows == ["hello"]
    terminal.editor.write("\x1b[1mada\x1b[m: hello\n")
    assert terminal.rows == ["ada: hello"]


def test_next_line_replaces_one_without_an_answer() -> None:
    terminal = Terminal()
    terminal.type("hello\r")
    terminal.type("n")
    assert terminal.rows == ["n"]


def test_arrows_show_the_lines_typed_before() -> None:
    terminal = Terminal()
    terminal.type("one\rtwo\r")
    terminal.type("\x1b[A\x1b[A")
    assert terminal.rows == ["one"]
    terminal.type("\x1b[B\r")
    assert terminal.lines == ["one", "two", "two"]


def test_ctrl_c_clears_and_then_leaves() -> None:
    terminal = Terminal()
    terminal.type("half\x03")
    assert (terminal.rows, terminal.left) == ([], 0)
    terminal.type("\x03")
    assert terminal.left == 1


def test_ctrl_d_deletes_and_then_leaves() -> None:
    terminal = Terminal()
    terminal.type("ab\x01\x04\x04")
    assert (terminal.rows, terminal.left) == ([], 0)
    terminal.type("\x04")
    assert terminal.left == 1


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("one two\x17", "one "),
        ("one two  \x17", "one "),
        ("one\x17", ""),
        ("\x17", ""),
        ("one two\x02\x17", "one o"),
        ("one two\x17\x17\x17", ""),
    ],
)
def test_ctrl_w_deletes_a_word(typed: str, left: str) -> None:
    terminal = Terminal()
    terminal.type(typed + "\r")
    assert terminal.lines == [left]


def ada_or_adam(line: str, cursor: int) -> list[Completion]:
    start = line.rfind(" ", 0, cursor) + 1
    return [Completion(start, nick) for nick in ("ada ", "adam ") if nick.startswith(line[start:cursor])]


def test_tab_takes_the_likeliest_and_again_the_next() -> None:
    terminal = Terminal(complete=ada_or_adam)
    terminal.type("hi a\t")
    assert terminal.rows == ["hi ada"]
    terminal.type("\t")
    assert terminal.rows == ["hi adam"]
    terminal.type("\t")
    assert terminal.rows == ["hi ada"]
    terminal.type("x\r")
    assert terminal.lines == ["hi ada x"]


def test_tab_inside_a_line_keeps_the_rest() -> None:
    terminal = Terminal(complete=ada_or_adam)
    terminal.type("a!\x02\t\t\r")
    assert terminal.lines == ["adam !"]


def test_tab_after_another_key_begins_anew() -> None:
    terminal = Terminal(complete=ada_or_adam)
    terminal.type("a\t\x15")
    terminal.type("ada\t\r")
    assert terminal.lines == ["ada "]


def test_tab_without_a_completion_rings() -> None:
    terminal = Terminal(complete=ada_or_adam)
    terminal.type("x\t")
    assert terminal.output.endswith("\a")
    assert terminal.rows == ["x"]


def test_width_that_changes_is_followed() -> None:
    terminal = Terminal(columns=40)
    terminal.type("abcdefghij" * 3)
    terminal.resize(20)
    terminal.editor.write("bob: hello\n")
    terminal.type("\r")
    assert terminal.lines == ["abcdefghij" * 3]
    assert "bob: hello" in terminal.rows


def test_unknown_width_is_eighty() -> None:
    terminal = Terminal(columns=0)
    terminal.type("x" * 100)
    terminal.editor.write("bob: hello\n")
    assert terminal.rows == ["bob: hello", "x" * 80, "x" * 20]
    terminal.resize(0)
    terminal.type("\r")
    assert terminal.lines == ["x" * 100]


def test_paste_without_an_end_is_cut() -> None:
    terminal = Terminal()
    for _ in range(100):
        terminal.type("x" * 10_000)
    terminal.type("\r")
    assert terminal.lines == ["x" * MAX_INPUT_CHARACTERS]
    assert "\a" in terminal.output


def test_clear_leaves_the_terminal_at_the_start_of_a_row() -> None:
    for keys in ("half-typed", "said\r", "x" * 100, ""):
        terminal = Terminal()
        terminal.editor.write("bob: hello\n")
        terminal.type(keys)
        terminal.editor.clear()
        assert terminal.rows == ["bob: hello"]
        assert terminal.cursor == (0, 1)


def test_no_keys_break_the_editor() -> None:
    """Random keys, among them cut escape sequences and wide characters."""
    chosen = random.Random(1)
    keys = [
        *"abc \r\n\t\x7f\x08",
        *map(chr, range(32)),
        "\x1b[A",
        "\x1b[",
        "\x1bO",
        "\x1b[3~",
        "李",
        "\U0001f600",
        "\u0301",
    ]
    for _ in range(20):
        terminal = Terminal(columns=chosen.choice([1, 2, 3, 10, 80]), complete=ada_or_adam)
        for _ in range(60):
            terminal.type("".join(chosen.choices(keys, k=chosen.randrange(8))))
            terminal.editor.write(f"bob: {chosen.random()}\n")
            if chosen.random() < 0.1:
                terminal.editor.resize(chosen.choice([0, 1, 2, 80, 500]))
        assert all("\n" not in line and "\r" not in line for line in terminal.lines)
