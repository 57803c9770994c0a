"""CommandList: what can follow a slash, opened above the input line while a command's name is being typed."""

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.typed.commands import Command, available

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
        """Show what fits `text`, or hide where that is no beginning of a command. Asked again about the same, it leaves
        the highlight where it is, and stays closed if it was closed."""
        if self._offered == (text, operator):
            return
        self._offered = (text, operator)
        if not text.startswith("/") or text.startswith("//") or len(text.split(maxsplit=1)) > 1 or text[-1].isspace():
            self.display = False
            return
        commands = available(operator=operator, hosts=self.hosts)
        fitting = [one for one in commands if one.name.startswith(text[1:].lower())]
        room = self.app.size.width - AROUND
        column = max((len(one.usage) for one in fitting), default=0) + 2
        self.set_options(Option(_drawn(one, column, room), id=one.name) for one in fitting)
        self.display = bool(fitting)
        if fitting:
            self.highlighted = 0

    @property
    def chosen(self) -> str | None:
        """The name of the highlighted command; None while hidden."""
        if not self.display or self.highlighted_option is None:
            return None
        return self.highlighted_option.id


def _drawn(command: Command, column: int, room: int) -> Content:
    """One line, in `room` cells: the usage in a column of its own, and the summary where there is room for it."""
    usage = Content.styled(command.usage, "bold")
    if room - column >= SUMMARY:
        usage = usage.pad_right(column - usage.cell_length) + Content.styled(command.summary, "$quiet")
    return usage.truncate(room, ellipsis=True)
