"""PersonScreen: a list of the actions that an operator can apply to one person."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

NAME = ""
"""The choice that writes the nickname into the input line."""


def choices(nick: str, model: str) -> list[tuple[str, str]]:
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
    """Dismissed with the chosen command or NAME, or with None if it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(self, nick: str, model: str) -> None:
        super().__init__()
        self._nick = nick
        self._choices = choices(nick, model)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="person"):
            yield Static(Content.styled(self._nick, "bold"))
            yield OptionList(*(Option(Content(words)) for words, _ in self._choices), compact=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][1])
