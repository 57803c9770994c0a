"""ChatScreen: the room: the pane, the people, the line being written, and the state of it all.

It shows what the link tells, and asks the link for what a person wants. Links, servers and settings are the app's.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from protocol.client import Gap, Received
from protocol.messages import ModelSwitched, OperatorGranted, Refused, Status, Welcome
from protocol.sentences import format_refused, format_status
from tui.clipboard import follow_link
from tui.commands.completion import Completion, Speakers, complete
from tui.commands.parse import ChatLine, ParsedCommand, needs_room
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
from tui.widgets.status_bar import Standing, StatusBar


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

    def __init__(self, link: RoomLink, said: list[str]) -> None:
        """`said` holds what was said before, for walking back through it."""
        super().__init__(link)
        self.status_asked = False
        """Somebody typed /status, and wants the next one in words."""
        self._said = said
        self._early: list[Received] = []
        self._shown = False
        self._ending = False
        self._let_go = False
        """The room let us go for good, and has not let us in again."""
        self._speakers = Speakers()

    @property
    def transcript(self) -> MessagePane:
        return self.query_one(MessagePane)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield Banner(self.chat.monotonic, id="banner")
        yield MeterPanel(id="meter")
        yield RulesLine(id="rules")
        with Horizontal(id="room"):
            yield MessagePane(id="transcript")
            yield People(id="people")
        yield SearchBar(id="search")
        yield InputLine(self._complete, self._said, in_room=lambda: self.link.client.in_room, id="input-line")
        with Horizontal(id="bottom"):
            yield StatusBar(id="status")
            yield Keys()

    def on_mount(self) -> None:
        self.query_one(Header).title = self.app.title
        self.query_one(InputLine).commands.hosts = self.chat.own is not None
        self.transcript.show_times = self.chat.settings.times
        self._shown = True
        self.place()
        early, self._early = self._early, []
        self.take(early)
        self.follow(self.link.state)
        self.set_interval(1, self._show_standing)
        self.watch(self.app, "app_focus", self._look_away)
        self.set_focus(self.composer)

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(InputLine).screen_rows = event.size.height

    # What the room tells

    def take(self, received: Sequence[Received]) -> None:
        """Show what the room told, in order."""
        if not self._shown:
            self._early += received
            return
        received = self.without_deferred(received)
        self._speakers.hear(received)
        self.transcript.add(self._begun_anew(received))
        self._tell_found()
        for event in received:
            match event:
                case Welcome():
                    self._welcomed(event)
                case Status():
                    self.status = event
                    if self.status_asked:
                        self.status_asked = False
                        self.transcript.note(format_status(event))
                case ModelSwitched() if self.status is not None:
                    self.status.model, self.status.served_by = event.model, ""
                case Refused(id=""):
                    self.refuse(format_refused(event))
                case OperatorGranted():
                    self.query_one(InputLine).operator = event.on
                    self.refresh_bindings()
        self.take_note(received)
        self.query_one(People).show(self.link.client.people, self.link.client.nick)
        self._show_standing()

    def _begun_anew(self, received: Sequence[Received]) -> Sequence[Received]:
        """Whoever was let go and comes back as a newcomer is told the history once more: it takes the place of what
        was there, and what was missed is in it."""
        if not self._let_go:
            return received
        first = next((event for event in received if isinstance(event, Welcome)), None)
        if first is None:
            return received
        self._let_go = False
        if first.resumed:
            return received
        self.transcript.clear()
        return [event for event in received if not (isinstance(event, Gap) and event.missed is None)]

    def note(self, sentence: str) -> None:
        """Say something of the client's own in the pane."""
        if self._shown:
            self.transcript.note(sentence)

    def _welcomed(self, welcome: Welcome) -> None:
        self.status = Status(welcome.model, welcome.connections, welcome.served_by)
        self.status_asked, self._typed_command = False, ""  # What another connection was asked has no answer any more.
        line = self.query_one(InputLine)
        line.limits, line.operator = welcome.limits, self.operator

    def end(self) -> None:
        """The room we host is being ended, which may take a while."""
        self._ending = True
        if self._shown:
            self.query_one(Banner).say("Ending the room …", keys="Ctrl+Q leaves at once")

    def follow(self, state: State) -> None:
        """Show how the link stands."""
        if not self._shown or self._ending:
            return
        banner = self.query_one(Banner)
        where = state.trouble(self.link.address)
        if self.chat.room_ended:
            banner.say(self.chat.room_ended, keys="Ctrl+R starts it again")
        elif state.phase == "over":
            self._let_go = True
            banner.say(f"You are out of the room: {state.reason}.", keys="Ctrl+R joins again   Ctrl+Q leaves")
        elif state.phase == "waiting":
            banner.say(where, until=state.retry_at, keys="Ctrl+R tries now")
        elif state.phase == "connecting" and state.attempt:
            banner.say(where, until=self.chat.monotonic(), keys="")
        elif state.phase == "online":
            banner.say("")
        self._show_standing()

    def place(self) -> None:
        """Show where the room is."""
        invitations = self.chat.invitations
        self.query_one(Header).place = f"join: chat-tui {invitations[0]}" if invitations else str(self.link.address)

    def _look_away(self, focus: bool) -> None:
        self.transcript.away = not focus

    def _show_standing(self) -> None:
        status, link = self.status, self.link
        self.query_one(StatusBar).standing = Standing(
            phase=link.state.phase,
            model=status.model if status else "",
            connections=status.connections if status else 0,
            served_by=status.served_by if status else "",
            round_trip=link.round_trip,
            address=str(self.invitation.best),
        )

    # What a person writes

    @on(InputLine.Entered)
    def _entered(self, message: InputLine.Entered) -> None:
        match message.meant:
            case ChatLine(text, action) as spoken:
                self._typed_command = ""
                id = self.link.client.new_id()
                self.transcript.add_own(id, text, action, self.chat.now())
                self.deferred.say(id, spoken)
                self.count_down()
            case ParsedCommand():
                if message.meant.name not in command_handlers.ABOUT_THE_PANE:
                    self.action_end()  # Where the answer will be.
                self._typed_command = message.text if needs_room(message.meant) else ""
                command_handlers.carry_out(self, message.meant)

    def carry_out(self, asked_for: ParsedCommand) -> None:
        """Do what a command asks for that was chosen, and not typed."""
        self._typed_command = ""
        command_handlers.carry_out(self, asked_for)

    def refuse(self, sentence: str) -> None:
        """Say that the last command was refused: beside the prompt if it was typed there, so that it can be corrected;
        else in the pane."""
        text, self._typed_command = self._typed_command, ""
        if text:
            self.query_one(InputLine).refuse(sentence, text)
        else:
            self.transcript.note(sentence, "error")

    def _complete(self, text: str, cursor: int) -> list[Completion]:
        client = self.link.client
        return complete(
            text,
            cursor,
            people=client.people,
            speakers=self._speakers.latest_first,
            me=client.nick,
            operator=self.operator,
        )

    # What the widgets ask

    @on(UnreadChanged)
    def _unread_changed(self, message: UnreadChanged) -> None:
        self.query_one(InputLine).unread = message.count

    @on(Mentioned)
    def _mentioned(self) -> None:
        if self.chat.settings.bell:
            self.app.bell()

    @on(LinkOpened)
    def _link_opened(self, message: LinkOpened) -> None:
        self.app.run_worker(partial(follow_link, self.app, message.url), thread=True)

    @on(Roster.Chosen)
    def _chosen(self, message: Roster.Chosen) -> None:
        self.query_one(People).remove_class("-open")
        if self.operator:
            self.deal_with(message.nick)
        else:
            self.mention(message.nick)

    def mention(self, nick: str) -> None:
        self.composer.focus()
        self.composer.mention(nick)

    @on(SearchBar.ParsedCommand)
    def _searched(self, message: SearchBar.ParsedCommand) -> None:
        self.transcript.search(message.text)
        self._tell_found()

    @on(SearchBar.Stepped)
    def _search_stepped(self, message: SearchBar.Stepped) -> None:
        self.transcript.search_previous() if message.by < 0 else self.transcript.search_next()
        self._tell_found()

    def _tell_found(self) -> None:
        self.query_one(SearchBar).tell(*self.transcript.found)

    @on(SearchBar.Closed)
    def _search_closed(self) -> None:
        self.transcript.clear_search()
        self.set_focus(self.composer)

    def on_key(self, event: events.Key) -> None:
        """A letter that is typed while nothing takes text belongs into the line."""
        if event.is_printable and event.character and self.focused is not self.composer:
            self._put_into_line(event)

    def on_paste(self, event: events.Paste) -> None:
        """The same for a paste."""
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
        """Close what is open; with nothing open, go to the newest line."""
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
        self.chat.set(times=not self.chat.settings.times)
        self.transcript.show_times = self.chat.settings.times

    def action_bell(self) -> None:
        self.chat.set(bell=not self.chat.settings.bell)
        ring = self.chat.settings.bell
        self.transcript.note("the bell rings when somebody names you" if ring else "the bell is silent")

    def action_page(self, by: int) -> None:
        self.transcript.scroll_page_up(animate=False) if by < 0 else self.transcript.scroll_page_down(animate=False)

    def action_top(self) -> None:
        self.transcript.scroll_home(animate=False)

    @on(InputLine.NewAsked)
    def action_end(self) -> None:
        self.transcript.jump_to_end()
