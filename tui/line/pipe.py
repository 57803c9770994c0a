"""Pipe mode: says the lines of standard input, and prints the room's lines on standard output. Needs no terminal.

It ends when all lines of the input are acknowledged. While the connection is lost it keeps the lines, and gives up
RECONNECT_TIMEOUT_S after the end of the input. Errors and the client's own notes go to standard error, so standard
output has the room's lines only.
"""

import asyncio
import getpass
import os
import sys
import threading
from collections.abc import AsyncIterator
from io import TextIOWrapper
from time import monotonic
from typing import TextIO

from protocol.format import plural
from protocol.framing import LineBuffer, OverlongLine
from protocol.nicknames import NicknameRefused, check_nickname
from protocol.sanitize import sanitize
from three_chat_rooms import EXIT_FAILURE, EXIT_UNREACHABLE
from tui.address import Address
from tui.client import RoomClient
from tui.hosting.hosted_server import HostedServer
from tui.line.client import JoinFailed, LineClient
from tui.line.formatting import NOTE, REFUSED, Line, as_text
from tui.settings import Settings
from tui.transcript.file import describe_error
from tui.transcript.transcript import Transcript

RECONNECT_TIMEOUT_S = 30.0
"""Seconds without a connection, after the end of the input, until unacknowledged lines are given up."""
MAX_INPUT_LINE_BYTES = 1024 * 1024
CHUNK_BYTES, MAX_WAITING_CHUNKS = 64 * 1024, 4
"""Size of one read, and reads that may wait to be handled."""
POLL_INTERVAL_S = 0.25


async def take_part(address: Address, settings: Settings, server: HostedServer | None, transcript: Transcript) -> int:
    """Stay in the room until the input ends. `server` is that of a hosted room. Returns the exit code."""
    client = RoomClient(
        address, settings.nick or _own_name(), hosted_server=server, transcript=transcript, shows_own_lines=False
    )
    output = _Output()
    view = LineClient(client, show=output.show)
    staying = asyncio.create_task(client.stay())
    try:
        await view.join(lambda refused, nick: _tell(f"{refused}, so you are {nick}"))
        await _say_all(view, output)
        await _wait_until_answered(view)
    except JoinFailed as failure:
        _tell(f"{address} cannot be joined: {failure}")
        return EXIT_FAILURE if failure.reached else EXIT_UNREACHABLE
    finally:
        await client.leave()
        await staying
    return _exit_code(view, output)


def _exit_code(view: LineClient, output: "_Output") -> int:
    waiting, goodbye = view.client.unanswered, view.client.link.goodbye
    let_go = goodbye is not None and goodbye.code != "quit"
    if goodbye is not None and let_go:
        _tell(f"the room let you go: {goodbye.reason}")
    if waiting:
        _tell(f"{plural(waiting, 'line')} {'was' if waiting == 1 else 'were'} not heard")
    if waiting and not let_go:
        return EXIT_UNREACHABLE
    return EXIT_FAILURE if view.failures or let_go or output.failed else 0


async def _say_all(view: LineClient, output: "_Output") -> None:
    lines = _input_lines()
    ends = [asyncio.create_task(view.ended.wait()), asyncio.create_task(output.is_useless.wait())]
    try:
        while True:
            line = asyncio.ensure_future(anext(lines, None))
            await asyncio.wait([line, *ends], return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                line.cancel()
                return
            text = line.result()
            if text is None or not _say(view, text):
                return
            await view.wait_until(lambda: view.may_say_more)
    finally:
        for task in ends:
            task.cancel()


def _say(view: LineClient, line: bytes | OverlongLine) -> bool:
    if isinstance(line, OverlongLine):
        _tell(f"a line of {line.size} bytes was left out; {MAX_INPUT_LINE_BYTES} is the most")
        view.failures += 1
        return True
    return view.handle_input(line.decode(errors="replace"))


async def _wait_until_answered(view: LineClient) -> None:
    """Wait until the room has answered all requests, or the connection is lost for too long."""
    deadline = monotonic() + RECONNECT_TIMEOUT_S
    settled = asyncio.create_task(view.wait_until_settled())
    try:
        while not settled.done() and not view.ended.is_set() and monotonic() < deadline:
            if view.client.in_room:
                deadline = monotonic() + RECONNECT_TIMEOUT_S
            await asyncio.wait({settled}, timeout=POLL_INTERVAL_S)
    finally:
        settled.cancel()


async def _input_lines() -> AsyncIterator[bytes | OverlongLine]:
    """The lines of standard input without their line ends. The last line may lack one."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    free = threading.Semaphore(MAX_WAITING_CHUNKS)
    loop = asyncio.get_running_loop()
    # A thread, because select() does not support files; a daemon, because its read may block for ever.
    threading.Thread(target=_read_into, args=(chunks, free, loop), daemon=True, name="standard input").start()
    buffer = LineBuffer()
    while chunk := await chunks.get():
        buffer.feed(chunk)
        while (line := buffer.next_line(MAX_INPUT_LINE_BYTES)) is not None:
            yield line
        free.release()
    buffer.feed(b"\n")
    if (last := buffer.next_line(MAX_INPUT_LINE_BYTES)) is not None:
        yield last


def _read_into(chunks: "asyncio.Queue[bytes]", free: threading.Semaphore, loop: asyncio.AbstractEventLoop) -> None:
    """Read standard input into the queue until its end, which is an empty chunk. Waits while the queue is full."""
    chunk = b"more"
    while chunk:
        free.acquire()
        try:
            chunk = os.read(0, CHUNK_BYTES)
        except OSError:  # There is no standard input.
            chunk = b""
        try:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
        except RuntimeError:
            return  # The event loop has ended.


class _Output:
    """Standard output and standard error, either of which may be closed."""

    def __init__(self) -> None:
        self.is_useless = asyncio.Event()
        """Set when the reader of the output has gone and the input is a keyboard."""
        self.failed = False
        """Whether the output could not be written. It is no failure if the reader leaves early, as `head` does."""
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # The locale may not encode all characters.

    def show(self, lines: list[Line]) -> None:
        """Print the room's lines on standard output, and notes and refusals on standard error."""
        notes = [line for line in lines if line[0][0] in (NOTE, REFUSED)]
        _write(sys.stderr, as_text(notes))
        error = _write(sys.stdout, as_text([line for line in lines if line not in notes]))
        if isinstance(error, BrokenPipeError):
            if os.isatty(0):
                self.is_useless.set()
        elif error is not None:
            self.failed = True
            _tell(f"the output cannot be written: {describe_error(error)}")


def _write(stream: TextIO, text: str) -> OSError | None:
    """Write and flush. After an error, the stream leads to /dev/null."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def _tell(sentence: str) -> None:
    _write(sys.stderr, f"chat-tui: {sanitize(sentence)}\n")


def _own_name() -> str:
    try:
        return check_nickname(getpass.getuser())
    except (NicknameRefused, OSError, KeyError):
        return "guest"
