"""HostControls: the part of the room's screen that serves the operators: meter, join card, stage, panic.

It also shows the rules to all members: the pinned line and slow mode.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from protocol.client import Received
from protocol.messages import (
    Lock,
    MeterReading,
    ModelSwitched,
    OperatorCommand,
    OperatorGranted,
    Quiet,
    Refused,
    Said,
    Status,
    Switch,
    Watch,
    Welcome,
)
from tui.commands.parse import ParsedCommand, format_unsent, parse
from tui.commands.slow_mode import SlowModeQueue
from tui.hosting.invitation import Invitation, SshEntrance
from tui.link.room_link import RoomLink
from tui.meter_history import MeterHistory
from tui.screens.dialogs import NAME, PersonScreen
from tui.screens.join_card import JoinCard
from tui.screens.stage import StageScreen, StageState
from tui.widgets.input_line import InputLine
from tui.widgets.message_pane import MessagePane
from tui.widgets.meter_panel import MeterPanel
from tui.widgets.rules_line import RulesLine

if TYPE_CHECKING:
    from tui.app import ChatApp

STAGE_LINES = 50
"""Lines kept for the stage."""
FOR_OPERATORS = ("meter", "panic", "stage", "model", "next_model")


class HostControls(Screen[None]):
    """The base of ChatScreen, which carries out commands and composes RulesLine and MeterPanel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "meter", "meter"),
        Binding("f4", "card", "card", show=False),
        Binding("f5", "stage", "Stage", show=False),
        Binding("f6", "model('process')", "Process", show=False, priority=True),
        Binding("f7", "model('thread')", "Thread", show=False, priority=True),
        Binding("f8", "model('event')", "Event", show=False, priority=True),
        Binding("ctrl+t", "next_model", "Next model", show=False, priority=True),
    ]

    def __init__(self, link: RoomLink) -> None:
        super().__init__()
        self.link = link
        self.status: Status | None = None
        self.meter_history = MeterHistory()
        self._last_lines: deque[Said] = deque(maxlen=STAGE_LINES)
        self.slow_mode_queue = SlowModeQueue(lambda id, line: self.link.say(line.text, line.action, id))
        """The lines that wait for slow mode."""
        self._counting = False
        self._typed_command = ""
        """The command that was typed last; empty once it was refused or another request was sent."""

    @property
    def chat_app(self) -> "ChatApp":
        return cast("ChatApp", self.app)

    @property
    def is_operator(self) -> bool:
        """Whether the room has made us an operator."""
        return self.link.client.is_operator

    @property
    def model(self) -> str:
        """The model that runs the room."""
        return self.status.model if self.status else ""

    @property
    def invitation(self) -> Invitation:
        """The addresses with which others join this room."""
        server = self.chat_app.hosted_server
        addresses = tuple(self.chat_app.invitations) or (self.link.address,)
        return Invitation(addresses, server.bound, server.ssh) if server else Invitation(addresses)

    def _find_ssh(self) -> SshEntrance | None:
        return self.invitation.ssh

    def run_command(self, asked: ParsedCommand) -> None:
        """Run a command."""
        raise NotImplementedError

    def mention(self, nick: str) -> None:
        """Write a nickname into the input line."""
        raise NotImplementedError

    # Events of the room

    def update_host_widgets(self, received: Sequence[Received]) -> None:
        """Update the meter, the rules and the stage from a batch of events."""
        for event in received:
            match event:
                case Welcome(operator=True) | OperatorGranted(on=True):
                    self.link.order(Watch())
                    self.refresh_bindings()
                case MeterReading():
                    self.meter_history.add(event)
                    self.query_one(MeterPanel).show(self.meter_history)
                case ModelSwitched():
                    self.meter_history.switched(event)
                case Said():
                    self._last_lines.append(event)
        while pending := self.chat_app.transcript.pending_notices:
            self.query_one(MessagePane).note(pending.pop(0), "error")
        self.query_one(RulesLine).rules = self.link.client.rules
        self.query_one(InputLine).slow = self.link.client.rules.slow
        if isinstance(self.app.screen, StageScreen):
            self.app.screen.show(self._stage_state())

    def without_deferred(self, received: Sequence[Received]) -> list[Received]:
        """The events without the refusals of lines that slow mode delays: these are still pending in the pane."""
        self.slow_mode_queue.set_interval(0.0 if self.is_operator else self.link.client.rules.slow)
        told = [event for event in received if not self._is_deferred(event)]
        self.count_down()
        return told

    def _is_deferred(self, event: Received) -> bool:
        match event:
            case Refused(code="slow-mode") if self.slow_mode_queue.on_refusal(event.id, event.wait):
                return True
            case Said() | Refused():
                self.slow_mode_queue.on_answer(event.id)
        return False

    def count_down(self) -> None:
        """Show the seconds until the next delayed line is sent, and repeat until there is none."""
        self.query_one(InputLine).waiting = ceil(self.slow_mode_queue.seconds_left)
        if self.slow_mode_queue and not self._counting:
            self._counting = True
            self.set_timer(0.25, self._count_on)

    def _count_on(self) -> None:
        self._counting = False
        self.count_down()

    # Requests to the room

    def report_unsent(self, what: str) -> None:
        """Report that `what` was not sent because the room is away: in the pane, and on the screen above it."""
        sentence = format_unsent(what)
        self.query_one(MessagePane).note(sentence, "error")
        if self.app.screen is not self:
            self.app.notify(sentence, severity="error")

    def _send(self, what: str, *orders: OperatorCommand) -> None:
        if not self.link.client.in_room:
            self.report_unsent(what)
            return
        self._typed_command = ""
        for order in orders:
            self.link.order(order)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.is_operator if action in FOR_OPERATORS else True

    def action_model(self, model: str) -> None:
        self._send("/model", Switch(model))

    def action_next_model(self) -> None:
        models = ("process", "thread", "event")
        self.action_model(models[(models.index(self.model) + 1) % 3 if self.model in models else 0])

    def action_meter(self) -> None:
        panel = self.query_one(MeterPanel)
        panel.display = not panel.display

    def action_panic(self) -> None:
        """Lock the room and make it quiet, both at once. If both already apply, end both."""
        rules = self.link.client.rules
        calm = rules.locked and rules.quiet
        self._send("/unlock and /unquiet" if calm else "/lock and /quiet", Lock(on=not calm), Quiet(on=not calm))

    def action_card(self) -> None:
        """Show the join card. It forwards typed characters to the input line."""

        def people() -> int:
            return len(self.link.client.people)

        type_key = self.query_one(InputLine).composer.post_message
        self.app.push_screen(JoinCard(self.app.title, self.invitation, people, type_key, self._find_ssh))

    def action_stage(self) -> None:
        self.app.push_screen(StageScreen(self, self.invitation, self._stage_state()))

    def _stage_state(self) -> StageState:
        client = self.link.client
        lines = self.meter_history.last.lines if self.meter_history.last else None
        return StageState(self.model, len(client.people), lines, tuple(self._last_lines), client.rules)

    # People and the palette

    def open_person_menu(self, nick: str) -> None:
        """Show the actions for one person, and run the chosen one."""

        def chosen(line: str | None) -> None:
            if line == NAME:
                self.mention(nick)
            elif line is not None and isinstance(asked := parse(line), ParsedCommand):
                self.run_command(asked)

        self.app.push_screen(PersonScreen(nick, self.model), chosen)

    def palette_commands(self) -> Iterator[SystemCommand]:
        """The entries of the palette for actions that are not commands."""
        yield SystemCommand("Join card", "How others get in, for the wall (F4)", self.action_card)
        if not self.is_operator:
            return
        yield SystemCommand("Meter", "What the room does and costs, model beside model (F2)", self.action_meter)
        yield SystemCommand("Stage", "The model, the people and the lines, for the projector (F5)", self.action_stage)
        yield SystemCommand("Panic", "Lock the room and ask for quiet, or lift both (F9)", self.action_panic)

    def start_command(self, name: str) -> None:
        """Run a command, or write it into the input line if it needs an argument."""
        asked = parse(f"/{name}")
        needs_words = name == "close" or not isinstance(asked, ParsedCommand)
        if needs_words:
            self.query_one(InputLine).composer.begin(f"/{name} ")
        elif isinstance(asked, ParsedCommand):
            self.run_command(asked)
