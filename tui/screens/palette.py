"""The command palette: a list of all actions, searched by name. Each screen names its own actions."""

from collections.abc import Iterator
from operator import itemgetter

from textual import events
from textual.app import App, SystemCommand
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen

ROWS_AROUND = 4
"""Rows of the palette that are not the list's: the field and the borders."""


class CommandScreen(Screen[None]):
    """A screen with actions for the palette."""

    def palette_commands(self) -> Iterator[SystemCommand]:
        """The actions that are possible now: title, help and callback of each."""
        raise NotImplementedError


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


def is_searching(app: App[None]) -> bool:
    """Whether the palette is open and still searches for the text in its field."""
    palette = app.screen
    if not isinstance(palette, CommandPalette):
        return False
    return any(worker.node is palette and not worker.is_finished for worker in app.workers)
