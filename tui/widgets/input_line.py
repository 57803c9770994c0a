"""InputLine: the composer with its prompt sign, the list of commands above it, and a note beside it."""

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from protocol.messages import Limits
from tui.commands.length_check import LengthCheck, check_length
from tui.commands.parse import ChatLine, ParsedCommand, ParseError, format_unsent, needs_room, parse
from tui.screens.dialogs import PasteScreen
from tui.widgets.command_list import CommandList
from tui.widgets.composer import MAX_ROWS, Completer, Composer

ROWS_AROUND_COMMANDS = 4
"""Rows that the list of commands leaves: the header, one of the pane, the line, and the bar."""
MIN_REFUSAL_S = 3.0
"""How long a refusal is shown at least while another line is being written."""


class InputLine(Vertical):
    """The place to write. It posts each line or command, and keeps a text that the room would not take."""

    unread: reactive[int] = reactive(0)
    limits: reactive[Limits] = reactive(Limits())
    operator: reactive[bool] = reactive(False)
    """Whether to offer the commands of operators."""
    slow: reactive[float] = reactive(0.0)
    """Seconds between two messages in slow mode."""
    waiting: reactive[int] = reactive(0)
    """Seconds until slow mode sends the waiting line."""
    screen_rows: reactive[int] = reactive(24)
    """Rows of the screen. The text being written may take half of them."""

    class Entered(Message):
        """Enter was pressed: `meant` is a line for the room or a command, and `text` is its text as typed."""

        def __init__(self, meant: ChatLine | ParsedCommand, text: str) -> None:
            super().__init__()
            self.meant, self.text = meant, text

    class NewAsked(Message):
        """The note about new lines was clicked."""

    class Aside(Static):
        """The note on the right."""

        def on_click(self) -> None:
            self.post_message(InputLine.NewAsked())

    def __init__(
        self,
        completer: Completer,
        said: list[str],
        *,
        in_room: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
        id: str | None = None,
    ) -> None:
        """`said` holds what was said before, for walking back through it. `in_room` tells whether the room can be
        asked for anything now. `clock` tells seconds."""
        super().__init__(id=id)
        self._clock = clock
        self._in_room = in_room
        self.composer = Composer(completer, said, takes=self._takes, on_edit=self._edited, id="composer")
        self.commands = CommandList(id="commands")
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
        return self._fit(meant if isinstance(meant := parse(text), ChatLine) else ChatLine(text))

    def _fit(self, spoken: ChatLine) -> LengthCheck:
        return check_length(spoken.text, self.limits, action=spoken.action)

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
        meant, chosen = parse(text), self.commands.chosen
        if chosen and (isinstance(meant, ParseError) or text.lower() != f"/{chosen}"):
            self.composer.write(f"/{chosen} ")
        elif meant is None:
            self.composer.accept(remember=False)
        elif isinstance(meant, ChatLine) and (fit := self._fit(meant)).is_too_long:
            self.refuse(fit.sentence, text)
        elif isinstance(meant, ParsedCommand) and needs_room(meant) and not self._in_room():
            self.refuse(format_unsent(f"/{meant.name}"), text)
        elif isinstance(meant, ParseError):
            self.refuse(meant.sentence, text)
        else:
            self.composer.accept()
            self.post_message(self.Entered(meant, text))

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
        self.commands.offer(self.composer.text, operator=self.operator)

    @on(Composer.Changed)
    def _changed(self, message: Composer.Changed) -> None:
        message.stop()
        self._offer()
        self._tell()

    @on(Composer.PasteAsked)
    def _paste_asked(self, message: Composer.PasteAsked) -> None:
        message.stop()
        screen = PasteScreen(message.text, self.limits, 0.0 if self.operator else self.slow)
        self.app.push_screen(screen, lambda yes: self.composer.insert_pasted(message.text) if yes else None)

    def watch_unread(self) -> None:
        self._tell()

    def watch_limits(self) -> None:
        self._tell()

    def watch_waiting(self) -> None:
        self._tell()

    def watch_screen_rows(self) -> None:
        self.composer.max_rows = min(MAX_ROWS, (self.screen_rows - 2) // 2)
        self.composer.fit()
        self.commands.styles.max_height = max(1, self.screen_rows - ROWS_AROUND_COMMANDS)

    def on_mount(self) -> None:
        self.refusal.display = False

    def on_resize(self) -> None:
        self._tell()

    def _tell(self) -> None:
        fit = self.length_check
        if fit.is_near_limit:
            count = f" {fit.used:,} of {fit.allowed:,}"
            self._tell_aside((f"{count} {fit.unit}", count), "$error bold" if fit.is_too_long else "$quiet")
        elif self.waiting:
            self._tell_aside((f" your next line in {self.waiting} s", f" in {self.waiting} s"), "$warning bold")
        else:
            self._tell_aside((f" {self.unread:,} new ↓",) if self.unread else (), "$accent bold")

    def _tell_aside(self, forms: Sequence[str], style: str) -> None:
        """Show the first form that leaves half of the row to the composer; nothing if none does."""
        words = next((form for form in forms if len(form) <= self.size.width // 2), "")
        self.aside.update(Content.styled(words, style))
