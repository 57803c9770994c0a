"""LineClient: the common part of the prompt and the pipe. It handles typed lines, and turns events into lines to print.

It prints through a callback and does not depend on a terminal.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from math import ceil

from protocol.client import HistoryReader, Received
from protocol.format import plural
from protocol.messages import Goodbye, Limits, OperatorGranted, People, Pong, Refused, Said, Status, Welcome
from protocol.sanitize import sanitize
from tui.address import Address
from tui.commands.completion import RecentSpeakers
from tui.commands.length_check import check_length
from tui.commands.parse import ChatLine, ParsedCommand, ParseError, available_commands, format_unsent, needs_room, parse
from tui.commands.slow_mode import SlowModeQueue
from tui.line.formatting import Line, format_event, history_end, key_help, note
from tui.link.room_link import NICKNAME_CODES, RoomLink, State
from tui.message_log.entries import mentions
from tui.transcript.file import CannotSave, save
from tui.transcript.transcript import Transcript


class JoinFailed(Exception):
    """The client could not join: the room was not `reached`, rejected it, or refused the nickname (`refused`)."""

    def __init__(self, reason: str, refused: Refused | None = None, *, reached: bool = True) -> None:
        super().__init__(reason)
        self.refused = refused
        self.reached = reached


class LineClient:
    """A client of one room.

    `show` receives the lines to print. With `show_own`, they include the typed lines once the room has accepted them,
    and notes on lines that wait for slow mode. `key` is the operator's key of a hosted room, which ends when the client
    leaves."""

    def __init__(
        self,
        address: Address,
        nick: str,
        *,
        show: Callable[[list[Line]], None],
        show_own: bool,
        key: bytes = b"",
        transcript: Transcript | None = None,
        asks_for_nick: bool = True,
        on_heard: Callable[[list[Received]], None] = lambda events: None,
        on_mention: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.link = RoomLink(
            address,
            nick,
            on_events=self._on_events,
            on_state=self._on_state,
            on_note=lambda sentence: show([note(sentence)]),
            asks_for_nick=asks_for_nick,
        )
        self.speakers = RecentSpeakers()
        self._transcript = transcript or Transcript()
        self._transcript.on_trouble = lambda sentence: show([note(sentence)])
        self.failures = 0
        """Typed lines that failed."""
        self.ended = asyncio.Event()
        self._show = show
        self._show_own = show_own
        self._on_heard = on_heard
        self._on_mention = on_mention
        self._on_change = on_change
        self._hosts_room = bool(key)
        if key:
            self.link.operator(key)
        self._deferred = SlowModeQueue(lambda id, line: self.link.say(line.text, line.action, id))
        self._who_asked: deque[bool] = deque()
        """For each expected `people`, whether the person asked for it, and not the link."""
        self._who_due = False
        """Whether the person has asked for the roster and waits for it. It is shown once it includes this client."""
        self._status_asked = False
        self._join_decided = asyncio.Event()
        self._join_failure: JoinFailed | None = None
        self._changed_event = asyncio.Event()
        self._history_until = 0
        self._history = HistoryReader()
        self._pong = ""
        """The id of the expected `pong` after all answers; empty if none is expected."""

    @property
    def operator(self) -> bool:
        """Whether the client is an operator."""
        return self.link.client.is_operator

    @property
    def unanswered(self) -> int:
        """The number of typed lines without an answer."""
        return len(self.link.client.unacknowledged) + len(self._deferred)

    @property
    def deferred(self) -> str:
        """The number of lines that wait for slow mode and the remaining seconds, in words; empty if none waits."""
        waiting, left = len(self._deferred), ceil(self._deferred.seconds_left)
        if not waiting:
            return ""
        words = f"{plural(waiting, 'line')} to be said"
        return f"{words}{', the next' if waiting > 1 else ''} in {left} s" if left else words

    async def wait_until_joined(self) -> None:
        """Wait until the client is in the room. Raises JoinFailed; after a refused nickname, `introduce` another."""
        await self._join_decided.wait()
        if self._join_failure is not None:
            raise self._join_failure

    def introduce(self, nick: str) -> None:
        """Try to join under another nickname."""
        self._join_decided.clear()
        self._join_failure = None
        self.link.introduce(nick)

    async def wait_until_settled(self) -> None:
        """Wait until the room has answered all requests, also across reconnects."""
        while not self.ended.is_set():
            self._pong = f"talk-{secrets.token_hex(4)}"
            self.link.ping(self._pong)
            await self.wait_until(lambda: not (self.link.client.in_room and self._pong))
            if not self._pong and not self.unanswered and not self._who_due:
                return
            await self.wait_until(lambda: self.link.client.in_room and not self.unanswered and not self._who_due)

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()` or the link has ended. The condition is checked after each event."""
        while not (holds() or self.ended.is_set()):
            self._changed_event.clear()
            await self._changed_event.wait()

    def handle_input(self, text: str) -> bool:
        """Handle a typed line. Returns False if it asks to leave."""
        match parse(text, screen=False):
            case ChatLine(said, action) as spoken:
                told = check_length(said, self.link.client.limits, action=action)
                if told.is_too_long:
                    self._fail(told.sentence)
                else:
                    self._say(spoken)
            case ParseError() as mistake:
                self._fail(mistake.sentence)
            case ParsedCommand() as asked:
                return self._run_command(asked)
        return True

    def _say(self, spoken: ChatLine) -> None:
        self._deferred.send(self.link.client.new_id(), spoken)
        if self._deferred.seconds_left:
            self._show_deferred()

    def _show_deferred(self) -> None:
        """Show that a line waits: it has left the input, and is not printed yet."""
        if self._show_own:
            self._show([note(f"slow mode: {self.deferred}")])

    def _run_command(self, asked: ParsedCommand) -> bool:
        if asked.name == "quit":
            return False
        if asked.name == "help":
            commands = available_commands(operator=self.operator, screen=False, hosts=self._hosts_room)
            rows = [(one.usage, one.summary) for one in commands]
            if self._show_own:  # Only a prompt has keys.
                rows += key_help(ends_room=self._hosts_room)
            width = max(len(usage) for usage, _ in rows)
            self._show([note(f"{usage:<{width}}  {summary}") for usage, summary in rows])
        elif asked.name == "save":
            self._save(asked.argument)
        elif needs_room(asked) and not self.link.client.in_room:
            self._fail(format_unsent(f"/{asked.name}"))
        elif asked.name == "nick":
            self.link.rename(asked.argument)
        elif asked.name == "who":
            self._who_asked.append(True)
            self.link.who(nameless=True)
        elif asked.name == "status":
            self._status_asked = True
            self.link.ask_status()
        elif asked.name == "where":
            self.link.where()
        elif asked.order is not None:
            self.link.order(asked.order)
        return True

    def _save(self, name: str) -> None:
        try:
            path = save(name, self._transcript.entries, self._transcript.now())
            self._show([note(f"what was said is in {sanitize(path)}")])
        except CannotSave as error:
            self._fail(sanitize(str(error)))

    def _fail(self, sentence: str) -> None:
        self.failures += 1
        self._show([note(sentence)])

    # Callbacks of the link

    def _on_events(self, events: list[Received]) -> None:
        self._transcript.record(events)
        self.speakers.record(events)
        self._deferred.set_interval(0.0 if self.operator else self.link.client.rules.slow)
        lines: list[Line] = []
        for event in events:
            if self._apply(event):
                lines += format_event(event, self.link.client.nick)
            if (welcome := self._history.ended_by(event)) is not None:
                lines += history_end(welcome)
        if self._who_due and self.link.client.nick in self.link.client.people:
            self._who_due = False
            people = People(self.link.client.seq, sorted(self.link.client.people, key=str.casefold))
            lines += format_event(people, self.link.client.nick)
        if lines:
            self._show(lines)
        self._on_heard(events)
        self._changed()

    def _apply(self, event: Received) -> bool:
        """Update the state for an event. Returns whether to print it."""
        match event:
            case Welcome():
                self._who_asked, self._who_due = deque([False]), False  # The link requests the roster.
                self._status_asked = False
                self._history_until = event.seq
                self._drop_lines_over_limits(event.limits)
                self._join_decided.set()
            case Said():
                return self._apply_said(event)
            case People():
                # This roster may be older than our own `presence`, which follows.
                self._who_due |= bool(self._who_asked) and self._who_asked.popleft()
                return False
            case Status():
                asked, self._status_asked = self._status_asked, False
                return asked
            case Pong() if event.id == self._pong:
                self._pong = ""
            case Goodbye():
                return self._apply_goodbye(event)
            case OperatorGranted():
                return False
            case Refused():
                return self._apply_refused(event)
        return True

    def _drop_lines_over_limits(self, limits: Limits) -> None:
        """Drop unsaid lines that exceed the limits of a restarted room. It would refuse a line that is too long to read
        without its id, and the client would send it again after each reconnect."""
        unsaid = self.link.client.unacknowledged
        for id, line in list(unsaid.items()):
            told = check_length(line.text, limits, action=line.action)
            if told.is_too_long:
                del unsaid[id]
                self._deferred.on_answer(id)
                self._fail(f"a line that waited was not said: {told.sentence}")

    def _apply_said(self, said: Said) -> bool:
        if self._deferred.on_answer(said.id):
            return self._show_own
        me = self.link.client.nick
        if said.seq > self._history_until and said.nick != me and mentions(said.text, me):
            self._on_mention()
        return True

    def _apply_refused(self, refused: Refused) -> bool:
        if refused.code == "slow-mode" and self._deferred.on_refusal(refused.id, refused.wait):
            if self._deferred.seconds_left:
                self._show_deferred()
            return False
        self._deferred.on_answer(refused.id)
        if refused.code in NICKNAME_CODES and not self.link.entered:
            self._join_failure = JoinFailed(refused.reason, refused)
            self._join_decided.set()
            return False
        self.failures += 1
        return True

    def _apply_goodbye(self, goodbye: Goodbye) -> bool:
        if not self.link.entered:
            self._join_failure = self._join_failure or JoinFailed(goodbye.reason)
            self._join_decided.set()
        return self.link.entered and goodbye.code != "quit"

    def _on_state(self, state: State) -> None:
        match state.phase:
            case "waiting" if not self.link.entered and self._join_failure is None:
                self._join_failure = JoinFailed(state.reason, reached=False)
                self._join_decided.set()
            case "waiting" if self.link.entered and state.attempt == 1:
                self._show(
                    [note(f"the room is lost: {state.reason}; trying to come back, and nothing you say is lost")]
                )
            case "over":
                self.ended.set()
                if not self.link.entered and self._join_failure is None:
                    self._join_failure = JoinFailed(state.reason, reached=False)
                self._join_decided.set()
        self._changed()

    def _changed(self) -> None:
        self._changed_event.set()
        self._on_change()
