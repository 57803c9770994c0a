"""GuestSession: an ssh session of one guest. It takes part in the room in line mode.

With a terminal, the guest types into a LineEditor. Without one, as in `printf 'hello\\n' | ssh ...`, the lines of the
input are said, and the session ends when the room has answered all of them.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import monotonic

import asyncssh

from protocol.client import Received
from protocol.messages import Goodbye
from protocol.nicknames import NicknameRefused, check_nickname
from three_chat_rooms import EXIT_FAILURE
from tui.address import Address
from tui.client import RoomClient
from tui.client_view import Item
from tui.commands.completion import Completion
from tui.line.client import JoinFailed, LineClient
from tui.line.formatting import NOTE, REFUSED, Line, note, wrap_line
from tui.link.connecting import Streams
from tui.ssh.editor import KEYS, LineEditor
from tui.ssh.output import Output
from tui.ssh.painting import paint
from tui.transcript.transcript import Transcript

ABSENT_COMMANDS = {"save": "/save does not work by ssh: it would write a file on the host's machine"}
"""Commands of line mode that do not work here, and why."""
ABSENT_USAGES = frozenset(f"/{name}" for name in ABSENT_COMMANDS)
ROOM = Address("the-room")
"""RoomLink names the room by an address. A guest's connection is handed to the server instead."""
EXIT_LEFT = 0
NO_COMMAND = "this is a chat room, and runs no commands: connect without one"
NO_SUBSYSTEM = "this is a chat room: there are no files here"
ROOM_ENDED = "the room has ended"
SPARE_NICKNAME = "guest"
MAX_WAITING_LINES = 100
"""Typed lines that wait to be said. Above it, nothing is read from the guest."""
KEYS_AT_ONCE = re.compile(r"[^\x00-\x1f\x7f]{1,1024}|[\x00-\x1f\x7f]{1,16}")
"""The input of a terminal that is handled in one piece. A text is drawn once, while each other key may draw a line."""
MAX_WAITING_PIECES = 64
"""Pieces that wait to be handled. Above it, nothing is read from the terminal."""
MAX_LINE_CHARACTERS = 1024 * 1024
"""A longer line of a guest without a terminal is left out."""
SETTLE_TIMEOUT_S = 30.0
"""Seconds that the room may take to answer the last lines."""
DEFAULT_COLUMNS = 80
"""The width of a terminal that says that it has none."""
CTRL_C, CTRL_D = "\x03", "\x04"
DUMB_TERMS = ("", "dumb", "unknown")
"""Values of TERM for terminals that cannot redraw a line."""

TermSize = tuple[int, int, int, int]
"""Columns and rows, and both in pixels."""

log = logging.getLogger(__name__)


class NoTranscript(Transcript):
    """Keeps nothing: the transcript of each guest would take the memory of the host."""

    def record(self, events: Iterable[Received]) -> None:
        """Do nothing."""


class GuestClient(LineClient):
    """A LineClient that tells when the room closes."""

    def __init__(
        self,
        client: RoomClient,
        show: Callable[[list[Line]], None],
        keys: Sequence[tuple[str, str]],
        on_closed: Callable[[], None],
    ) -> None:
        self._on_closed = on_closed
        super().__init__(client, show=show, keys=keys, absent=ABSENT_COMMANDS)

    def show_items(self, items: Sequence[Item]) -> None:
        """Print the items."""
        super().show_items(items)
        if any(isinstance(item, Goodbye) and item.code == "closing" for item in items):
            self._on_closed()


class GuestSession(asyncssh.SSHServerSession[str]):
    """One session. It is over when `on_end` has been called."""

    def __init__(
        self,
        username: str,
        connect: Callable[[], Awaitable[Streams]],
        unsent: Callable[[], int],
        on_begin: Callable[["GuestSession"], None],
        on_end: Callable[["GuestSession"], None],
    ) -> None:
        """`connect` opens a connection to the room; `unsent` returns the bytes in the buffer of the transport."""
        self._username = username
        self._connect = connect
        self._unsent = unsent
        self._on_begin = on_begin
        self._on_end = on_end
        self._refusal = ""
        self._terminal: str | None = None
        self._columns = 0
        self._editor: LineEditor | None = None
        self._leaving = asyncio.Event()
        self._is_silent = False
        """Set once the guest is not told anything more."""
        self._lines: deque[str] = deque()
        self._partial = ""
        self._input_ended = self._reading_paused = False
        self._line_arrived = asyncio.Event()
        self._keys: deque[str] = deque()
        self._keys_arrived = asyncio.Event()
        self._is_resized = False
        self._conversation: asyncio.Task[None] | None = None

    # Callbacks of asyncssh

    def connection_made(self, chan: "asyncssh.SSHServerChannel[str]") -> None:
        self._channel = chan
        self._output = Output(self._write, lambda: chan.get_write_buffer_size() + self._unsent(), self._paint_note)

    def pty_requested(self, term_type: str, term_size: TermSize, term_modes: Mapping[int, int]) -> bool:
        self._terminal, self._columns = term_type, term_size[0]
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._refusal = NO_COMMAND
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        self._refusal = NO_SUBSYSTEM
        return True

    def session_started(self) -> None:
        if self._refusal:
            self._channel.write_stderr(f"{self._refusal}\n")
            self._channel.exit(EXIT_FAILURE)
            return
        self._on_begin(self)
        if self._terminal is not None and self._terminal not in DUMB_TERMS:
            self._editor = LineEditor(
                self._channel,
                self._columns,
                on_line=self._add_line,
                on_end=self._on_ctrl_d,
                on_leave=self.leave,
                complete=self._complete,
            )
        self._room_client = RoomClient(
            ROOM, self._nickname(), transcript=NoTranscript(), shows_own_lines=self._terminal is not None
        )
        self._room_client.link.connect = self._connect
        keys = KEYS if self._editor is not None else []
        self._client = GuestClient(self._room_client, self._show, keys, self._on_room_closed)
        self._conversation = asyncio.create_task(self._run(), name=f"guest {self._username!r}")

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        if self._editor is not None:
            self._keys.extend(KEYS_AT_ONCE.findall(data))
            self._keys_arrived.set()
            self._pause_or_resume_reading()
            return
        if self._terminal is not None:  # A dumb terminal: Enter is a carriage return, and Ctrl-D a character.
            data = data.replace("\r\n", "\n").replace("\r", "\n")
            if CTRL_C in data:
                self.leave()
            data, ctrl_d, _ = data.partition(CTRL_D)
        else:
            ctrl_d = ""
        *lines, self._partial = (self._partial + data).split("\n")
        for line in lines:
            self._add_line(line.removesuffix("\r"))
        if len(self._partial) > MAX_LINE_CHARACTERS:
            self._partial = self._partial[: MAX_LINE_CHARACTERS + 1]
        if ctrl_d:
            self.end_input()

    def eof_received(self) -> bool:
        if self._partial:
            self._add_line(self._partial)
        self.end_input()
        return True

    def break_received(self, msec: int) -> bool:
        self.leave()
        return True

    def signal_received(self, signal: str) -> None:
        self.leave()

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        self._columns = width
        self._is_resized = True  # `_type_keys` handles it: a flood of changes draws the line only now and then.
        self._keys_arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_silent = True
        if self._conversation is not None:
            self._conversation.cancel()
        self._on_end(self)

    # The guest

    def leave(self) -> None:
        """End the session at once. Lines that wait are not said."""
        self._leaving.set()

    def end_input(self) -> None:
        """End the session once all typed keys and lines are handled."""
        self._input_ended = True
        self._line_arrived.set()

    def close(self) -> None:
        """End the session at once: the room is closed."""
        self._show([note(ROOM_ENDED)])
        self._is_silent = True
        if self._conversation is not None:
            self._conversation.cancel()

    def _on_ctrl_d(self) -> None:
        self._keys.clear()
        self.end_input()

    def _nickname(self) -> str:
        try:
            return check_nickname(self._username)
        except NicknameRefused as refused:
            self._tell_nickname(refused, SPARE_NICKNAME)
            return SPARE_NICKNAME

    def _tell_nickname(self, refused: Exception, nick: str) -> None:
        self._show([note(f"{refused}, so you are {nick} until you type /nick NAME")])

    def _complete(self, line: str, cursor: int) -> list[Completion]:
        found = self._room_client.complete(line, cursor, screen=False)
        return [one for one in found if one.text.strip() not in ABSENT_USAGES]

    def _add_line(self, line: str) -> None:
        self._lines.append(line)
        self._line_arrived.set()
        self._pause_or_resume_reading()

    def _pause_or_resume_reading(self) -> None:
        most = MAX_WAITING_LINES // 2 if self._reading_paused else MAX_WAITING_LINES
        pauses = len(self._lines) > most or len(self._keys) > MAX_WAITING_PIECES
        if pauses != self._reading_paused and not self._channel.is_closing():
            self._reading_paused = pauses
            self._channel.pause_reading() if pauses else self._channel.resume_reading()

    async def _type_keys(self, editor: LineEditor) -> None:
        """Hand the keys to the editor. One key can redraw a long line, so a flood of keys takes half of the time at
        most, and waits while the guest does not read what the keys draw."""
        while True:
            while self._keys or self._is_resized:
                began = monotonic()
                if self._is_resized:
                    self._is_resized = False
                    editor.resize(self._columns)
                if self._keys:
                    editor.feed(self._keys.popleft())
                self._pause_or_resume_reading()
                await self._output.wait_until_read()
                if self._keys or self._is_resized:
                    await asyncio.sleep(monotonic() - began)
            self._line_arrived.set()  # `_next_line` may wait for the last key before the end of the input.
            self._keys_arrived.clear()
            await self._keys_arrived.wait()

    async def _next_line(self) -> str | None:
        """The next typed line; None at the end of the input."""
        while not self._lines:
            if self._input_ended and not self._keys:
                return None
            self._line_arrived.clear()
            await self._line_arrived.wait()
        line = self._lines.popleft()
        self._pause_or_resume_reading()
        return line

    # The conversation

    async def _run(self) -> None:
        staying = asyncio.create_task(self._room_client.stay())
        typing = asyncio.create_task(self._type_keys(self._editor)) if self._editor is not None else None
        code = EXIT_FAILURE
        try:
            await self._client.join(self._tell_nickname)
            code = await self._until_left()
        except JoinFailed as failure:
            self._show([note(f"the room cannot be joined: {failure}")])
        except Exception:
            log.exception("the session of a guest failed")
        finally:
            if typing is not None:
                typing.cancel()
            await self._room_client.leave()
            await staying
            self._exit(code)

    def _exit(self, code: int) -> None:
        self._output.finish()
        if self._editor is not None and not self._channel.is_closing():
            self._editor.clear()
        self._channel.exit(code)

    async def _until_left(self) -> int:
        """Say the typed lines until the guest leaves or the room ends the session. Returns the exit code."""
        saying = asyncio.create_task(self._say_lines())
        ends = [asyncio.create_task(one.wait()) for one in (self._leaving, self._client.ended)]
        try:
            await asyncio.wait([saying, *ends], return_when=asyncio.FIRST_COMPLETED)
            if self._client.ended.is_set():
                return EXIT_FAILURE
            if saying.done():
                saying.result()
            return EXIT_FAILURE if self._client.failures and self._editor is None else EXIT_LEFT
        finally:
            for task in (saying, *ends):
                task.cancel()

    async def _say_lines(self) -> None:
        while (line := await self._next_line()) is not None:
            if len(line) > MAX_LINE_CHARACTERS:
                self._client.fail(f"a line of more than {MAX_LINE_CHARACTERS:,} characters was left out")
            elif not self._client.handle_input(line):
                return
            await self._client.wait_until(lambda: self._client.may_say_more)
            await self._output.wait_until_read()  # A line that is refused here makes output without the room.
        try:
            await asyncio.wait_for(self._client.wait_until_settled(), SETTLE_TIMEOUT_S)
        except TimeoutError:
            self._client.fail("the room has not answered in time, so some lines may not have been said")

    def _on_room_closed(self) -> None:
        # The room does not come back under this server, so the guest is not told that the link looks for it.
        self._is_silent = True
        self._client.ended.set()

    # Output

    def _show(self, lines: list[Line]) -> None:
        if self._is_silent:
            return
        if self._terminal is None:
            notes = [line for line in lines if line[0][0] in (NOTE, REFUSED)]
            self._write_stderr([paint(line, colours=False) for line in notes])
            lines = [line for line in lines if line not in notes]
        columns = (self._columns or DEFAULT_COLUMNS) if self._terminal is not None else 0
        rows = [row for line in lines for row in (wrap_line(line, columns) if columns else (line,))]
        if rows:
            self._output.show([paint(row, colours=self._editor is not None) for row in rows])

    def _paint_note(self, sentence: str) -> str:
        return paint(note(sentence), colours=self._editor is not None)

    def _write(self, text: str) -> None:
        if self._channel.is_closing():
            return
        if self._editor is not None:
            self._editor.write(text)
        else:
            self._channel.write(text.replace("\n", "\r\n") if self._terminal is not None else text)

    def _write_stderr(self, lines: list[str]) -> None:
        if lines and not self._channel.is_closing():
            self._channel.write_stderr("".join(f"{line}\n" for line in lines))
