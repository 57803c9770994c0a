"""CommandList: the commands, shown above the input line while one is being typed."""

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from protocol.commands import SlashCommand
from tui.commands.parse import available_commands

MARGIN_CELLS = 3
"""Cells beside a command: the padding and the scroll bar."""
MIN_SUMMARY_CELLS = 20
"""A summary in fewer cells is left out."""


class CommandList(OptionList, can_focus=False):
    """The commands that begin with what was typed. The input line keeps the focus, and moves the highlight."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._offered = ("", False)
        self.hosts = False
        """Whether to show the summaries for the host of the room."""

    def on_mount(self) -> None:
        self.display = False

    def offer(self, text: str, *, operator: bool) -> None:
        """Show the commands that `text` may become, or the arguments of the one that is typed; hide the list if `text`
        is no command. The same text again changes nothing: the highlight stays, and a closed list stays closed."""
        if self._offered == (text, operator):
            return
        self._offered = (text, operator)
        self.set_options(self._rows(text, operator))
        self.display = self.option_count > 0
        if self.display and not _begun(text):
            self.highlighted = 0

    def _rows(self, text: str, operator: bool) -> list[Option]:
        """The commands whose names begin with `text`; only the typed command while its arguments follow."""
        if not text.startswith("/") or text.startswith("//") or "\n" in text:
            return []
        name = text[1:].split(" ")[0].lower()
        commands = available_commands(operator=operator, hosts=self.hosts)
        if _begun(text):
            fitting = [one for one in commands if one.name == name and one.arguments]
        else:
            fitting = [one for one in commands if one.name.startswith(name)]
        room = self.app.size.width - MARGIN_CELLS
        column = max((len(one.usage) for one in fitting), default=0) + 2
        return [Option(_drawn(one, column, room), id=one.name) for one in fitting]

    @property
    def chosen(self) -> str | None:
        """The name of the highlighted command; None while hidden, and while arguments are typed."""
        if not self.display or self.highlighted_option is None:
            return None
        return self.highlighted_option.id


def _begun(text: str) -> bool:
    """Whether the name of a command is complete, and its arguments follow."""
    return " " in text


def _drawn(command: SlashCommand, column: int, room: int) -> Content:
    """One line of `room` cells: the usage in its own column, and the summary if it fits."""
    usage = Content.styled(command.usage, "bold")
    if room - column >= MIN_SUMMARY_CELLS:
        usage = usage.pad_right(column - usage.cell_length) + Content.styled(command.summary, "$quiet")
    return usage.truncate(room, ellipsis=True)
