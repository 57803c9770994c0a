"""SearchBar: the text to search for in the pane, and the number of the current match."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static


class SearchBar(Horizontal):
    """`open` shows it. It posts the searches, and does not know the pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("up,enter", "step(-1)", "Older", show=False, priority=True),
        Binding("down", "step(1)", "Newer", show=False, priority=True),
    ]

    class TextChanged(Message):
        """Search for `text`; empty for nothing."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Stepped(Message):
        """Go to the next older (-1) or newer (1) match."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Closed(Message):
        """The search is over."""

    def compose(self) -> ComposeResult:
        yield Static(Content("find "), id="find-label")
        yield Input(id="find", compact=True, select_on_focus=False)
        yield Static(id="matches", markup=False)
        yield Static(Content.styled("   ↑ older  ↓ newer  esc", "$quiet"), id="search-keys")

    def on_mount(self) -> None:
        self.display = False
        self.query_one(Input).cursor_blink = False

    def open(self, text: str = "") -> None:
        """Show the bar, and search for `text`."""
        field = self.query_one(Input)
        self.display = True
        if text:
            field.value = text
        self.screen.set_focus(field)

    def tell(self, position: int, matches: int) -> None:
        """Show the number of the current match, from 1 for the oldest, and the number of matches."""
        found = f"{position:,} of {matches:,}" if matches else "no match"
        self.query_one("#matches", Static).update(Content(found if self.query_one(Input).value else ""))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.TextChanged(event.value))

    def action_step(self, by: int) -> None:
        self.post_message(self.Stepped(by))

    def action_close(self) -> None:
        self.display = False
        self.query_one(Input).value = ""
        self.post_message(self.Closed())
