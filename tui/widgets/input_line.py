"""InputLine: the composer with its prompt sign, the list of commands above it (CommandList), and a note beside it."""

from collections.abc import Callable, Sequence
from math import ceil, inf
from time import monotonic

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from protocol.commands import SlashCommand
from tui.client import RoomClient
from tui.commands.parse import ChatLine, LengthCheck, ParsedCommand, ParseError, available_commands, check_length, parse
from tui.widgets.composer import MAX_ROWS, Composer

ROWS_AROUND_COMMANDS = 4
"""Rows that the list of commands leaves: the header, one of the pane, the line, and the bar."""
MIN_REFUSAL_S = 3.0
"""How long a refusal is shown at least while another line is being written."""
MARGIN_CELLS = 3
"""Cells beside a command: the padding and the scroll bar."""
MIN_SUMMARY_CELLS = 20
"""A summary in fewer cells is left out."""


class InputLine(Vertical):
    """The place to write. It posts each line or command, and keeps a text that cannot be sent to the room."""

    unread: reactive[int] = reactive(0)
    screen_rows: reactive[int] = reactive(24)
    """Rows of the screen. The text being written may take half of them."""

    class Entered(Message):
        """Enter was pressed: `parsed` is a line for the room or a command, and `text` is its text as typed."""

        def __init__(self, parsed: ChatLine | ParsedCommand, text: str) -> None:
            super().__init__()
            self.parsed, self.text = parsed, text

    class NewAsked(Message):
        """The note about new lines was clicked."""

    class Aside(Static):
        """The note on the right."""

        def on_click(self) -> None:
            self.post_message(InputLine.NewAsked())

    def __init__(
        self,
        client: RoomClient,
        input_history: list[str],
        *,
        clock: Callable[[], float] = monotonic,
        id: str | None = None,
    ) -> None:
        """`input_history` has the lines that were said before, for the arrow keys. `clock` returns seconds."""
        super().__init__(id=id)
        self._client = client
        self._clock = clock
        self.composer = Composer(client.complete, input_history, takes=self._takes, on_edit=self._edited, id="composer")
        self.commands = CommandList(hosts=client.hosts_room, id="commands")
        self.refusal = Static(id="refusal", markup=False)
        """Why the last text was refused; hidden while there is nothing to say."""
        self._refusal_stays_until = -inf
        self.aside = self.Aside(id="aside", markup=False)

    def compose(self) -> ComposeResult:
        yield self.commands
        yield self.refusal
        with Horizontal(id="line"):
            yield Static(Content("❯ "), id="prompt")
            yield self.composer
            yield self.aside

    @property
    def length_check(self) -> LengthCheck:
        """Whether the written text fits into one line of the room."""
        text = self.composer.text
        line = parsed if isinstance(parsed := parse(text), ChatLine) else ChatLine(text)
        return check_length(line.text, self._client.limits, action=line.action)

    def close_commands(self) -> bool:
        """Close the list of commands. Returns whether it was open."""
        was_open, self.commands.display = self.commands.display, False
        return was_open

    def _takes(self, key: str) -> bool:
        """Handle Enter. While the list of commands is open, Up and Down move in it, and Tab takes the highlighted
        command. Returns whether the key was handled."""
        self._offer()
        if key == "enter":
            self._enter()
        elif (chosen := self.commands.chosen) is None:
            return False
        elif key == "up":
            self.commands.action_cursor_up()
        elif key == "down":
            self.commands.action_cursor_down()
        else:
            self.composer.write(f"/{chosen} ")
        return True

    def _enter(self) -> None:
        """Take the text immediately: the keys after this Enter belong to the next line. A text with a mistake stays."""
        text = self.composer.text
        parsed, chosen = parse(text), self.commands.chosen
        if chosen and (isinstance(parsed, ParseError) or text.lower() != f"/{chosen}"):
            self.composer.write(f"/{chosen} ")
        elif problem := self._client.check(parsed):
            self.refuse(problem, text)
        elif isinstance(parsed, ChatLine | ParsedCommand):
            self.composer.accept()
            self.post_message(self.Entered(parsed, text))
        else:
            self.composer.accept(remember=False)

    def refuse(self, sentence: str, text: str) -> None:
        """Say why `text` was refused. The text is put back and selected, so that typing replaces it, and the next key
        hides the refusal. Where another line is begun already, that line stays as it is, and keys hide the refusal
        only after MIN_REFUSAL_S."""
        self.refusal.update(Content.styled(sentence, "$error bold"))
        self.refusal.display = True
        if self.composer.text in ("", text):
            self.composer.put_back(text)
            self._refusal_stays_until = -inf
            self._offer()
            self.close_commands()
        else:
            self._refusal_stays_until = self._clock() + MIN_REFUSAL_S

    def _edited(self) -> None:
        if self._clock() >= self._refusal_stays_until:
            self.refusal.display = False

    def _offer(self) -> None:
        self.commands.offer(self.composer.text, operator=self._client.is_operator)

    @on(Composer.Changed)
    def _changed(self, message: Composer.Changed) -> None:
        message.stop()
        self._offer()
        self.update_aside()

    def watch_unread(self) -> None:
        self.update_aside()

    def watch_screen_rows(self) -> None:
        self.composer.max_rows = min(MAX_ROWS, (self.screen_rows - 2) // 2)
        self.composer.fit()
        self.commands.styles.max_height = max(1, self.screen_rows - ROWS_AROUND_COMMANDS)

    def on_mount(self) -> None:
        self.refusal.display = False

    def on_resize(self) -> None:
        self.update_aside()

    def update_aside(self) -> None:
        """Show the length of a long text, or the seconds until slow mode sends the next line, or the unread lines."""
        fit, waiting = self.length_check, ceil(self._client.slow_mode_queue.seconds_left)
        if fit.is_near_limit:
            count = f" {fit.used:,} of {fit.allowed:,}"
            self._tell_aside((f"{count} {fit.unit}", count), "$error bold" if fit.is_too_long else "$quiet")
        elif waiting:
            self._tell_aside((f" your next line in {waiting} s", f" in {waiting} s"), "$warning bold")
        else:
            self._tell_aside((f" {self.unread:,} new ↓",) if self.unread else (), "$accent bold")

    def _tell_aside(self, forms: Sequence[str], style: str) -> None:
        """Show the first form that leaves half of the row to the composer; nothing if none does."""
        words = next((form for form in forms if len(form) <= self.size.width // 2), "")
        self.aside.update(Content.styled(words, style))


class CommandList(OptionList, can_focus=False):
    """The commands that begin with what was typed. The input line keeps the focus, and moves the highlight."""

    def __init__(self, *, hosts: bool, id: str | None = None) -> None:
        """`hosts` chooses the summaries for the host of the room."""
        super().__init__(id=id, markup=False)
        self._offered = ("", False)
        self._hosts = hosts

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
        commands = available_commands(operator=operator, hosts=self._hosts)
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
