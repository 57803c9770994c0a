"""PasteScreen: asks before a long paste goes into the input line."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

SHOWN = 6
"""Lines of the paste that are shown."""


class PasteScreen(ModalScreen[bool]):
    """Dismissed with whether to paste."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "Paste"),
        Binding("escape", "dismiss(False)", "Do not"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._lines = text.split("\n")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            count, size = len(self._lines), sum(map(len, self._lines))
            yield Static(Content.styled(f"Paste {count:,} lines, {size:,} characters?", "bold"))
            more = [f"… and {count - SHOWN:,} more"] if count > SHOWN else []
            shown = [line[:200] for line in self._lines[:SHOWN]] + more
            yield Static(Content.styled("\n".join(shown), "$quiet"), id="pasted")
            yield Static(Content.assemble(("Enter", "bold"), " pastes   ", ("Esc", "bold"), " does not"))
