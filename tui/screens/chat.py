"""ChatScreen: the screen of a room, with the pane, the people, the input line and the status bar.

It shows the events of the link and sends the user's input to it. The app owns the link, the server and the settings.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from protocol.client import Gap, Received
from protocol.format import format_refused, format_status
from protocol.messages import ModelSwitched, OperatorGranted, Refused, Status, Welcome
from tui.commands.completion import Completion, RecentSpeakers, complete
from tui.commands.parse import ChatLine, ParsedCommand, needs_room
from tui.desktop import open_link
from tui.link.room_link import RoomLink, State
from tui.screens import command_handlers
from tui.screens.host import HostControls
from tui.widgets.banner import Banner
from tui.widgets.composer import Composer
from tui.widgets.header import Header
from tui.widgets.input_line import InputLine
from tui.widgets.keys import Keys
from tui.widgets.message_pane import MessagePane
from tui.widgets.meter_panel import MeterPanel
from tui.widgets.pane_messages import LinkOpened, Mentioned, UnreadChanged
from tui.widgets.people import People, Roster
from tui.widgets.rules_line import RulesLine
from tui.widgets.search_bar import SearchBar
from tui.widgets.status_bar import StatusBar, StatusBarState


class ChatScreen(HostControls):
    """One room, over one link."""

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

    def __init__(self, link: RoomLink, input_history: list[str]) -> None:
        """`input_history` has the lines that the user sent before, for the arrow keys."""
        super().__init__(link)
        self.awaits_status = False
        """/status was typed, so the next Status is also written into the pane."""
        self._input_history = input_history
        self._unshown_events: list[Received] = []
        self._is_composed = False
        self._is_ending = False
        self._was_removed = False
        """The room has removed us for good, and we have not joined it again."""
        self._speakers = RecentSpeakers()

    @property
    def pane(self) -> MessagePane:
        return self.query_one(MessagePane)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield Banner(self.chat_app.monotonic, id="banner")
        yield MeterPanel(id="meter")
        yield RulesLine(id="rules")
        with Horizontal(id="room"):
            yield MessagePane(id="pane")
            yield People(id="people")
        yield SearchBar(id="search")
        yield InputLine(
            self._complete,
            self._input_history,
            in_room=lambda: self.link.client.in_room,
            clock=self.chat_app.monotonic,
            id="input-line",
        )
        with Horizontal(id="bottom"):
            yield StatusBar(id="status")
            yield Keys()

    def on_mount(self) -> None:
        self.query_one(Header).title = self.app.title
        self.query_one(InputLine).commands.hosts = self.chat_app.hosted_server is not None
        self.pane.show_times = self.chat_app.settings.times
        self._is_composed = True
        self.show_address()
        early, self._unshown_events = self._unshown_events, []
        self.on_events(early)
        self.show_link_state(self.link.state)
        self.set_interval(1, self._update_status_bar)
        self.watch(self.app, "app_focus", self._set_away)
        self.set_focus(self.composer)

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(InputLine).screen_rows = event.size.height

    # Events of the room

    def on_events(self, received: Sequence[Received]) -> None:
        """Show events of the room, in order. Events that come before the screen is composed are shown later."""
        if not self._is_composed:
            self._unshown_events += received
            return
        received = self.without_deferred(received)
        self._speakers.record(received)
        self.pane.add(self._replace_history(received))
        self._show_match_count()
        for event in received:
            match event:
                case Welcome():
                    self._welcomed(event)
                case Status():
                    self.status = event
                    if self.awaits_status:
                        self.awaits_status = False
                        self.pane.note(format_status(event))
                case ModelSwitched() if self.status is not None:
                    self.status.model, self.status.served_by = event.model, ""
                case Refused(id=""):
                    self.show_refusal(format_refused(event))
                case OperatorGranted():
                    self.query_one(InputLine).operator = event.on
                    self.refresh_bindings()
        self.update_host_widgets(received)
        self.query_one(People).show(self.link.client.people, self.link.client.nick)
        self._update_status_bar()

    def _replace_history(self, received: Sequence[Received]) -> Sequence[Received]:
        """After a removal we join as a new member and get the whole history. It replaces the content of the pane. The
        gap before it is left out, as the history has the missed lines."""
        if not self._was_removed:
            return received
        first = next((event for event in received if isinstance(event, Welcome)), None)
        if first is None:
            return received
        self._was_removed = False
        if first.resumed:
            return received
        self.pane.clear()
        return [event for event in received if not (isinstance(event, Gap) and event.missed is None)]

    def note(self, sentence: str) -> None:
        """Write a note of the client into the pane."""
        if self._is_composed:
            self.pane.note(sentence)

    def _welcomed(self, welcome: Welcome) -> None:
        self.status = Status(welcome.model, welcome.connections, welcome.served_by)
        self.awaits_status, self._typed_command = False, ""  # Requests of the previous connection get no answer.
        line = self.query_one(InputLine)
        line.limits, line.operator = welcome.limits, self.is_operator

    def show_ending(self) -> None:
        """Show that the hosted room is being ended, which may take a while."""
        self._is_ending = True
        if self._is_composed:
            self.query_one(Banner).say("Ending the room …", keys="Ctrl+Q leaves at once")

    def show_link_state(self, state: State) -> None:
        """Show the state of the link."""
        if not self._is_composed or self._is_ending:
            return
        banner = self.query_one(Banner)
        where = state.trouble(self.link.address)
        if self.chat_app.room_end_reason:
            banner.say(self.chat_app.room_end_reason, keys="Ctrl+R starts it again")
        elif state.phase == "over":
            self._was_removed = True
            banner.say(f"You are out of the room: {state.reason}.", keys="Ctrl+R joins again   Ctrl+Q leaves")
        elif state.phase == "waiting":
            banner.say(where, until=state.retry_at, keys="Ctrl+R tries now")
        elif state.phase == "connecting" and state.attempt:
            banner.say(where, until=self.chat_app.monotonic(), keys="")
        elif state.phase == "online":
            banner.say("")
        self._update_status_bar()

    def show_address(self) -> None:
        """Show the address of the room, or the command with which others join it."""
        invitations = self.chat_app.invitations
        self.query_one(Header).place = f"join: chat-tui {invitations[0]}" if invitations else str(self.link.address)

    def _set_away(self, focus: bool) -> None:
        self.pane.away = not focus

    def _update_status_bar(self) -> None:
        status, link = self.status, self.link
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
        match message.meant:
            case ChatLine(text, action) as spoken:
                self._typed_command = ""
                id = self.link.client.new_id()
                self.pane.add_own(id, text, action, self.chat_app.now())
                self.slow_mode_queue.send(id, spoken)
                self.count_down()
            case ParsedCommand():
                if message.meant.name not in command_handlers.LOCAL_COMMANDS:
                    self.action_end()  # The answer appears at the end.
                self._typed_command = message.text if needs_room(message.meant) else ""
                command_handlers.run(self, message.meant)

    def run_command(self, asked_for: ParsedCommand) -> None:
        """Run a command that was chosen from a list, and not typed."""
        self._typed_command = ""
        command_handlers.run(self, asked_for)

    def show_refusal(self, sentence: str) -> None:
        """Show why the last command was refused. A typed command returns to the input line, with the reason beside it;
        for a chosen one the reason goes into the pane."""
        text, self._typed_command = self._typed_command, ""
        if text:
            self.query_one(InputLine).refuse(sentence, text)
        else:
            self.pane.note(sentence, "error")

    def _complete(self, text: str, cursor: int) -> list[Completion]:
        client = self.link.client
        return complete(
            text,
            cursor,
            people=client.people,
            speakers=self._speakers.latest_first,
            me=client.nick,
            operator=self.is_operator,
        )

    # Messages of the widgets

    @on(UnreadChanged)
    def _unread_changed(self, message: UnreadChanged) -> None:
        self.query_one(InputLine).unread = message.count

    @on(Mentioned)
    def _mentioned(self) -> None:
        if self.chat_app.settings.bell:
            self.app.bell()

    @on(LinkOpened)
    def _link_opened(self, message: LinkOpened) -> None:
        self.app.run_worker(partial(open_link, self.app, message.url), thread=True)

    @on(Roster.Chosen)
    def _chosen(self, message: Roster.Chosen) -> None:
        self.query_one(People).remove_class("-open")
        if self.is_operator:
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

    # Keys

    def action_people(self) -> None:
        people = self.query_one(People)
        if people.roster.has_focus:
            self.action_back()
        else:
            people.add_class("-open")
            self.set_focus(people.roster)

    def action_find(self, text: str = "") -> None:
        self.query_one(SearchBar).open(text)

    def action_back(self) -> None:
        """Close the widget that is open. If there is none, go to the newest line."""
        people = self.query_one(People)
        if self.query_one(InputLine).close_commands():
            return
        if people.roster.has_focus or people.has_class("-open"):
            people.remove_class("-open")
            self.set_focus(self.composer)
        elif (search := self.query_one(SearchBar)).display:
            search.action_close()
        else:
            self.action_end()

    def action_times(self) -> None:
        self.chat_app.change_settings(times=not self.chat_app.settings.times)
        self.pane.show_times = self.chat_app.settings.times

    def action_bell(self) -> None:
        self.chat_app.change_settings(bell=not self.chat_app.settings.bell)
        ring = self.chat_app.settings.bell
        self.pane.note("the bell rings when somebody names you" if ring else "the bell is silent")

    def action_page(self, by: int) -> None:
        self.pane.scroll_page_up(animate=False) if by < 0 else self.pane.scroll_page_down(animate=False)

    def action_top(self) -> None:
        self.pane.scroll_home(animate=False)

    @on(InputLine.NewAsked)
    def action_end(self) -> None:
        self.pane.jump_to_end()
