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


async def carry_out(widget: Widget, event: events.Key) -> bool:
    """Do now what the widget binds the key to. Returns whether it binds it to anything."""
    bindings = widget._bindings.key_to_bindings.get(event.key, [])
    for binding in bindings:
        event.stop()
        event.prevent_default()
        if await widget.app.run_action(binding.action, widget):
            return True
    return bool(bindings)
