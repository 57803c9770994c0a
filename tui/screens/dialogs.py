"""The dialogs: a host leaves, a long paste, the actions of an operator for one person."""

from math import ceil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from protocol.messages import Limits
from tui.commands.parse import check_length

MAX_SHOWN_LINES = 6
"""Lines of the paste that are shown."""
NAME = ""
"""The choice that writes the nickname into the input line."""


class LeaveScreen(ModalScreen[bool]):
    """Asks a host before the room ends for all its members. Dismissed with whether to end it."""

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


class PasteScreen(ModalScreen[bool]):
    """Asks before a long paste is put into the input line. Dismissed with whether to paste."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "Paste"),
        Binding("escape", "dismiss(False)", "Do not"),
    ]

    def __init__(self, text: str, limits: Limits, slow: float) -> None:
        """`slow` is the room's slow mode, in seconds between two messages; 0 is none."""
        super().__init__()
        self._lines = text.split("\n")
        self._advice = paste_advice(text, limits, slow)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            count, size = len(self._lines), sum(map(len, self._lines))
            yield Static(Content.styled(f"Paste {count:,} lines, {size:,} characters?", "bold"))
            yield Static(Content(self._advice), id="paste-advice")
            more = [f"… and {count - MAX_SHOWN_LINES:,} more"] if count > MAX_SHOWN_LINES else []
            shown = [line[:200] for line in self._lines[:MAX_SHOWN_LINES]] + more
            yield Static(Content.styled("\n".join(shown), "$quiet"), id="pasted")
            yield Static(Content.assemble(("Enter", "bold"), " pastes   ", ("Esc", "bold"), " does not"))


def paste_advice(text: str, limits: Limits, slow: float) -> str:
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


def person_choices(nick: str, model: str) -> list[tuple[str, str]]:
    """The actions for `nick`: a description and a command each."""
    found = [
        ("Name them in your line", NAME),
        ("Mute: nobody hears them", f"/mute @{nick}"),
        ("Unmute", f"/unmute @{nick}"),
        ("Kick: they may come back", f"/kick @{nick}"),
        ("Ban for 10 minutes", f"/ban @{nick} 10"),
        ("Ban for an hour", f"/ban @{nick} 60"),
        ("Make them an operator", f"/op @{nick}"),
        ("Let them be no operator any more", f"/deop @{nick}"),
        ("Chaos: an exception in their session", f"/chaos raise @{nick}"),
        ("Chaos: block them for 300 ms", f"/chaos block @{nick} 300ms"),
    ]
    if model == "process":
        found.append(("Chaos: kill their worker", f"/chaos kill-worker @{nick}"))
    return found


class PersonScreen(ModalScreen[str]):
    """Offers the actions for one person. Dismissed with the chosen command or NAME, or with None if it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(self, nick: str, model: str) -> None:
        super().__init__()
        self._nick = nick
        self._choices = person_choices(nick, model)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="person"):
            yield Static(Content.styled(self._nick, "bold"))
            yield OptionList(*(Option(Content(words)) for words, _ in self._choices), compact=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][1])
