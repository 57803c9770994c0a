"""The keys of line mode and the console: a terminal input for prompt_toolkit that survives any bytes, and the bindings
that differ from prompt_toolkit's defaults.

prompt_toolkit's own parser splits unknown sequences into letters, waits forever for the end of a paste, and passes
invalid UTF-8 on as lone surrogates. So KeyboardInput uses the decoder of the full screen (`tui.terminal`), which
returns complete keys only.
"""

import asyncio
import math
import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from time import monotonic

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import CompletionState
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.filters import Condition
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys

from tui.line.formatting import Line, note
from tui.terminal.decoder import AltKey, ControlSequence, EscapeKey, InputDecoder, PastedText, Text, Token
from tui.terminal.keyboard import ALT, CTRL, KeyNormalizer

CONFIRM_TIMEOUT_S = 5.0
"""Time within which a second Ctrl-C confirms the first."""
MAX_INPUT_CHARACTERS = 10_000
"""Limit of the input line, which is redrawn at each key."""
READ_BYTES = 1024
"""Limit of one read. The event loop handles all keys of a read before any other event."""
IGNORED_KEYS = {
    "\x00": "Ctrl+Space begins a selection, after which the prompt does not show what is typed",
    "\x11": "Ctrl+Q takes the next key literally, also Ctrl-C",
    "\x13": "Ctrl+S begins a search, and may be left over from XON/XOFF",
    "\x18": "Ctrl+X waits for a second key, and can replay macros",
}
"""Keys that are ignored, each with the reason."""
_CONTROL_PUNCTUATION = {"[": "\x1b", "\\": "\x1c", "]": "\x1d", "^": "\x1e", "_": "\x1f", "/": "\x1f", " ": "\x00"}
_UNMODIFIED = re.compile(r"\x1b\[1?([A-HPQRS])")


class KeyboardInput(Vt100Input):
    """Keys from standard input, which is a terminal."""

    def __init__(self) -> None:
        super().__init__(sys.stdin)
        self._decoder = InputDecoder()
        self._keyboard = KeyNormalizer()
        self._is_closed = False
        self._expiry: asyncio.TimerHandle | None = None
        self._on_ready: Callable[[], None] = lambda: None

    @property
    def closed(self) -> bool:
        """Whether the terminal has been closed."""
        return self._is_closed

    def attach(self, input_ready_callback: Callable[[], None]) -> AbstractContextManager[None]:
        """Within the context, call the callback when `read_keys` has keys to return."""
        self._on_ready = input_ready_callback
        return super().attach(input_ready_callback)

    def read_keys(self) -> list[KeyPress]:
        """The keys that have arrived, and those that a timeout has completed."""
        data = self._read()
        now = monotonic()
        tokens = self._decoder.expire(now) if data is None else self._decoder.feed(data, now)
        self._plan_expiry(now)
        return [key for token in tokens for key in key_presses(token, self._keyboard)]

    def flush_keys(self) -> list[KeyPress]:
        """Returns no keys: `read_keys` returns those that a timeout completes."""
        return []

    def _read(self) -> bytes | None:
        """Read from the terminal. Returns None if there is no data, also at its end, which sets `closed`."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        try:
            if not poll.poll(0):
                return None
            data = os.read(self.fileno(), READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            data = b""
        self._is_closed = not data
        return data or None

    def _plan_expiry(self, now: float) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self._decoder.deadline is not None:
            delay = max(self._decoder.deadline - now, 0.0)
            self._expiry = asyncio.get_running_loop().call_later(delay, self._on_ready)


def key_presses(token: Token, keyboard: KeyNormalizer) -> Iterator[KeyPress]:
    """The key presses of a token; none for terminal replies, mouse reports and unused keys. Pure."""
    match token:
        case Text(text):
            for character in text:
                yield from _typed(character)
        case EscapeKey():
            yield KeyPress(Keys.Escape, "\x1b")
        case AltKey(character):
            yield KeyPress(Keys.Escape, "\x1b")
            yield from _typed(character)
        case PastedText(text):
            yield KeyPress(Keys.BracketedPaste, text)
        case ControlSequence(sequence):
            normal = keyboard.normalize(sequence)
            if normal is not None:
                normal = _UNMODIFIED.sub(_without_number, normal, 1)
                yield from _named(normal) if normal in ANSI_SEQUENCES else _kitty_key(normal)


def _without_number(match: re.Match[str]) -> str:
    """The legacy form of an arrow or a function key without modifiers."""
    return f"\x1b{'O' if match[1] in 'PQRS' else '['}{match[1]}"


def _typed(character: str) -> Iterator[KeyPress]:
    if character in IGNORED_KEYS:
        return
    if character in ANSI_SEQUENCES:
        yield from _named(character)
    else:
        yield KeyPress(character, character)


def _named(sequence: str) -> Iterator[KeyPress]:
    names = ANSI_SEQUENCES[sequence]
    for number, key in enumerate(names if isinstance(names, tuple) else (names,)):
        if key != Keys.Ignore:
            yield KeyPress(key, "" if number else sequence)


def _kitty_key(sequence: str) -> Iterator[KeyPress]:
    """A key as `KeyNormalizer` writes it: `CSI code ; modifiers ; text u`."""
    if not sequence.startswith("\x1b[") or not sequence.endswith("u"):
        return
    fields = sequence[2:-1].split(";")
    if not fields[0].isdecimal():
        return
    character = chr(int(fields[0]))
    bits = int(fields[1]) - 1 if len(fields) > 1 and fields[1].isdecimal() else 0
    if len(fields) > 2 and fields[2]:
        text = "".join(chr(int(code)) for code in fields[2].split(":") if code.isdecimal())
    elif bits & CTRL:
        text = _with_control(character)
    else:
        text = character if character in "\t\r\x1b\x7f" or (bits & ALT and character.isprintable()) else ""
    if text and bits & ALT:
        yield KeyPress(Keys.Escape, "\x1b")
    for one in text:
        yield from _typed(one)


def _with_control(character: str) -> str:
    if character in "\t\r\x1b\x7f":
        return character
    if character.isascii() and character.isalpha():
        return chr(ord(character.upper()) - 64)
    return _CONTROL_PUNCTUATION.get(character, "")


def make_bindings(show: Callable[[list[Line]], None], *, ends_room: bool) -> KeyBindings:
    """Make the bindings of a prompt. `show` prints above it. With `ends_room`, Ctrl-C needs a confirmation."""
    keys = KeyBindings()
    keys.add("tab")(_complete)
    _bind_interrupt(keys, show, ends_room=ends_room)
    _bind_limits(keys, show)
    for digit in "-0123456789":
        # By default, Alt with a digit repeats the next key, up to a million times.
        keys.add("escape", digit)(_ignore)
    return keys


def _ignore(event: KeyPressEvent) -> None:
    pass


def _complete(event: KeyPressEvent) -> None:
    """Complete synchronously, the most likely candidate first, so that keys typed after Tab are handled in order."""
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_next()
        return
    asked = CompleteEvent(completion_requested=True)
    found = list(buffer.completer.get_completions(buffer.document, asked))
    if len(found) == 1:
        buffer.apply_completion(found[0])
    elif found:
        buffer.complete_state = CompletionState(buffer.document, found)
        buffer.go_to_completion(0)


def _bind_interrupt(keys: KeyBindings, show: Callable[[list[Line]], None], *, ends_room: bool) -> None:
    asked_at = -math.inf

    @keys.add("c-c")
    def interrupt(event: KeyPressEvent) -> None:
        nonlocal asked_at
        if event.current_buffer.text:
            event.current_buffer.reset()
        elif not ends_room or monotonic() < asked_at + CONFIRM_TIMEOUT_S:
            event.app.exit(exception=KeyboardInterrupt())
        else:
            asked_at = monotonic()
            show([note(f"Ctrl-C again within {CONFIRM_TIMEOUT_S:g} seconds ends the room for everybody")])


def _bind_limits(keys: KeyBindings, show: Callable[[list[Line]], None]) -> None:
    @Condition
    def is_full() -> bool:
        return len(get_app().current_buffer.text) >= MAX_INPUT_CHARACTERS

    keys.add(Keys.Any, filter=is_full)(_ignore)

    @keys.add(Keys.BracketedPaste)
    def paste(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        if len(event.current_buffer.text) + len(text) > MAX_INPUT_CHARACTERS:
            count = f"{len(text):,} characters"
            show([note(f"The paste of {count} was left out: {MAX_INPUT_CHARACTERS:,} is the most.")])
        else:
            event.current_buffer.insert_text(text)
