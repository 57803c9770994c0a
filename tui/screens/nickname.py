"""NicknameScreen: asks for a nickname before connecting, and shows the progress until the room accepts it."""

from collections.abc import Callable
from math import inf
from time import monotonic

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input, Static

from protocol.messages import Refused
from tui.address import Address
from tui.commands.parse import nickname_problem
from tui.link.room_link import LinkState
from tui.style import MODELS
from tui.widgets.bars import Banner
from tui.widgets.keys import ImmediateEditor, Keys, is_bound_in_place, run_binding_now


class NicknameField(Input, ImmediateEditor):
    """The input field for the nickname."""

    def __init__(self, submit: Callable[[], None]) -> None:
        """`submit` is called for Enter, before the next key is handled."""
        super().__init__(placeholder="your nickname", id="nickname", compact=True)
        self.cursor_blink = False
        self._submit = submit
        self.suggested = ""
        """The nickname that the field began with, or the one that was sent last."""

    @property
    def is_half_typed(self) -> bool:
        """Whether the field has text that was typed and not sent."""
        return self.value not in ("", self.suggested)

    def is_editing_key(self, key: str) -> bool:
        """Whether the key edits the nickname, and does not send it."""
        return key != "enter" and is_bound_in_place(self, key)

    async def _on_key(self, event: events.Key) -> None:
        if not event.is_printable:
            await run_binding_now(self, event)

    async def action_submit(self) -> None:
        self._submit()


class NicknameScreen(Screen[None]):
    """Posts Chosen for each valid nickname. The app closes it once the room has accepted us."""

    room: reactive[str] = reactive("")
    """A sentence with the room that is about to be joined."""

    class Chosen(Message):
        """The user has entered this nickname."""

        def __init__(self, nick: str) -> None:
            super().__init__()
            self.nick = nick

    def __init__(self, title: str, nick: str = "", clock: Callable[[], float] = monotonic) -> None:
        """`clock` is the clock of `LinkState.retry_at`."""
        super().__init__()
        self._title = title
        self._initial_nick = nick
        self._field = NicknameField(self._submit)
        self.is_joining = False
        """A nickname was sent and has no answer. Text that is typed meanwhile is meant for the room."""
        self._room_line = Static(id="where", markup=False)
        self._advice = Static(id="advice", markup=False)
        self._banner = Banner(clock, id="banner")

    def compose(self) -> ComposeResult:
        with Vertical(id="card"):
            signs = [(f"{look.sign} ", f"$model-{name}") for name, look in MODELS.items()]
            yield Static(Content.assemble(*signs), id="signs")
            yield Static(Content.styled(self._title, "bold"), id="title")
            yield self._room_line
            yield self._field
            yield self._advice
        yield self._banner
        yield Keys()

    def on_mount(self) -> None:
        if not self._field.value:
            with self._field.prevent(Input.Changed):
                self._field.value = self._field.suggested = self._initial_nick
        if not self.is_joining:
            self._advise()

    def watch_room(self) -> None:
        self._room_line.update(Content.styled(self.room, "$quiet"))

    @property
    def nick(self) -> str:
        """The text of the field."""
        return self._field.value.strip()

    def on_input_changed(self) -> None:
        if not self.is_joining:
            self._advise()

    def _submit(self) -> None:
        if self.nick and not nickname_problem(self.nick):
            nick = self._field.suggested = self.nick
            self.show_joining()
            self.post_message(self.Chosen(nick))

    def show_joining(self) -> None:
        """Show that a nickname was sent."""
        self.is_joining = True
        self._field.add_class("-waiting")
        self._say("joining …")

    def show_refusal(self, refused: Refused) -> None:
        """Show why the room refused the nickname. If it suggests a free one, that replaces it."""
        self._open(refused.suggestion)
        if refused.suggestion:
            self._say(f"{refused.reason}; {refused.suggestion} is free, Enter takes it", "$warning")
        else:
            self._say(refused.reason, "$error")

    def show_link_state(self, state: LinkState, address: Address) -> None:
        """Show the state of the link while no room is shown."""
        if state.phase == "waiting" and state.retry_at < inf:
            self.show_failure(state.trouble(address), state.retry_at, "Ctrl+R tries now")
        elif state.phase == "over":
            self._open()
            self.show_failure(f"The room does not let you in: {state.reason}.")

    def show_failure(self, sentence: str, until: float = inf, keys: str = "") -> None:
        """Show why there is no room to join."""
        self._banner.say(sentence, until=until, keys=f"{keys}   Ctrl+Q leaves".strip())

    def clear_failure(self) -> None:
        """Hide the failure: there is a room to join again."""
        self._banner.say("")

    def _open(self, nick: str = "") -> None:
        """Enable the field again, with `nick` or with its present text."""
        field = self._field
        self.is_joining = False
        field.remove_class("-waiting")
        with field.prevent(Input.Changed):
            field.value = field.suggested = nick or field.value
        field.focus()
        field.cursor_position = len(field.value)

    def _advise(self) -> None:
        if not self.nick:
            self._say("letters and digits, and _ - . between them")
        elif problem := nickname_problem(self.nick):
            self._say(problem, "$error")
        else:
            self._say(f"Enter joins the room as {self.nick}")

    def _say(self, words: str, style: str = "$quiet") -> None:
        self._advice.update(Content.styled(words, style))
