"""Everything that can be done, by name, for the command palette."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from tui.look import MODELS

if TYPE_CHECKING:
    from tui.app import ChatApp

EACH = {"process": "a process for each connection", "thread": "a thread for each", "event": "one event loop"}


def everything(app: "ChatApp") -> Iterator[SystemCommand]:
    """What can be done now, on this screen."""
    yield SystemCommand("Help", "The keys and the commands", app.action_help)
    yield SystemCommand("Theme", "Change how all of this looks", app.action_change_theme)
    yield SystemCommand("Connect again", "Do not wait for the next attempt", app.action_again)
    yield SystemCommand("Leave", "Leave the room", app.action_quit)
    chat = app.chat
    if chat is None:
        return
    yield SystemCommand("People", "Who is here; choose one to name them", chat.action_people)
    yield SystemCommand("Find", "Search what was said", chat.action_find)
    yield SystemCommand("Newest line", "Go to the end of the pane", chat.action_end)
    yield SystemCommand("Oldest line", "Go to the beginning of the pane", chat.action_top)
    yield SystemCommand("Times", "Show or hide when things were said", chat.action_times)
    yield SystemCommand("Bell", "Ring, or do not, when somebody names you", chat.action_bell)
    yield SystemCommand("Clear", "Empty your own pane", chat.transcript.clear)
    yield from chat.desk_commands()
    if chat.operator:
        for name, look in MODELS.items():
            words = f"Run the room by {EACH[name]}"
            yield SystemCommand(f"{look.sign} Model: {name}", words, lambda name=name: chat.action_model(name))
