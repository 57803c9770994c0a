"""The command palette: a list of all actions, searched by name."""

from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.markup import escape
from textual import events
from textual.app import App, SystemCommand
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.commands.parse import available_commands
from tui.style import MODELS

if TYPE_CHECKING:
    from tui.app import ChatApp

EACH = {"process": "a process for each connection", "thread": "a thread for each", "event": "one event loop"}

ROWS_AROUND = 4
"""Rows of the palette that are not the list's: the field and the borders."""


class Palette(CommandPalette):
    """Textual's palette, with as many rows as fit on the screen."""

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(CommandList).styles.max_height = max(1, event.size.height - ROWS_AROUND)


class CommandProvider(Provider):
    """Provides the actions that are possible now; each row has a name or a usage, and a description."""

    async def discover(self) -> Hits:
        for title, summary, run, _ in sorted(self._commands, key=itemgetter(0)):
            yield DiscoveryHit(self._row(Content.from_markup(title), summary), run, text=title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, summary, run, _ in self._commands:
            if (score := matcher.match(title)) > 0:
                yield Hit(score, self._row(matcher.highlight(title), summary), run, text=title)

    @property
    def _commands(self) -> list[SystemCommand]:
        return list(self.app.get_system_commands(self.screen))

    def _row(self, title: Content, summary: str) -> Content:
        column = max(Content.from_markup(command.title).cell_length for command in self._commands) + 2
        return title.pad_right(column - title.cell_length) + Content.styled(summary, "$quiet not bold")


def everything(app: "ChatApp") -> Iterator[SystemCommand]:
    """The actions that are possible now. A command that needs an argument is written into the input line."""
    yield SystemCommand("Theme", "Change how all of this looks", app.action_change_theme)
    yield SystemCommand("Connect again", "Do not wait for the next attempt", app.action_reconnect)
    hosts = app.hosted_server is not None
    yield SystemCommand("Leave", "End the room for everybody" if hosts else "Leave the room", app.action_quit)
    chat = app.chat_screen
    if chat is None:
        yield SystemCommand("Help", "The keys and the commands", app.action_help)
        return
    yield SystemCommand("People", "Who is here; choose one to name them", chat.action_people)
    yield SystemCommand("Newest line", "Go to the end of the pane", chat.action_end)
    yield SystemCommand("Oldest line", "Go to the beginning of the pane", chat.action_top)
    yield from chat.palette_commands()
    for command in available_commands(operator=chat.is_operator, hosts=hosts):
        if command.name != "model":
            # The palette reads titles as markup.
            yield SystemCommand(escape(command.usage), command.summary, partial(chat.start_command, command.name))
    if chat.is_operator:
        for name, look in MODELS.items():
            words = f"Run the room by {EACH[name]}"
            yield SystemCommand(f"{look.sign} Model: {name}", words, partial(chat.action_model, name))


def is_searching(app: App[None]) -> bool:
    """Whether the palette is open and still searches for the text in its field."""
    palette = app.screen
    if not isinstance(palette, CommandPalette):
        return False
    return any(worker.node is palette and not worker.is_finished for worker in app.workers)
