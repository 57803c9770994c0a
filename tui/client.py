"""RoomClient: one client of a room, below all screens. It has the link and all state, and decides about each event.

The full screen, line mode and the operator's console are its views: they show its items, and call its methods for a
person's input. It knows no terminal and no screen library. All methods run on the event loop of the link.
"""

from collections import deque
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from protocol.client import HistoryEnd, Received
from protocol.messages import (
    Goodbye,
    Limits,
    Lock,
    MeterReading,
    Model,
    ModelSwitched,
    OperatorCommand,
    OperatorGranted,
    People,
    Presence,
    Quiet,
    Refused,
    Rename,
    Rules,
    Said,
    Status,
    Switch,
    Watch,
    Welcome,
)
from protocol.nicknames import check_nickname
from protocol.sanitize import sanitize
from tui.address import Address
from tui.awaited_answers import AwaitedAnswers
from tui.client_view import ClientView, Item, Note, Views
from tui.commands.completion import Completion, RecentSpeakers, complete
from tui.commands.parse import ChatLine, ParsedCommand, ParseError, check_input, format_unsent, refuse_long_lines
from tui.commands.slow_mode import SlowModeQueue
from tui.hosting.hosted_server import HostedServer
from tui.link.room_link import NICKNAME_CODES, LinkState, RoomLink
from tui.message_log.entries import mentions
from tui.meter_history import MeterHistory
from tui.settings import Settings, not_remembered
from tui.transcript.file import CannotSave, save
from tui.transcript.formats import TranscriptEntry
from tui.transcript.transcript import Transcript

MAX_LAST_LINES = 50
"""Lines that are kept for a view of the latest ones."""
NOT_OPEN = Address("127.0.0.1", 0)
"""The address of a hosted room that is not open yet."""


class RoomClient:
    """One client of one room. The public attributes are its current state."""

    def __init__(
        self,
        address: Address | None,
        nick: str = "",
        *,
        transcript: Transcript | None = None,
        hosted_server: HostedServer | None = None,
        key: bytes = b"",
        asks_for_nick: bool = True,
        settings: Settings | None = None,
        remember: Callable[[Settings], object] = lambda settings: None,
        shows_own_lines: bool = True,
        make_link: Callable[..., RoomLink] = RoomLink,
    ) -> None:
        """`address` is None for a hosted room that `host` opens. `key` is the operators' key; a hosted server has its
        own. `asks_for_nick` is that of RoomLink. `remember` is called with the settings after each change, and returns
        False if it could not write them. Without `shows_own_lines`, the items leave out the lines of this client."""
        self.link = make_link(
            address or NOT_OPEN,
            nick,
            on_events=self._on_events,
            on_state=self._on_state,
            on_note=lambda sentence: self.add_note(Note(sentence)),
            asks_for_nick=asks_for_nick,
        )
        self.transcript = transcript or Transcript()
        self.transcript.on_trouble = self.report_problem
        self.hosted_server = hosted_server
        self._key = hosted_server.operator_key if hosted_server is not None else key
        self.status: Status | None = None
        """The model and its cost, as the room has told them last; None before the first welcome."""
        self.meter_history = MeterHistory()
        self.speakers = RecentSpeakers()
        self.last_lines: deque[Said] = deque(maxlen=MAX_LAST_LINES)
        self.slow_mode_queue = SlowModeQueue(lambda id, line: self.link.say(line.text, line.action, id))
        self.is_welcome = False
        """Whether the room has let the client in, by the events so far, and the connection has not been lost since."""
        self.has_answered = False
        """Whether a room has sent an event."""
        self.awaited = AwaitedAnswers()
        """The requests of the person that have no answer yet."""
        self.shows_own_lines = shows_own_lines
        self.settings = settings or Settings()
        self._remember = remember
        self._reported_unsaved = False
        """Settings could not be written, and the person has been told."""
        self.is_leaving = False
        self._views = Views()
        self._is_mentioned = False
        """Whether a line of this batch of events names this client."""
        self._is_live = True
        """Whether the events are no history from before the client came."""

    def attach(self, view: ClientView, *, shows_items: bool = True) -> None:
        """Call the methods of `view` from now on. Items are kept until the first view `shows_items`."""
        self._views.attach(view, shows_items=shows_items)

    # State

    @property
    def nick(self) -> str:
        return self.link.client.nick

    @property
    def people(self) -> set[str]:
        return self.link.client.people

    @property
    def rules(self) -> Rules:
        return self.link.client.rules

    @property
    def limits(self) -> Limits:
        return self.link.client.limits

    @property
    def in_room(self) -> bool:
        """Whether the connection is open, so that the room can be asked for something."""
        return self.link.client.in_room

    @property
    def is_operator(self) -> bool:
        return self.link.client.is_operator

    @property
    def hosts_room(self) -> bool:
        """Whether the room ends when this client leaves."""
        return bool(self._key)

    @property
    def model(self) -> str:
        """The model that runs the room; empty before the first welcome."""
        return self.status.model if self.status is not None else ""

    @property
    def unanswered(self) -> int:
        """The number of lines without an answer, including those that wait for slow mode."""
        return len(self.link.client.unacknowledged) + len(self.slow_mode_queue)

    @property
    def invitations(self) -> list[Address]:
        """The addresses for others to join a hosted room, the best first."""
        return self.hosted_server.invitations if self.hosted_server is not None else []

    @property
    def room_end_reason(self) -> str:
        """A sentence with the reason why the hosted room ended; empty while it runs, or if there is none."""
        return self.hosted_server.end_reason if self.hosted_server is not None else ""

    def complete(self, text: str, cursor: int, *, screen: bool = True) -> list[Completion]:
        """The possible completions before the cursor, the likeliest first."""
        return complete(
            text,
            cursor,
            people=self.people,
            speakers=self.speakers.latest_first,
            me=self.nick,
            operator=self.is_operator,
            screen=screen,
        )

    def change_settings(self, **changes: object) -> None:
        """Change settings, and remember them."""
        changed = replace(self.settings, **changes)
        if changed != self.settings:
            self.settings = changed
            if self._remember(changed) is False and not self._reported_unsaved:
                self._reported_unsaved = True
                self.report_problem(not_remembered())

    # Joining and leaving

    @property
    def is_open(self) -> bool:
        """Whether the address of the room is known: a hosted room has none before it is open."""
        return self.link.address != NOT_OPEN

    async def host(self) -> None:
        """Run the hosted server until it ends. Then `room_end_reason` has the reason."""
        if self.hosted_server is not None:
            await self.hosted_server.run_until_ended(self._opened)
            self._views.tell(lambda view: view.link_changed())

    def _opened(self, address: Address) -> None:
        self.link.address = address
        self._views.tell(lambda view: view.room_opened())

    async def stay(self) -> None:
        """Stay in the room until `leave` or a final goodbye of the room. It can be called again after that, and resumes
        the session then."""
        if self._key:
            self.link.operator(self._key)
        await self.link.run()

    def try_nick(self, nick: str) -> None:
        """Try to join under another nickname."""
        self.link.try_nick(nick)

    async def leave(self) -> None:
        """Tell the room, end `stay`, and stop the hosted server."""
        self.is_leaving = True
        self._views.tell(lambda view: view.link_changed())
        await self.link.close()
        if self.hosted_server is not None:
            await self.hosted_server.stop()

    # Requests of the person

    def check(self, parsed: ChatLine | ParsedCommand | ParseError | None) -> str:
        """The reason why an input cannot be sent now, as a sentence; empty if it can."""
        return check_input(parsed, self.limits, in_room=self.in_room)

    def say(self, line: ChatLine) -> str:
        """Say a line, as soon as the room and slow mode allow it. Returns its id, which the answer has."""
        self.awaited.typed_command = ""
        id = self.link.client.new_id()
        self.slow_mode_queue.send(id, line)
        if self.slow_mode_queue:
            self._views.tell(lambda view: view.line_deferred())
        return id

    def run(self, command: ParsedCommand, typed: str = "") -> bool:
        """Send the request of a command to the room, or note that it was not sent. Returns False for a command that the
        view runs itself. `typed` is the text of the command if it was typed, and not chosen from a list."""
        message = command.message
        if message is None:
            self.awaited.typed_command = ""
            return False
        if not self.in_room:
            self._note_unsent(f"/{command.name}")
            return True
        self.awaited.typed_command = typed
        self.awaited.add(message)
        if isinstance(message, Rename):
            message = Rename(check_nickname(message.nick, self.limits.nick))
        self.link.send_command(message)
        return True

    def send(self, words: str, *commands: OperatorCommand) -> None:
        """Send commands of an operator. If there is no connection, note that `words` was not sent."""
        if not self.in_room:
            self._note_unsent(words)
            return
        self.awaited.typed_command = ""
        for command in commands:
            self.link.send_command(command)

    def switch_model(self, model: str) -> None:
        """Run the room by this model."""
        self.send("/model", Switch(model))

    def switch_to_next_model(self) -> None:
        """Run the room by the model after the current one."""
        models = [str(model) for model in Model]
        self.switch_model(models[(models.index(self.model) + 1) % len(models) if self.model in models else 0])

    def panic(self) -> None:
        """Lock the room and make it quiet, both at once. If both already apply, end both."""
        calm = self.rules.locked and self.rules.quiet
        self.send("/unlock and /unquiet" if calm else "/lock and /quiet", Lock(on=not calm), Quiet(on=not calm))

    def save(self, name: str, entries: Sequence[TranscriptEntry]) -> Note:
        """Save entries of the transcript to a new file, or to a free name if `name` is empty. Returns the result.
        Blocks, and may run in a thread."""
        try:
            return Note(f"what was said is in {sanitize(save(name, entries, self.transcript.now()))}")
        except CannotSave as error:
            return Note(sanitize(str(error)), is_error=True)

    def report_problem(self, sentence: str) -> None:
        """Note a failure of this client."""
        self.add_note(Note(sanitize(sentence), is_error=True))

    def add_note(self, note: Note) -> None:
        """Show a note among the events of the room."""
        self._views.show([note])

    def _note_unsent(self, words: str) -> None:
        sentence = format_unsent(words)
        self.add_note(Note(sentence, is_error=True))
        self._views.tell(lambda view: view.command_unsent(sentence))

    # Events of the link

    def _on_state(self, state: LinkState) -> None:
        self.is_welcome = self.is_welcome and state.phase == "online"
        self._views.tell(lambda view: view.link_changed())

    def _on_events(self, received: list[Received]) -> None:
        self.has_answered = True
        self.slow_mode_queue.set_interval(0.0 if self.is_operator else self.rules.slow)
        items: list[Item] = []
        recorded = []
        for event in received:
            if isinstance(event, Goodbye) and not self.is_welcome:
                self._reject(event)
                continue
            recorded.append(event)
            items += self._items_of(event)
        self.speakers.record(recorded)
        self.transcript.record(recorded)
        self._views.show([*items, *self._due_roster()])
        if self._is_mentioned:
            self._is_mentioned = False
            self._views.tell(lambda view: view.mentioned())

    def _reject(self, goodbye: Goodbye) -> None:
        self._views.tell(lambda view: view.rejected(goodbye))

    def _items_of(self, event: Received) -> list[Item]:
        """Change the state by an event. Returns the items to show for it."""
        match event:
            case Welcome():
                return [event, *self._on_welcome(event)]
            case Said():
                return [event] if self._on_said(event) else []
            case Refused():
                return [event] if self._on_refused(event) else []
            case People():
                # This roster may be older than our own `presence`, which follows.
                self.awaited.on_people()
                return []
            case Status():
                self.status = event
                return [event] if self.awaited.take_status() else []
        self._follow(event)
        return [event]

    def _follow(self, event: Received) -> None:
        """Change the state by an event that is always shown."""
        match event:
            case HistoryEnd():
                self._is_live = True
            case Presence() if any(new == self.nick for _, new in event.renamed):
                self._views.tell(lambda view: view.nick_changed())
            case ModelSwitched():
                self.meter_history.switched(event)
                if self.status is not None:
                    self.status = replace(self.status, model=event.model, served_by="")
            case MeterReading():
                self.meter_history.add(event)
            case OperatorGranted(on=True):
                self._watch_meter()

    def _on_welcome(self, welcome: Welcome) -> list[Refused]:
        self.is_welcome = True
        self._is_live = welcome.resumed or not welcome.history
        self.status = Status(welcome.model, welcome.connections, welcome.served_by)
        self.awaited = AwaitedAnswers()
        if welcome.operator:
            self._watch_meter()
        self._views.tell(lambda view: view.joined(welcome))
        return self._drop_lines_over_limits(welcome.limits)

    def _drop_lines_over_limits(self, limits: Limits) -> list[Refused]:
        """Drop unsaid lines that exceed the limits of a restarted room, and return a refusal for each. The room would
        refuse a line that is too long to read without its id, and the client would send it again after each
        reconnect."""
        unsaid = self.link.client.unacknowledged
        refusals = refuse_long_lines(unsaid.values(), limits)
        for refused in refusals:
            del unsaid[refused.id]
            self.slow_mode_queue.on_answer(refused.id)
        return refusals

    def _on_said(self, said: Said) -> bool:
        """Follow a line. Returns whether to show it."""
        self.last_lines.append(said)
        was_sent_here = self.slow_mode_queue.on_answer(said.id)
        if self._is_live and not was_sent_here and said.nick != self.nick:
            self._is_mentioned |= mentions(said.text, self.nick)
        return self.shows_own_lines or not was_sent_here

    def _on_refused(self, refused: Refused) -> bool:
        """Follow a refusal. Returns whether to show it."""
        if refused.code == "slow-mode" and self.slow_mode_queue.on_refusal(refused.id, refused.wait):
            self._views.tell(lambda view: view.line_deferred())
            return False
        self.slow_mode_queue.on_answer(refused.id)
        if refused.code in NICKNAME_CODES and not self.in_room:
            self._views.tell(lambda view: view.nick_refused(refused))
            return False
        return True

    def _due_roster(self) -> list[Item]:
        if not self.awaited.is_roster_due or self.nick not in self.people:
            return []
        self.awaited.is_roster_due = False
        return [People(self.link.client.seq, sorted(self.people, key=str.casefold))]

    def _watch_meter(self) -> None:
        if self._views.watch_meter:
            self.link.send_command(Watch())
