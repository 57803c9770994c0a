"""The prompt of line mode: the input line stays at the bottom while the room's lines are printed above it.

A shell around `LineClient`; prompt_toolkit provides keys, history, completion and the bottom toolbar. It writes no
control sequences except prompt_toolkit's and the bell.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from time import monotonic

from msgspec.structs import replace
from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.styles import BaseStyle, Style
from prompt_toolkit.validation import ValidationError, Validator

from protocol.nicknames import NicknameRefused, check_nickname
from three_chat_rooms import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_UNREACHABLE
from tui.address import Address
from tui.client import RoomClient
from tui.hosting.hosted_server import HostedServer
from tui.line.client import JoinFailed, LineClient
from tui.line.formatting import NICK_STYLES, Line, key_help, note
from tui.line.keyboard import make_bindings
from tui.line.terminal import LineTerminal
from tui.line.toolbar import toolbar
from tui.settings import Settings
from tui.style import QUIET
from tui.transcript.transcript import Transcript

MAX_WAITING_LINES = 20_000
"""Lines kept while the terminal accepts no data."""
REFRESH_INTERVAL_S = 1.0
"""Interval at which the toolbar is checked for changes, since it counts seconds down."""
BELL_INTERVAL_S = 2.0
"""Minimum time between two bells."""
NICK_COLOURS = ("#008787", "#008700", "#af5f00", "#d700af", "#5f5fff", "#af5f5f")
"""Each is readable on a light and on a dark terminal. Palette colours are not: xterm's yellow is unreadable on white,
and Solarized's bright black is its background."""
REFUSED_COLOUR = "#af5f5f"
STYLE = Style.from_dict(
    {
        "own": "bold",
        "room": QUIET.any_background,
        "refused": f"{REFUSED_COLOUR} bold",
        "note": f"{QUIET.any_background} italic",
        "action": "italic",
        "bottom-toolbar": "noreverse",
        "prompt": "bold",
        **{name.removeprefix("class:"): colour for name, colour in zip(NICK_STYLES, NICK_COLOURS, strict=True)},
    }
)


class PromptLine:
    """The input line at the bottom. One prompt takes all lines, so that no key is lost between two of them."""

    def __init__(
        self,
        client: RoomClient,
        terminal: LineTerminal,
        toolbar: Callable[[int], Line],
        style: BaseStyle,
        on_line: Callable[[str], bool],
        *,
        ends_room: bool,
    ) -> None:
        """`on_line` receives each line and returns False to end; `toolbar` receives the number of columns."""
        self._terminal = terminal
        self._toolbar = toolbar
        self._drawn_toolbar: Line = []
        self._on_line = on_line
        self._has_ended = False
        self._session: PromptSession[str] = PromptSession(
            [("class:prompt", "❯ ")],
            history=InMemoryHistory(),
            completer=LineCompleter(client),
            complete_while_typing=False,
            enable_suspend=True,
            key_bindings=make_bindings(terminal.printer.show, ends_room=ends_room),
            bottom_toolbar=self._draw_toolbar,
            style=style,
            erase_when_done=True,
            input=terminal.input,
            output=terminal.output,
        )
        self._session.default_buffer.accept_handler = self._accept

    async def run(self) -> None:
        """Read lines until `end`. Raises EOFError for Ctrl-D, and KeyboardInterrupt for a Ctrl-C that leaves."""
        if not self._has_ended:
            await self._session.prompt_async(set_exception_handler=False)

    def end(self) -> None:
        """End the prompt and erase it."""
        self._has_ended = True
        app = self._session.app
        if app.is_running and not app.is_done:
            app.exit(result="")

    def redraw(self) -> None:
        """Redraw the toolbar if it has changed and the terminal accepts data. Without a change, prompt_toolkit would
        still write to the terminal."""
        if not self._session.app.is_running or self._terminal.printer.is_clogged:
            return
        if self._current_toolbar() != self._drawn_toolbar:
            self._session.app.invalidate()

    def _draw_toolbar(self) -> FormattedText:
        self._drawn_toolbar = self._current_toolbar()
        return FormattedText(self._drawn_toolbar)

    def _current_toolbar(self) -> Line:
        return self._toolbar(self._terminal.output.get_size().columns)

    def _accept(self, buffer: Buffer) -> bool:
        if not self._on_line(buffer.text):
            self.end()
        buffer.reset(append_to_history=True)
        buffer.load_history_if_not_yet_loaded()  # Otherwise Up finds no history before the next redraw.
        return True  # Keep the text: the buffer is reset already.


class Prompt:
    """A person at a terminal, in one room."""

    def __init__(self, client: RoomClient, terminal: LineTerminal, *, bell: bool) -> None:
        self.view = LineClient(
            client,
            show=terminal.printer.show,
            keys=key_help(ends_room=client.hosts_room),
            on_mention=self._ring,
            on_change=lambda: self._line.redraw(),
        )
        self._has_left = False
        self._bell = bell
        self._next_bell_at = -math.inf
        self._output = terminal.output
        self._line = PromptLine(
            client,
            terminal,
            lambda columns: toolbar(self.view, columns),
            STYLE,
            self._handle_line,
            ends_room=client.hosts_room,
        )

    async def run(self) -> int:
        """Stay in the room until the person leaves or the room ends the session. Returns the exit code."""
        watching = [asyncio.create_task(self._end_with_room()), asyncio.create_task(self._refresh())]
        try:
            await self._line.run()
        except EOFError:
            return 0
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        finally:
            for task in watching:
                task.cancel()
        goodbye = self.view.client.link.goodbye
        return 0 if self._has_left or (goodbye is not None and goodbye.code == "quit") else EXIT_FAILURE

    def _handle_line(self, text: str) -> bool:
        self._has_left = not self.view.handle_input(text)
        return not self._has_left

    async def _end_with_room(self) -> None:
        await self.view.ended.wait()
        self._line.end()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_INTERVAL_S)
            self._line.redraw()

    def _ring(self) -> None:
        if self._bell and monotonic() >= self._next_bell_at:
            self._next_bell_at = monotonic() + BELL_INTERVAL_S
            self._output.bell()
            self._output.flush()


class LineCompleter(Completer):
    """Completion for prompt_toolkit, made from `tui.commands.completion`."""

    def __init__(self, client: RoomClient) -> None:
        self._client = client

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        cursor = document.cursor_position
        for one in self._client.complete(document.text, cursor, screen=False):
            yield Completion(one.text, start_position=one.start - cursor)


class _NicknameValidator(Validator):
    """Applies the server's check to a typed nickname."""

    def validate(self, document: Document) -> None:
        try:
            check_nickname(document.text.strip())
        except NicknameRefused as error:
            raise ValidationError(len(document.text), str(error)) from None


async def ask_nickname(address: Address, default: str, terminal: LineTerminal) -> str:
    """Ask for a valid nickname. Raises EOFError and KeyboardInterrupt."""
    session: PromptSession[str] = PromptSession(
        [("class:prompt", f"your nickname in {address}: ")],
        validator=_NicknameValidator(),
        validate_while_typing=False,
        style=STYLE,
        erase_when_done=True,
        key_bindings=make_bindings(terminal.printer.show, ends_room=False),
        input=terminal.input,
        output=terminal.output,
    )
    return check_nickname((await session.prompt_async(default=default, set_exception_handler=False)).strip())


async def take_part(
    address: Address, nick: str | None, settings: Settings, server: HostedServer | None, transcript: Transcript
) -> tuple[int, Settings]:
    """Ask for a nickname if `nick` is None, then stay in the room. `server` is that of a hosted room. Returns exit code
    and settings to remember."""
    terminal = LineTerminal(STYLE, max_waiting_lines=MAX_WAITING_LINES)
    with terminal.session():
        printing = asyncio.create_task(terminal.printer.run())
        try:
            nick = nick or await ask_nickname(address, settings.nick, terminal)
            client = RoomClient(address, nick, hosted_server=server, transcript=transcript)
            return await _take_part(client, settings, terminal)
        except (EOFError, KeyboardInterrupt) as end:  # While asking for a nickname.
            return EXIT_INTERRUPTED if isinstance(end, KeyboardInterrupt) else 0, settings
        finally:
            printing.cancel()
            terminal.close()


async def _take_part(client: RoomClient, settings: Settings, terminal: LineTerminal) -> tuple[int, Settings]:
    prompt = Prompt(client, terminal, bell=settings.bell)
    staying = asyncio.create_task(client.stay())
    try:
        await _enter(prompt.view, client.link.address, terminal)
        return await prompt.run(), replace(settings, nick=client.nick)
    except JoinFailed as failure:
        terminal.printer.show([note(f"{client.link.address} cannot be joined: {failure}")])
        return EXIT_FAILURE if failure.reached else EXIT_UNREACHABLE, settings
    finally:
        await client.leave()
        await staying


async def _enter(view: LineClient, address: Address, terminal: LineTerminal) -> None:
    while True:
        try:
            await view.wait_until_joined()
            return
        except JoinFailed as failure:
            if failure.refused is None:
                raise
            terminal.printer.show([note(str(failure))])
            view.try_nick(await ask_nickname(address, failure.refused.suggestion, terminal))
