"""LineClient: a RoomClient as lines to print. It handles typed lines for the prompt, the pipe and the console.

It prints through a callback and does not depend on a terminal.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from types import MappingProxyType

from protocol.client import Received
from protocol.format import plural
from protocol.messages import Goodbye, Ping, Pong, Refused, Welcome
from tui.client import RoomClient
from tui.client_view import ClientView, Item, Note
from tui.commands.parse import ChatLine, ParsedCommand, available_commands, parse
from tui.line.formatting import Line, format_event, note


class JoinFailed(Exception):
    """The client could not join: the room was not `reached`, rejected it, or refused the nickname (`refused`)."""

    def __init__(self, reason: str, refused: Refused | None = None, *, reached: bool = True) -> None:
        super().__init__(reason)
        self.refused = refused
        self.reached = reached


MAX_IN_FLIGHT_LINES = 64
"""Lines without an answer above which a program waits. The room remembers the answers to more lines than that."""
MAX_NICKNAMES = 5
"""Nicknames that a program tries; each is the room's suggestion after the previous one was refused."""


class LineClient(ClientView):
    """A view of `client`. `show` receives the lines to print."""

    def __init__(
        self,
        client: RoomClient,
        *,
        show: Callable[[list[Line]], None],
        keys: Sequence[tuple[str, str]] = (),
        absent: Mapping[str, str] = MappingProxyType({}),
        on_mention: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`keys` are the keys of the input and their descriptions, for `/help`. `absent` has the commands that do not
        work here, each with a sentence that says why."""
        self.client = client
        self.failures = 0
        """Typed lines that failed."""
        self.ended = asyncio.Event()
        self._show = show
        self._keys = keys
        self._absent = absent
        self._on_mention = on_mention
        self._on_change = on_change
        self._join_decided = asyncio.Event()
        self._join_failure: JoinFailed | None = None
        self._is_in = False
        """Whether the loss of the room has not been printed since the client joined."""
        self._changed_event = asyncio.Event()
        self._pong = ""
        """The id of the expected `pong` after all answers; empty if none is expected."""
        client.attach(self)

    @property
    def deferred(self) -> str:
        """The number of lines that wait for slow mode and the remaining seconds, in words; empty if none waits."""
        queue = self.client.slow_mode_queue
        waiting, left = len(queue), ceil(queue.seconds_left)
        if not waiting:
            return ""
        words = f"{plural(waiting, 'line')} to be said"
        return f"{words}{', the next' if waiting > 1 else ''} in {left} s" if left else words

    async def wait_until_joined(self) -> None:
        """Wait until the client is in the room. Raises JoinFailed; after a refused nickname, `try_nick` another."""
        await self._join_decided.wait()
        if self._join_failure is not None:
            raise self._join_failure

    def try_nick(self, nick: str) -> None:
        """Try to join under another nickname."""
        self._join_decided.clear()
        self._join_failure = None
        self.client.try_nick(nick)

    async def join(self, tell: Callable[[JoinFailed, str], None]) -> None:
        """Wait until the client is in the room, under a nickname that the room suggests if its own is refused. `tell`
        gets each refusal, and the next nickname. Raises JoinFailed."""
        for _ in range(MAX_NICKNAMES):
            try:
                await self.wait_until_joined()
                return
            except JoinFailed as failure:
                if failure.refused is None or not failure.refused.suggestion:
                    raise
                tell(failure, failure.refused.suggestion)
                self.try_nick(failure.refused.suggestion)
        await self.wait_until_joined()

    @property
    def may_say_more(self) -> bool:
        """Whether a program may say another line: one by one in slow mode, so that a refused line that is said again
        keeps its place."""
        return self.client.unanswered < (1 if self.client.rules.slow else MAX_IN_FLIGHT_LINES)

    async def wait_until_settled(self) -> None:
        """Wait until the room has answered all requests, also across reconnects."""
        client = self.client
        while not self.ended.is_set():
            self._pong = f"talk-{secrets.token_hex(4)}"
            client.link.send_command(Ping(self._pong))
            await self.wait_until(lambda: not (client.in_room and self._pong))
            if not self._pong and not self._is_answer_due:
                return
            await self.wait_until(lambda: client.in_room and not self._is_answer_due)

    @property
    def _is_answer_due(self) -> bool:
        return self.client.unanswered > 0 or self.client.awaited.is_roster_due

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()` or the link has ended. The condition is checked after each event."""
        while not (holds() or self.ended.is_set()):
            self._changed_event.clear()
            await self._changed_event.wait()

    def handle_input(self, text: str) -> bool:
        """Handle a typed line. Returns False if it asks to leave."""
        parsed = parse(text, screen=False)
        if problem := self.client.check(parsed):
            self.fail(problem)
        elif isinstance(parsed, ChatLine):
            self.client.say(parsed)
        elif isinstance(parsed, ParsedCommand) and parsed.name in self._absent:
            self.fail(self._absent[parsed.name])
        elif isinstance(parsed, ParsedCommand) and not self.client.run(parsed):
            return self._run_command(parsed)
        return True

    def _run_command(self, command: ParsedCommand) -> bool:
        match command.name:
            case "quit":
                return False
            case "help":
                self._show_help()
            case "save":
                result = self.client.save(command.argument, self.client.transcript.entries)
                self.fail(result.sentence) if result.is_error else self._show([note(result.sentence)])
        return True

    def _show_help(self) -> None:
        hosts = self.client.hosts_room
        commands = available_commands(operator=self.client.is_operator, screen=False, hosts=hosts)
        rows = [(one.usage, one.summary) for one in commands if one.name not in self._absent]
        rows += self._keys
        width = max(len(usage) for usage, _ in rows)
        self._show([note(f"{usage:<{width}}  {summary}") for usage, summary in rows])

    def fail(self, sentence: str) -> None:
        """Show why a typed line failed."""
        self.failures += 1
        self._show([note(sentence)])

    # Callbacks of the client

    def show_items(self, items: Sequence[Item]) -> None:
        """Print the items."""
        lines: list[Line] = []
        for item in items:
            match item:
                case Note():
                    lines.append(note(item.sentence))
                case Pong() if item.id == self._pong:
                    self._pong = ""
                case Goodbye(code="quit"):
                    pass
                case _:
                    lines += self._format(item)
        if lines:
            self._show(lines)
        self._changed()

    def _format(self, event: Received) -> list[Line]:
        self.failures += isinstance(event, Refused)
        return format_event(event, self.client.nick)

    def line_deferred(self) -> None:
        """Show that a line waits: it has left the input, and is not printed yet."""
        if self.client.shows_own_lines and self.client.slow_mode_queue.seconds_left:
            self._show([note(f"slow mode: {self.deferred}")])

    def joined(self, welcome: Welcome) -> None:
        self._is_in = True
        self._join_decided.set()

    def rejected(self, goodbye: Goodbye) -> None:
        if self.client.link.entered:
            self._show(format_event(goodbye, self.client.nick))
        else:
            self._fail_to_join(JoinFailed(goodbye.reason))

    def nick_refused(self, refused: Refused) -> None:
        if self.client.link.entered:
            self._show(self._format(refused))
        else:
            self._join_failure = None
            self._fail_to_join(JoinFailed(refused.reason, refused))

    def mentioned(self) -> None:
        self._on_mention()

    def link_changed(self) -> None:
        state, entered = self.client.link.state, self.client.link.entered
        if state.phase == "waiting" and self._is_in:
            self._is_in = False
            self._show([note(f"the room is lost: {state.reason}; trying to come back, and nothing you say is lost")])
        if state.phase in ("waiting", "over") and not entered:
            self._fail_to_join(JoinFailed(state.reason, reached=False))
        if state.phase == "over":
            self.ended.set()
            self._join_decided.set()
        self._changed()

    def _fail_to_join(self, failure: JoinFailed) -> None:
        """Record why the client has not joined, if there is no earlier reason."""
        self._join_failure = self._join_failure or failure
        self._join_decided.set()

    def _changed(self) -> None:
        self._changed_event.set()
        self._on_change()
