"""Keys that edit take their turn among the keys that write.

Textual carries out a binding only once its key has bubbled up to the app. By then the letters typed behind it may stand
in the field: a quick backspace would take the wrong one.
"""

from textual import events
from textual.widget import Widget

EDITING = frozenset({"enter", "backspace", "ctrl+j", "tab"})
"""Keys beside the printable ones that somebody who writes ahead may press."""


def writes(event: events.Event) -> bool:
    """Whether the event belongs to a text being written."""
    if isinstance(event, events.Key):
        return event.is_printable or event.key in EDITING
    return isinstance(event, events.Paste)


class Held:
    """Keys and pastes that are held back while nothing on the screen can take them."""

    def __init__(self) -> None:
        self._events: list[events.Event] | None = None

    def hold(self) -> None:
        """Begin to hold back."""
        self._events = []

    def takes(self, event: events.Event) -> bool:
        """Whether the event is held back now."""
        if self._events is None or not writes(event):
            return False
        self._events.append(event)
        return True

    def release(self) -> list[events.Event]:
        """Hold back no more; returns what was, in order."""
        held, self._events = self._events, None
        return held or []


async def carry_out(widget: Widget, event: events.Key) -> bool:
    """Do now what the widget binds the key to. Returns whether it binds it to anything."""
    bindings = widget._bindings.key_to_bindings.get(event.key, [])
    for binding in bindings:
        event.stop()
        event.prevent_default()
        if await widget.app.run_action(binding.action, widget):
            return True
    return bool(bindings)
