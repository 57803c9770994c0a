"""Ctrl-C for whoever would end a room with it, and not only leave: asked once more, as it is many people's."""

import math
from collections.abc import Callable
from time import monotonic

from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from tui.line.words import Line, note

MEANT = 5.0
"""Seconds in which a second Ctrl-C means it."""


def ask_first(keys: KeyBindings, show: Callable[[list[Line]], None]) -> None:
    """Have Ctrl-C give up a line that was begun, as in a shell; on an empty line, `show` that a second one ends the
    room. That one raises KeyboardInterrupt from the prompt."""
    asked = -math.inf

    @keys.add("c-c")
    def interrupt(event: KeyPressEvent) -> None:
        nonlocal asked
        if event.current_buffer.text:
            event.current_buffer.reset()
        elif monotonic() < asked + MEANT:
            event.app.exit(exception=KeyboardInterrupt())
        else:
            asked = monotonic()
            show([note(f"Ctrl-C again within {MEANT:g} seconds ends the room for everybody")])
