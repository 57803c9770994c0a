"""Keys that edit take their turn among the keys that write.

Textual carries out a binding only once its key has bubbled up to the app. A widget that carries it out at once needs no
round through all message queues for each key.
"""

from textual import events
from textual.widget import Widget
from textual.widgets import Input, TextArea


def only_writes(event: events.Event, focused: Widget | None) -> bool:
    """Whether the event writes into the widget that has the focus, and does nothing else; or is of the mouse, which
    moves on or turns its wheel."""
    if isinstance(event, events.Key):
        return event.is_printable and isinstance(focused, Input | TextArea)
    return isinstance(event, events.MouseMove | events.MouseScrollUp | events.MouseScrollDown)


async def carry_out(widget: Widget, event: events.Key) -> bool:
    """Do now what the widget binds the key to. Returns whether it binds it to anything."""
    bindings = widget._bindings.key_to_bindings.get(event.key, [])
    for binding in bindings:
        event.stop()
        event.prevent_default()
        if await widget.app.run_action(binding.action, widget):
            return True
    return bool(bindings)
