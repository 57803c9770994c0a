"""The keys: the footer that names them, and the order in which they are handled.

Textual runs a binding only once its key has bubbled up to the app. A widget that runs its bindings immediately keeps
the keys that it is sent in order, without a round through all message queues for each of them.
"""

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer, Input, TextArea
from textual.widgets._footer import FooterKey


class Keys(Footer):
    """The footer with the most important keys. Help and the palette lead to everything else. A short line shows fewer
    keys, so that the state of the room stays readable; a narrow screen shows none. Keys that are left out first have
    the class `-more`; Ctrl-C, which every terminal has, has `-most`."""

    def __init__(self) -> None:
        super().__init__(compact=True)

    def compose(self) -> ComposeResult:
        for key in super().compose():
            if isinstance(key, FooterKey):
                key.set_class(key.action == "interrupt", "-most")
                is_first = key.action in ("help", "interrupt") or key.has_class("-command-palette")
                key.set_class(not is_first, "-more")
            yield key


class ImmediateEditor:
    """A text field that handles each key fully before it takes the next one."""

    def is_editing_key(self, key: str) -> bool:
        """Whether the key changes the text or the cursor, and nothing outside the field."""
        raise NotImplementedError


def keeps_focus(event: events.Event, focused: Widget | None) -> bool:
    """Whether the event leaves the focus where it is and reaches the same widget wherever the focus moves: it edits the
    text field that has the focus, or it is a move or a wheel turn of the mouse."""
    if isinstance(event, events.Key):
        if focused is None or event.is_printable:
            return isinstance(focused, Input | TextArea)
        return isinstance(focused, ImmediateEditor) and focused.is_editing_key(event.key)
    return isinstance(event, events.MouseMove | events.MouseScrollUp | events.MouseScrollDown)


def is_bound_in_place(widget: Widget, key: str) -> bool:
    """Whether the key runs an action of the widget itself, and no screen or app takes the key first."""
    actions = [binding.action for binding in widget._bindings.key_to_bindings.get(key, ())]
    if not actions or any("." in action for action in actions):
        return False
    return not any(
        binding.priority for node in widget.ancestors for binding in node._bindings.key_to_bindings.get(key, ())
    )


async def run_binding_now(widget: Widget, event: events.Key) -> bool:
    """Run the widget's own binding of the key. Returns whether the widget binds the key."""
    bindings = widget._bindings.key_to_bindings.get(event.key, [])
    for binding in bindings:
        event.stop()
        event.prevent_default()
        if await widget.app.run_action(binding.action, widget):
            return True
    return bool(bindings)
