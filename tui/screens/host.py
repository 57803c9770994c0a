"""HostControls: the part of the room's screen that serves the operators: meter, join card, stage, a person's menu."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from rich.markup import escape
from textual.app import SystemCommand
from textual.binding import Binding, BindingType

from tui.address import Address
from tui.client import RoomClient
from tui.client_view import ClientView
from tui.commands.parse import ParsedCommand, available_commands, parse
from tui.hosting.invitation import Invitation
from tui.screens.dialogs import NAME, PersonScreen
from tui.screens.join_card import JoinCard
from tui.screens.palette import CommandScreen
from tui.screens.stage import StageScreen
from tui.style import MODELS
from tui.widgets.input_line import InputLine
from tui.widgets.meter_panel import MeterPanel

FOR_OPERATORS = ("meter", "stage", "model", "next_model")
EACH = {"process": "a process for each connection", "thread": "a thread for each", "event": "one event loop"}


class HostControls(CommandScreen, ClientView):
    """The base of ChatScreen, which runs commands and composes InputLine and MeterPanel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "meter", "meter"),
        Binding("f4", "card", "card", show=False),
        Binding("f5", "stage", "Stage", show=False),
        Binding("f6", "model('process')", "Process", show=False, priority=True),
        Binding("f7", "model('thread')", "Thread", show=False, priority=True),
        Binding("f8", "model('event')", "Event", show=False, priority=True),
        Binding("ctrl+t", "next_model", "Next model", show=False, priority=True),
    ]

    def __init__(self, client: RoomClient) -> None:
        super().__init__()
        self.client = client

    @property
    def invitation(self) -> Invitation:
        """The addresses with which others join this room."""
        server = self.client.hosted_server
        addresses = tuple(self.client.invitations) or (self.client.link.address,)
        return Invitation(addresses, server.bound, server.ssh) if server else Invitation(addresses)

    def run_command(self, command: ParsedCommand, typed: str = "") -> None:
        """Run a command; `typed` is its text if it was typed."""
        raise NotImplementedError

    def mention(self, nick: str) -> None:
        """Write a nickname into the input line."""
        raise NotImplementedError

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.client.is_operator if action in FOR_OPERATORS else True

    def action_model(self, model: str) -> None:
        self.client.switch_model(model)

    def action_next_model(self) -> None:
        self.client.switch_to_next_model()

    def action_meter(self) -> None:
        panel = self.query_one(MeterPanel)
        panel.display = not panel.display

    def action_card(self) -> None:
        """Show the join card. It forwards typed characters to the input line."""
        type_key = self.query_one(InputLine).composer.post_message
        self.app.push_screen(
            JoinCard(
                self.app.title,
                lambda: self.invitation,
                lambda: len(self.client.people),
                forward_key=type_key,
                choose=self._prefer_address,
            )
        )

    def _prefer_address(self, address: Address) -> None:
        """Invite people to this address of a hosted room from now on."""
        if self.client.hosted_server is not None:
            self.client.hosted_server.prefer(address)
            self.room_opened()

    def action_stage(self) -> None:
        self.app.push_screen(StageScreen(self.client, self.invitation))

    # People and the palette

    def open_person_menu(self, nick: str) -> None:
        """Show the actions for one person, and run the chosen one."""

        def chosen(line: str | None) -> None:
            if line == NAME:
                self.mention(nick)
            elif line is not None and isinstance(command := parse(line), ParsedCommand):
                self.run_command(command)

        self.app.push_screen(PersonScreen(nick, self.client.model), chosen)

    def palette_commands(self) -> Iterator[SystemCommand]:
        """The actions that are possible now. A command that needs an argument is written into the input line."""
        operator = self.client.is_operator
        yield SystemCommand("Join card", "How others get in, for the wall (F4)", self.action_card)
        if operator:
            yield SystemCommand("Meter", "What the room does and costs, model beside model (F2)", self.action_meter)
            words = "The model, the people and the lines, for the projector (F5)"
            yield SystemCommand("Stage", words, self.action_stage)
            yield SystemCommand("Panic", "Lock the room and ask for quiet, or lift both (F9)", self.client.panic)
        for command in available_commands(operator=operator, hosts=self.client.hosts_room):
            if command.name != "model":
                # The palette reads titles as markup.
                yield SystemCommand(escape(command.usage), command.summary, partial(self.start_command, command.name))
        if operator:
            for name, look in MODELS.items():
                words = f"Run the room by {EACH[name]}"
                yield SystemCommand(f"{look.sign} Model: {name}", words, partial(self.action_model, name))

    def start_command(self, name: str) -> None:
        """Run a command, or write it into the input line if it needs an argument."""
        command = parse(f"/{name}")
        if name != "close" and isinstance(command, ParsedCommand):
            self.run_command(command)
        else:
            self.query_one(InputLine).composer.begin(f"/{name} ")
