"""LineEditor: the input line of a guest with a terminal, edited by asyncssh's line editor.

The room's lines are printed above the input line, which stays as it is. After Enter, the typed line stays too until
something is printed: it then gives way to the room's answer.
"""

from collections.abc import Callable

import asyncssh
from asyncssh.editor import SSHLineEditor

from tui.commands.completion import Completion

MAX_INPUT_CHARACTERS = 4096
"""A longer paste is cut, and the terminal's bell rings."""
HISTORY_LINES = 100
TERMINAL = "xterm"
"""asyncssh's editor lets long lines wrap on terminals of a fixed list of names, which lacks tmux and newer ones. All
terminals that draw anything move the cursor in the same way."""

Complete = Callable[[str, int], list[Completion]]
"""From a line and the position of the cursor to completions, the likeliest first."""
INTERRUPT = "INT"
KEYS = [
    ("Enter", "say the line"),
    ("Tab", "complete a nickname or a command; again for the next"),
    ("Up, Down", "lines typed before"),
    ("Ctrl-A, Ctrl-E", "to the start of the line; to its end"),
    ("Ctrl-U, Ctrl-W", "delete the line; a word"),
    ("Ctrl-R", "draw the line again"),
    ("Ctrl-C", "clear the line; on an empty line: leave"),
    ("Ctrl-D", "on an empty line: leave"),
]
"""The keys and their descriptions, for `/help`."""


class LineEditor:
    """An input line. Feed it the keys; all output to the terminal goes through `write`."""

    def __init__(
        self,
        channel: "asyncssh.SSHServerChannel[str]",
        columns: int,
        *,
        on_line: Callable[[str], None],
        on_end: Callable[[], None],
        on_leave: Callable[[], None],
        complete: Complete,
    ) -> None:
        """`on_line` gets each typed line. On an empty line, Ctrl-D calls `on_end`, and Ctrl-C `on_leave`."""
        callbacks = _Callbacks(on_line, on_end, on_leave)
        self._editor = SSHLineEditor(channel, callbacks, False, HISTORY_LINES, MAX_INPUT_CHARACTERS, TERMINAL, columns)
        self._completer = _Completer(complete)
        self._editor.register_key("\t", self._completer.on_tab)
        self._editor.register_key("\x03", _clear_or_leave)
        self._editor.register_key("\x17", _delete_word)

    def feed(self, keys: str) -> None:
        """Keys have been typed."""
        self._editor.process_input(keys, None)

    def write(self, text: str) -> None:
        """Print whole lines above the input line."""
        self._editor.process_output(text)

    def clear(self) -> None:
        """Take the input line off the terminal."""
        self._editor.set_input("", 0)
        self._editor.process_output("")

    def resize(self, columns: int) -> None:
        """The terminal has this width now; 0 if it is unknown."""
        self._editor.set_width(columns)


class _Callbacks(asyncssh.SSHServerSession[str]):
    """Receives what the editor would tell a session."""

    def __init__(
        self, on_line: Callable[[str], None], on_end: Callable[[], None], on_leave: Callable[[], None]
    ) -> None:
        self._on_line = on_line
        self._on_end = on_end
        self._on_leave = on_leave

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        self._on_line(data.removesuffix("\n"))

    def soft_eof_received(self) -> None:
        self._on_end()

    def signal_received(self, signal: str) -> None:
        self._on_leave()


class _Completer:
    """Tab completes with the likeliest candidate; again, with the next."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete
        self._before = ("", 0)
        self._found: list[Completion] = []
        self._next = 0
        self._shown: tuple[str, int] | None = None

    def on_tab(self, line: str, cursor: int) -> tuple[str, int] | bool:
        if self._shown != (line, cursor):
            self._before, self._found, self._next = (line, cursor), self._complete(line, cursor), 0
        if not self._found:
            self._shown = None
            return False
        one = self._found[self._next % len(self._found)]
        self._next += 1
        typed, end = self._before
        start = typed[: one.start] + one.text
        self._shown = (start + typed[end:], len(start))
        return self._shown


def _clear_or_leave(line: str, cursor: int) -> tuple[str, int]:
    """Ctrl-C: a position below 0 is a signal to the session."""
    return ("", 0) if line else (INTERRUPT, -1)


def _delete_word(line: str, cursor: int) -> tuple[str, int]:
    """Ctrl-W: delete the word before the cursor."""
    words = line[:cursor].rstrip()
    left = words[: max(words.rfind(" "), -1) + 1]
    return left + line[cursor:], len(left)
