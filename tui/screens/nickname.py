"""NicknameScreen: asks who one is, before anything connects, and says what comes of it until the room lets one in."""

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
from protocol.nicknames import NicknameRefused, check_nickname
from tui.address import Address
from tui.link.room_link import State
from tui.model_style import MODELS
from tui.widgets.banner import Banner
from tui.widgets.key_order import ImmediateEditor, is_bound_in_place, run_binding_now
from tui.widgets.keys import Keys


class NicknameField(Input, ImmediateEditor):
    """Where the nickname is written."""

    def __init__(self, submit: Callable[[], None]) -> None:
        """`submit` is called at Enter, before the next key is looked at."""
        super().__init__(placeholder="your nickname", id="nickname", compact=True)
        self.cursor_blink = False
        self._submit = submit
        self.suggested = ""
        """What it began with, or what was sent: nothing that a person is in the middle of typing."""

    @property
    def is_half_typed(self) -> bool:
        """Whether a person has typed something here, and not sent it."""
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
    """Posts Chosen for each nickname that could do. It goes away when the room has let us in."""

    room: reactive[str] = reactive("")
    """Which room it is about to join, in a sentence."""

    class Chosen(Message):
        """This nickname is wanted."""

        def __init__(self, nick: str) -> None:
            super().__init__()
            self.nick = nick

    def __init__(self, title: str, nick: str = "", clock: Callable[[], float] = monotonic) -> None:
        """`clock` is the one that a State's `retry_at` is told by."""
        super().__init__()
        self._title = title
        self._initial_nick = nick
        self._field = NicknameField(self._submit)
        self.is_joining = False
        """A nickname is on its way to the room: what is typed now is meant for the room."""
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
        """What is written in the field."""
        return self._field.value.strip()

    def on_input_changed(self) -> None:
        if not self.is_joining:
            self._advise()

    def _submit(self) -> None:
        if self.nick and not self._problem():
            nick = self._field.suggested = self.nick
            self.show_joining()
            self.post_message(self.Chosen(nick))

    def show_joining(self) -> None:
        """A nickname is on its way to the room: nothing to do but wait."""
        self.is_joining = True
        self._field.add_class("-waiting")
        self._say("joining …")

    def show_refusal(self, refused: Refused) -> None:
        """The room will not have this nickname; a free one is put in its place."""
        self._open(refused.suggestion)
        if refused.suggestion:
            self._say(f"{refused.reason}; {refused.suggestion} is free, Enter takes it", "$warning")
        else:
            self._say(refused.reason, "$error")

    def show_link_state(self, state: State, address: Address) -> None:
        """Say how the link stands, until there is a room to show."""
        if state.phase == "waiting" and state.retry_at < inf:
            self.show_failure(state.trouble(address), state.retry_at, "Ctrl+R tries now")
        elif state.phase == "over":
            self._open()
            self.show_failure(f"The room does not let you in: {state.reason}.")

    def show_failure(self, sentence: str, until: float = inf, keys: str = "") -> None:
        """Say why there is no room to join."""
        self._banner.say(sentence, until=until, keys=f"{keys}   Ctrl+Q leaves".strip())

    def clear_failure(self) -> None:
        """There is a room to join again."""
        self._banner.say("")

    def _open(self, nick: str = "") -> None:
        """Let a nickname be written again, beginning with `nick` or with what is there."""
        field = self._field
        self.is_joining = False
        field.remove_class("-waiting")
        with field.prevent(Input.Changed):
            field.value = field.suggested = nick or field.value
        field.focus()
        field.cursor_position = len(field.value)

    def _problem(self) -> str:
        try:
            check_nickname(self.nick)
        except NicknameRefused as refused:
            return str(refused)
        return ""

    def _advise(self) -> None:
        if not self.nick:
            self._say("letters and digits, and _ - . between them")
        elif problem := self._problem():
            self._say(problem, "$error")
        else:
            self._say(f"Enter joins the room as {self.nick}")

    def _say(self, words: str, style: str = "$quiet") -> None:
        self._advice.update(Content.styled(words, style))
