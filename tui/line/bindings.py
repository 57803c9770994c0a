"""Key bindings of line mode and the console that differ from prompt_toolkit's defaults."""

import math
from collections.abc import Callable
from time import monotonic

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import CompletionState
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from tui.line.formatting import Line, note

CONFIRM_TIMEOUT_S = 5.0
"""Time within which a second Ctrl-C confirms the first."""
MAX_INPUT_CHARACTERS = 10_000
"""Limit of the input line, which is redrawn at each key."""


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
