"""HelpScreen: the keys and the commands."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands.parse import available_commands

PEOPLE = "who is here: Enter puts a nickname into your line"
HOST_PEOPLE = "who is here: Enter tells what you can do about them"
KEYS = (
    ("Enter", "say it"),
    ("Ctrl+J", "a new line"),
    ("↑  ↓", "walk through what you said"),
    ("Tab", "complete a nickname or a command"),
    ("PgUp  PgDn", "scroll; Ctrl+Home and Ctrl+End go all the way"),
    ("Ctrl+U", "empty your line; ↑ brings it back"),
    ("Esc", "back to the newest line"),
    ("Ctrl+F", "search what was said"),
    ("F3", PEOPLE),
    ("F4", "the join card: how others get in"),
    ("Ctrl+R", "do not wait for the next attempt to connect"),
    ("Ctrl+P", "everything there is, by name"),
    ("Ctrl+C", "copy what is selected, else clear your line, else leave"),
    ("Ctrl+Q", "leave"),
    ("Ctrl+Z", "suspend; fg comes back"),
    ("Ctrl+L", "draw the screen anew"),
)
HOST_KEYS = (
    ("F2", "the meter: what the room does and costs, model beside model"),
    ("F5", "the stage, for the projector"),
    ("F9", "panic: lock the room and ask for quiet, or lift both"),
    ("F6  F7  F8", "run the room by process, thread, event"),
    ("Ctrl+T", "run the room by the next model"),
)
HOSTING_KEYS = {
    "Ctrl+C": "copy what is selected, else clear your line, else leave, which ends the room",
    "Ctrl+Q": "leave, which ends the room for everybody",
}
WIDEST_KEY = 28
"""Columns; longer usages wrap."""


def keys(*, operator: bool, hosts: bool = False) -> tuple[tuple[str, str], ...]:
    """Each key with its description, for an operator or another member, and for the one that `hosts` the room."""
    found = tuple((key, HOSTING_KEYS.get(key, words) if hosts else words) for key, words in KEYS)
    if not operator:
        return found
    return tuple((key, HOST_PEOPLE if words is PEOPLE else words) for key, words in found) + HOST_KEYS


class HelpScreen(ModalScreen[None]):
    """The dialog with all keys and commands. Each of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close"),
    ]

    def __init__(self, *, operator: bool, hosts: bool = False) -> None:
        super().__init__()
        self._operator, self._hosts = operator, hosts

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="help"), VerticalScroll():
            yield Static(Content.styled("Keys", "bold $accent"), classes="heading")
            yield from _table(keys(operator=self._operator, hosts=self._hosts))
            yield Static(Content.styled("Commands", "bold $accent"), classes="heading")
            commands = available_commands(operator=self._operator, hosts=self._hosts)
            yield from _table(tuple((one.usage, one.summary) for one in commands))
            words = "Two slashes say a line that begins with one. Drag to select, Ctrl+C copies."
            yield Static(Content.styled(words, "$quiet"), classes="heading")


def _table(rows: tuple[tuple[str, str], ...]) -> Iterator[Horizontal]:
    """Two columns; the text of the second wraps within it."""
    width = min(WIDEST_KEY, max(len(key) for key, _ in rows) + 2)
    for key, words in rows:
        left = Static(Content.styled(key, "bold"), classes="key")
        left.styles.width = width
        yield Horizontal(left, Static(Content(words), classes="words"), classes="row")
