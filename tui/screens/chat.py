"""ChatScreen: the screen of a room, with the pane, the people, the input line and the status bar.

It is a view of a RoomClient: it shows the client's items and state, and calls it for the input. A request that concerns
the whole app, such as leaving, goes up to it as a message.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

from protocol.client import Gap
from protocol.format import format_people, format_refused, format_status
from protocol.messages import MeterReading, OperatorGranted, People, Refused, Status, Welcome
from tui.client import RoomClient
from tui.client_view import Item, Note
from tui.commands.parse import ChatLine, ParsedCommand
from tui.desktop import open_link
from tui.screens.dialogs import PasteScreen
from tui.screens.host import HostControls
from tui.screens.stage import StageScreen
from tui.widgets.bars import Banner, Header, RulesLine, StatusBar, StatusBarState
from tui.widgets.composer import Composer
from tui.widgets.input_line import InputLine
from tui.widgets.keys import Keys
from tui.widgets.message_pane import MessagePane
from tui.widgets.meter_panel import MeterPanel
from tui.widgets.people import People as PeopleList
from tui.widgets.people import Roster
from tui.widgets.search_bar import SearchBar

QUIET_COMMANDS = frozenset({"find", "times", "clear"})
"""Commands that show nothing in the pane, and do not scroll it to its end."""
MAX_NAMED_PEOPLE = 50
"""People that /who names; the others are counted."""


class LeaveRequested(Message):
    """The person wants to leave."""


class HelpRequested(Message):
    """The person wants to see the help."""


class ChatScreen(HostControls):
    """One room."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "people", "people", priority=True),
        Binding("ctrl+f", "find", "find", priority=True),
        Binding("escape", "back", "Back", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+home", "top", "Oldest", show=False),
        Binding("ctrl+end", "end", "Newest", show=False),
    ]
    AUTO_FOCUS = "#composer"

    def __init__(self, client: RoomClient, input_history: list[str], clock: Callable[[], float]) -> None:
        """`input_history` has the lines that the person sent before, for the arrow keys. `clock` returns seconds; it is
        that of the link's `retry_at`."""
        super().__init__(client)
        self._input_history = input_history
        self._clock = clock
        self._was_removed = False
        """The room has removed us for good, and we have not joined it again."""
        self._counting = False

    @property
    def pane(self) -> MessagePane:
        return self.query_one(MessagePane)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield Banner(self._clock, id="banner")
        yield MeterPanel(id="meter")
        yield RulesLine(id="rules")
        with Horizontal(id="room"):
            yield MessagePane(id="pane")
            yield PeopleList(id="people")
        yield SearchBar(id="search")
        yield InputLine(self.client, self._input_history, clock=self._clock, id="input-line")
        with Horizontal(id="bottom"):
            yield StatusBar(id="status")
            yield Keys()

    def on_mount(self) -> None:
        self.query_one(Header).title = self.app.title
        self.pane.show_times = self.client.settings.times
        self.set_interval(1, self._update_status_bar)
        self.watch(self.app, "app_focus", self._set_away)
        self.set_focus(self.composer)
        self.client.attach(self)
        self.link_changed()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(InputLine).screen_rows = event.size.height

    # The view of the client

    def show_items(self, items: Sequence[Item]) -> None:
        if not self.app.is_running:
            return  # The app is ending.
        items = self._replace_history(items)
        self.pane.add([item for item in items if not isinstance(item, Note)])
        self._show_match_count()
        for item in items:
            match item:
                case Note(sentence, is_error):
                    self.pane.note(sentence, "error" if is_error else "local")
                case People():
                    self.pane.note(format_people(item.people, MAX_NAMED_PEOPLE))
                case Status():
                    self.pane.note(format_status(item))
                case Refused(id=""):
                    self._show_refusal(format_refused(item))
                case MeterReading():
                    self.query_one(MeterPanel).show(self.client.meter_history)
                case Welcome() | OperatorGranted():
                    self.refresh_bindings()
        self._show_state()

    def _replace_history(self, items: Sequence[Item]) -> Sequence[Item]:
        """After a removal we join as a new member and get the whole history. It replaces the content of the pane. The
        gap before it is left out, as the history has the missed lines."""
        if not self._was_removed:
            return items
        first = next((item for item in items if isinstance(item, Welcome)), None)
        if first is None:
            return items
        self._was_removed = False
        if first.resumed:
            return items
        self.pane.clear()
        return [item for item in items if not (isinstance(item, Gap) and item.missed is None)]

    def _show_state(self) -> None:
        """Show the rules, the people and the status of the room."""
        client = self.client
        self.query_one(RulesLine).rules = client.rules
        self.query_one(PeopleList).show(client.people, client.nick)
        self._count_down()
        self._update_status_bar()
        if isinstance(self.app.screen, StageScreen):
            self.app.screen.show()

    def line_deferred(self) -> None:
        self._count_down()

    def _count_down(self) -> None:
        """Show the seconds until the next delayed line is sent, and repeat until there is none."""
        self.query_one(InputLine).update_aside()
        if self.client.slow_mode_queue and not self._counting:
            self._counting = True
            self.set_timer(0.25, self._count_on)

    def _count_on(self) -> None:
        self._counting = False
        self._count_down()

    def mentioned(self) -> None:
        if self.client.settings.bell:
            self.app.bell()

    def link_changed(self) -> None:
        if not self.app.is_running:
            return
        client, state, banner = self.client, self.client.link.state, self.query_one(Banner)
        self._was_removed |= state.phase == "over" and not client.room_end_reason
        trouble = state.trouble(client.link.address)
        if client.is_leaving:
            # Ending a hosted room may take a while.
            banner.say("Ending the room …" if client.hosted_server else "", keys="Ctrl+Q leaves at once")
        elif client.room_end_reason:
            banner.say(client.room_end_reason, keys="Ctrl+R starts it again")
        elif state.phase == "over":
            banner.say(f"You are out of the room: {state.reason}.", keys="Ctrl+R joins again   Ctrl+Q leaves")
        elif state.phase == "waiting":
            banner.say(trouble, until=state.retry_at, keys="Ctrl+R tries now")
        elif state.phase == "connecting" and state.attempt:
            banner.say(trouble, until=self._clock(), keys="")
        elif state.phase == "online":
            banner.say("")
        self.room_opened()
        self._update_status_bar()

    def room_opened(self) -> None:
        """Show the address of the room, or the command with which others join it."""
        invitations = self.client.invitations
        place = f"join: chat-tui {invitations[0]}" if invitations else str(self.client.link.address)
        self.query_one(Header).place = place

    def _set_away(self, focus: bool) -> None:
        self.pane.away = not focus

    def _update_status_bar(self) -> None:
        status, link = self.client.status, self.client.link
        self.query_one(StatusBar).state = StatusBarState(
            phase=link.state.phase,
            model=status.model if status else "",
            connections=status.connections if status else 0,
            served_by=status.served_by if status else "",
            round_trip=link.round_trip,
            address=str(self.invitation.best),
        )

    # The input line

    @on(InputLine.Entered)
    def _entered(self, message: InputLine.Entered) -> None:
        match message.parsed:
            case ChatLine(text, action) as line:
                id = self.client.say(line)
                self.pane.add_own(id, text, action, self.client.transcript.now())
            case ParsedCommand() as command:
                if command.name not in QUIET_COMMANDS:
                    self.action_end()  # The answer appears at the end.
                self.run_command(command, message.text)

    def run_command(self, command: ParsedCommand, typed: str = "") -> None:
        if self.client.run(command, typed):
            return
        match command.name:
            case "help":
                self.post_message(HelpRequested())
            case "quit":
                self.post_message(LeaveRequested())
            case "save":
                self.run_worker(self._save(command.argument), name="save")
            case "find":
                self.action_find(command.argument)
            case "times":
                self.client.change_settings(times=not self.client.settings.times)
                self.pane.show_times = self.client.settings.times
            case "bell":
                self.client.change_settings(bell=not self.client.settings.bell)
                ring = self.client.settings.bell
                self.pane.note("the bell rings when somebody names you" if ring else "the bell is silent")
            case "clear":
                self.pane.clear()

    async def _save(self, name: str) -> None:
        self.client.add_note(await asyncio.to_thread(self.client.save, name, self.client.transcript.entries))

    def _show_refusal(self, sentence: str) -> None:
        """Show why the last command was refused. A typed command returns to the input line, with the reason beside it;
        for a chosen one the reason goes into the pane."""
        if text := self.client.awaited.take_typed_command():
            self.query_one(InputLine).refuse(sentence, text)
        else:
            self.pane.note(sentence, "error")

    @on(Composer.PasteAsked)
    def _paste_asked(self, message: Composer.PasteAsked) -> None:
        client = self.client
        screen = PasteScreen(message.text, client.limits, 0.0 if client.is_operator else client.rules.slow)
        self.app.push_screen(screen, lambda yes: self.composer.insert_pasted(message.text) if yes else None)

    # Messages of the widgets

    @on(MessagePane.UnreadChanged)
    def _unread_changed(self, message: MessagePane.UnreadChanged) -> None:
        self.query_one(InputLine).unread = message.count

    @on(MessagePane.LinkOpened)
    def _link_opened(self, message: MessagePane.LinkOpened) -> None:
        self.app.run_worker(partial(open_link, self.app, message.url), thread=True)

    @on(Roster.Chosen)
    def _chosen(self, message: Roster.Chosen) -> None:
        self.query_one(PeopleList).remove_class("-open")
        if self.client.is_operator:
            self.open_person_menu(message.nick)
        else:
            self.mention(message.nick)

    def mention(self, nick: str) -> None:
        self.composer.focus()
        self.composer.mention(nick)

    @on(SearchBar.TextChanged)
    def _searched(self, message: SearchBar.TextChanged) -> None:
        self.pane.search(message.text)
        self._show_match_count()

    @on(SearchBar.Stepped)
    def _search_stepped(self, message: SearchBar.Stepped) -> None:
        self.pane.search_previous() if message.by < 0 else self.pane.search_next()
        self._show_match_count()

    def _show_match_count(self) -> None:
        self.query_one(SearchBar).tell(*self.pane.found)

    @on(SearchBar.Closed)
    def _search_closed(self) -> None:
        self.pane.clear_search()
        self.set_focus(self.composer)

    def on_key(self, event: events.Key) -> None:
        """Move the focus to the input line if a character is typed while nothing takes text."""
        if event.is_printable and event.character and self.focused is not self.composer:
            self._put_into_line(event)

    def on_paste(self, event: events.Paste) -> None:
        """Do the same for a paste."""
        if self.focused is not self.composer:
            self._put_into_line(event)

    def _put_into_line(self, event: events.Event) -> None:
        event.stop()
        self.set_focus(self.composer)
        self.composer.post_message(event)

    # Keys and the palette

    def palette_commands(self) -> Iterator[SystemCommand]:
        yield SystemCommand("People", "Who is here; choose one to name them", self.action_people)
        yield SystemCommand("Newest line", "Go to the end of the pane", self.action_end)
        yield SystemCommand("Oldest line", "Go to the beginning of the pane", self.action_top)
        yield from super().palette_commands()

    def action_people(self) -> None:
        people = self.query_one(PeopleList)
        if people.roster.has_focus:
            self.action_back()
        else:
            people.add_class("-open")
            self.set_focus(people.roster)

    def action_find(self, text: str = "") -> None:
        self.query_one(SearchBar).open(text)

    def action_back(self) -> None:
        """Close the widget that is open. If there is none, go to the newest line."""
        people = self.query_one(PeopleList)
        if self.query_one(InputLine).close_commands():
            return
        if people.roster.has_focus or people.has_class("-open"):
            people.remove_class("-open")
            self.set_focus(self.composer)
        elif (search := self.query_one(SearchBar)).display:
            search.action_close()
        else:
            self.action_end()

    def action_page(self, by: int) -> None:
        self.pane.scroll_page_up(animate=False) if by < 0 else self.pane.scroll_page_down(animate=False)

    def action_top(self) -> None:
        self.pane.scroll_home(animate=False)

    @on(InputLine.NewAsked)
    def action_end(self) -> None:
        self.pane.jump_to_end()
