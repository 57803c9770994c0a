"""LeaveScreen: asks the host before the room ends for all its members."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class LeaveScreen(ModalScreen[bool]):
    """Dismissed with whether to end the room."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "End the room"),
        Binding("escape", "dismiss(False)", "Stay"),
    ]

    def __init__(self, others: int) -> None:
        super().__init__()
        self._others = others

    def compose(self) -> ComposeResult:
        who = "one other is" if self._others == 1 else f"{self._others:,} others are"
        with Vertical(classes="dialog"):
            yield Static(Content.styled("End the room?", "bold"))
            yield Static(Content(f"It is yours, and {who} in it. It ends when you leave, and they are told."))
            yield Static(Content.assemble(("Enter", "bold"), " ends it   ", ("Esc", "bold"), " stays"))
