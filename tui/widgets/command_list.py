"""CommandList: what can follow a slash, opened above the input line while a command is being typed."""

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from protocol.commands import SlashCommand
from tui.commands.parse import available_commands

AROUND = 3
"""Cells beside a command: the padding, and what one scrolls by."""
SUMMARY = 20
"""Cells below which a summary says nothing any more."""


class CommandList(OptionList, can_focus=False):
    """The commands that begin with what was typed. The input line keeps the focus, and moves the highlight."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._offered = ("", False)
        self.hosts = False
        """Whether to say what a command does for whoever hosts the room."""

    def on_mount(self) -> None:
        self.display = False

    def offer(self, text: str, *, operator: bool) -> None:
        """Show what fits `text`: the commands to choose from, or what the written one takes; hide where that is no
        command. For the same text again, it leaves the highlight where it is, and stays closed if it was closed."""
        if self._offered == (text, operator):
            return
        self._offered = (text, operator)
        self.set_options(self._rows(text, operator))
        self.display = self.option_count > 0
        if self.display and not _begun(text):
            self.highlighted = 0

    def _rows(self, text: str, operator: bool) -> list[Option]:
        """The commands whose names begin with `text`; while its arguments are typed, the one command."""
        if not text.startswith("/") or text.startswith("//") or "\n" in text:
            return []
        name = text[1:].split(" ")[0].lower()
        commands = available_commands(operator=operator, hosts=self.hosts)
        if _begun(text):
            fitting = [one for one in commands if one.name == name and one.arguments]
        else:
            fitting = [one for one in commands if one.name.startswith(name)]
        room = self.app.size.width - AROUND
        column = max((len(one.usage) for one in fitting), default=0) + 2
        return [Option(_drawn(one, column, room), id=one.name) for one in fitting]

    @property
    def chosen(self) -> str | None:
        """The name of the highlighted command; None while hidden, and while arguments are typed."""
        if not self.display or self.highlighted_option is None:
            return None
        return self.highlighted_option.id


def _begun(text: str) -> bool:
    """Whether the name of a command is written out, and its arguments follow."""
    return " " in text


def _drawn(command: SlashCommand, column: int, room: int) -> Content:
    """One line, in `room` cells: the usage in a column of its own, and the summary where there is room for it."""
    usage = Content.styled(command.usage, "bold")
    if room - column >= SUMMARY:
        usage = usage.pad_right(column - usage.cell_length) + Content.styled(command.summary, "$quiet")
    return usage.truncate(room, ellipsis=True)
