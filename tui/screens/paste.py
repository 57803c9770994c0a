"""PasteScreen: asks before a long paste is put into the input line, and shows how many messages it needs."""

from math import ceil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from protocol.messages import Limits
from tui.commands.length_check import check_length

SHOWN = 6
"""Lines of the paste that are shown."""


class PasteScreen(ModalScreen[bool]):
    """Dismissed with whether to paste."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "Paste"),
        Binding("escape", "dismiss(False)", "Do not"),
    ]

    def __init__(self, text: str, limits: Limits, slow: float) -> None:
        """`slow` is the room's slow mode, in seconds between two messages; 0 is none."""
        super().__init__()
        self._lines = text.split("\n")
        self._advice = advice(text, limits, slow)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            count, size = len(self._lines), sum(map(len, self._lines))
            yield Static(Content.styled(f"Paste {count:,} lines, {size:,} characters?", "bold"))
            yield Static(Content(self._advice), id="paste-advice")
            more = [f"… and {count - SHOWN:,} more"] if count > SHOWN else []
            shown = [line[:200] for line in self._lines[:SHOWN]] + more
            yield Static(Content.styled("\n".join(shown), "$quiet"), id="pasted")
            yield Static(Content.assemble(("Enter", "bold"), " pastes   ", ("Esc", "bold"), " does not"))


def advice(text: str, limits: Limits, slow: float) -> str:
    """A sentence with the limits of a message, the messages that `text` needs, and the seconds to send them. Pure."""
    most = f"{limits.lines:,} lines and {limits.text:,} characters"
    told = check_length(text, limits)
    pace = f"; slow mode takes one every {slow:g} s" if slow else ""
    if not told.is_too_long:
        return f"It is one message{pace or ', said at once'}. One holds at most {most}."
    sizes = (text.count("\n") + 1) / limits.lines, len(text) / limits.text, told.used / told.allowed
    count = ceil(max(sizes))
    wait = (count - 1) * slow if slow else max(0, count - limits.burst) / limits.rate if limits.rate else 0.0
    pace = pace or (f", at {limits.rate:g} a second after the first {limits.burst}" if wait else "")
    time = f"about {ceil(wait):,} s" if wait else "no wait"
    return f"Too long for one message, which holds at most {most}: {count:,} messages{pace}, {time}."
