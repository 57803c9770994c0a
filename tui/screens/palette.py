"""Everything that can be done, by name, for the command palette."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from rich.markup import escape
from textual.app import App, SystemCommand
from textual.command import CommandPalette

from tui.look import MODELS
from tui.typed.commands import available

if TYPE_CHECKING:
    from tui.app import ChatApp

EACH = {"process": "a process for each connection", "thread": "a thread for each", "event": "one event loop"}


def everything(app: "ChatApp") -> Iterator[SystemCommand]:
    """What can be done now, on this screen. A command that wants words after it goes into the line."""
    yield SystemCommand("Theme", "Change how all of this looks", app.action_change_theme)
    yield SystemCommand("Connect again", "Do not wait for the next attempt", app.action_again)
    hosts = app.own is not None
    yield SystemCommand("Leave", "End the room for everybody" if hosts else "Leave the room", app.action_quit)
    chat = app.chat
    if chat is None:
        yield SystemCommand("Help", "The keys and the commands", app.action_help)
        return
    yield SystemCommand("People", "Who is here; choose one to name them", chat.action_people)
    yield SystemCommand("Newest line", "Go to the end of the pane", chat.action_end)
    yield SystemCommand("Oldest line", "Go to the beginning of the pane", chat.action_top)
    yield from chat.desk_commands()
    for command in available(operator=chat.operator, hosts=hosts):
        if command.name != "model":
            # The palette takes what it shows for markup.
            yield SystemCommand(escape(command.usage), command.summary, partial(chat.begin, command.name))
    if chat.operator:
        for name, look in MODELS.items():
            words = f"Run the room by {EACH[name]}"
            yield SystemCommand(f"{look.sign} Model: {name}", words, partial(chat.action_model, name))


def is_searching(app: App[None]) -> bool:
    """Whether the palette is open, and has not shown yet what fits the text in it."""
    palette = app.screen
    if not isinstance(palette, CommandPalette):
        return False
    return any(worker.node is palette and not worker.is_finished for worker in app.workers)
