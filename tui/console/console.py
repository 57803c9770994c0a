"""The operator console: `chat-server` on a terminal shows its log, and below it an input line for commands.

chat-server replaces itself with `python -m tui.console KEY-FILE ARGS…`; with an empty KEY-FILE, the console generates
the operator's key. The server runs as a child process, and the console joins its room as an operator, so a blocked
console or terminal never delays the room. The console ends with the server and its exit code, and the server ends with
the console (`guardian`).
"""

import asyncio
import os
import secrets
import signal
import sys
from asyncio.subprocess import PIPE
from collections import deque
from pathlib import Path
from typing import Literal, NoReturn

from protocol.files import KeyRefused
from protocol.sanitize import sanitize
from three_chat_rooms import EXIT_INTERRUPTED, EXIT_USAGE
from tui.console.client import ConsoleClient
from tui.console.prompt import CONSOLE_STYLE, ConsolePrompt, log_line
from tui.files import read_key_file
from tui.hosting.server_process import (
    SIGNAL_EXIT_BASE,
    CannotHost,
    ServerProcess,
    format_exit,
    strip_log_prefix,
)
from tui.line.formatting import Line, note, text_of
from tui.line.terminal import LineTerminal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_TIMEOUT_S = 5.0
"""Time for the server to end before it is killed."""
MAX_WAITING_LINES = 400
"""Limit of unprinted lines, for the log and for the room each."""
STDIN, STDERR = 0, 2
BY_ROOM = "*** "
MAX_REMEMBERED = 50
"""Lines of each source that are remembered until the other source repeats them."""


class Console:
    """One run of the server, from its start to its end."""

    def __init__(self, arguments: list[str], key_file: str, terminal: LineTerminal) -> None:
        self._arguments = arguments
        self._key_file = key_file
        self._terminal = terminal
        self._printer = terminal.printer
        self._server = ServerProcess(self._on_log_line)
        self._echoes = EchoFilter()
        self._early: list[Line] = []
        """Log lines from before the server listened. They are printed after the line that says that it listens."""
        self._log = PIPE if os.isatty(STDERR) else None
        """A redirected log keeps its target."""
        self._opening: asyncio.Task[int] | None = None
        self._interrupted = False
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Run the server and the console. Returns the exit code."""
        printing = asyncio.create_task(self._printer.run())
        self._handle_signals()
        self._opening = asyncio.create_task(self._open())
        try:
            return await self._opening
        except asyncio.CancelledError:  # A signal arrived before the room was open.
            return EXIT_INTERRUPTED if self._interrupted else 0
        finally:
            for task in (printing, *self._tasks):
                task.cancel()
            await asyncio.wait([printing, *self._tasks])

    def _on_log_line(self, line: str) -> None:
        if self._opening is not None:
            self._early.append(log_line(line))
        elif self._echoes.is_new("log", strip_log_prefix(line)):
            self._printer.show([log_line(line)])

    def _show_talk(self, lines: list[Line]) -> None:
        new_lines = [line for line in lines if self._is_new(line)]
        self._printer.show(new_lines, minor=True)

    def _is_new(self, line: Line) -> bool:
        words = text_of(line)
        # A member's line never begins with the room's sign.
        return not words.startswith(BY_ROOM) or self._echoes.is_new("room", words.removeprefix(BY_ROOM))

    async def _open(self) -> int:
        made = b"" if self._key_file else secrets.token_urlsafe(32).encode()
        own = ["--no-console", *(["--operator-key-file", "-"] if made else [])]
        try:
            bound = await self._server.start([*own, *self._arguments], made, log=self._log)
        except CannotHost as failure:
            return await self._never_opened(failure)
        self._opening = None
        hint = note("/help lists the commands; Ctrl-D ends the room")
        self._printer.show([[("", self._server.listening_line)], *self._early, hint])
        self._printer.print_now()
        key = made or read_key(Path(self._key_file))
        client = ConsoleClient(bound[0].from_here(), key, show=self._show_talk, on_change=lambda: prompt.redraw())
        prompt = ConsolePrompt(client, self._terminal)
        return await self._serve(client, prompt)

    async def _serve(self, client: ConsoleClient, prompt: ConsolePrompt) -> int:
        ended = asyncio.create_task(self._server.wait())
        ended.add_done_callback(lambda _: prompt.end())
        staying = asyncio.create_task(client.stay())
        try:
            await prompt.run()
            self._request_stop(signal.SIGTERM)
        except EOFError:
            self._request_stop(signal.SIGTERM)
        except KeyboardInterrupt:
            self._request_stop(signal.SIGINT)
        self._handle_signals()  # The prompt had replaced the handler of SIGINT.
        code = await ended
        staying.cancel()
        await client.leave()
        if code > SIGNAL_EXIT_BASE and code != EXIT_INTERRUPTED:
            self._printer.show([note(f"the server {format_exit(code)}")])
        return code

    async def _never_opened(self, failure: CannotHost) -> int:
        code = await self._server.wait()
        self._printer.show(self._early)
        if not any(str(failure) in sanitize(line) for line in self._server.last_log_lines):
            self._printer.show([[("", f"chat-server: {failure}")]])
        return code or failure.exit_code

    # The end

    def _handle_signals(self) -> None:
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP and os.isatty(STDIN):
            if self._opening is None:
                self._server.send_signal(number)  # The terminal is open, so it asks to reload the settings.
        elif self._opening is not None:
            self._interrupted = number == signal.SIGINT
            self._opening.cancel()
        else:
            self._request_stop(signal.SIGTERM if number == signal.SIGHUP else number)

    def _request_stop(self, number: signal.Signals) -> None:
        """Ask the server to end, and kill it after STOP_TIMEOUT_S."""
        self._server.send_signal(number)
        if not self._tasks:
            self._tasks.append(asyncio.create_task(self._stop_after_timeout()))

    async def _stop_after_timeout(self) -> None:
        await asyncio.sleep(STOP_TIMEOUT_S)
        await self._server.stop()


class EchoFilter:
    """Recognises operator actions that both the log and the room report, so that each is printed once. Pure.

    The first report is printed, whichever source it comes from. Lines that only one source reports are printed too."""

    def __init__(self) -> None:
        self._alone: dict[str, deque[str]] = {"log": deque(maxlen=MAX_REMEMBERED), "room": deque(maxlen=MAX_REMEMBERED)}

    def is_new(self, source: Literal["log", "room"], words: str) -> bool:
        """Whether the other source has not reported this line."""
        told = self._alone["room" if source == "log" else "log"]
        if words in told:
            told.remove(words)
            return False
        self._alone[source].append(words)
        return True


def read_key(path: Path) -> bytes:
    """Read the operator's key, which the server has read before."""
    try:
        return read_key_file(path)
    except KeyRefused:
        return b""  # The file has changed since. The console is no operator then, and has no meter.


async def run(key_file: str, arguments: list[str]) -> int:
    """Run the console of a server with these arguments. Returns the exit code."""
    terminal = LineTerminal(CONSOLE_STYLE, max_waiting_lines=MAX_WAITING_LINES)
    try:
        with terminal.session():
            return await Console(arguments, key_file, terminal).run()
    finally:
        terminal.close()


def main() -> NoReturn:
    """The entry point for chat-server; exits with the server's code."""
    if len(sys.argv) < 2:
        print("the console is no command of its own: run chat-server on a terminal", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    sys.exit(asyncio.run(run(sys.argv[1], sys.argv[2:])))
