"""Pipe mode: what comes in on standard input is said, what the room tells goes to standard output. No terminal.

It ends when its input has ended and everything in it was acknowledged. No line is lost: while the room is away it
waits, and gives up GIVE_UP seconds after its input has ended. What went wrong is told on standard error, where the
client's own words go too, so that standard output holds the room's and nothing else.
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
from tui.address import Address
from tui.line.formatting import NOTE, REFUSED, Line, as_text
from tui.line.talk import LineClient, NotLetIn
from tui.settings import Settings
from tui.transcript.file import words
from tui.transcript.transcript import Transcript

GIVE_UP = 30.0
"""Seconds without the room, once there is nothing more to read, after which what was not acknowledged is given up."""
IN_FLIGHT = 64
"""Lines sent and not acknowledged, above which the input waits. The room remembers more answers than that."""
MAX_INPUT_LINE = 1024 * 1024
CHUNK, CHUNKS = 64 * 1024, 4
"""Bytes read at once, and how many such reads may wait."""
EXIT_FAILURE, EXIT_UNREACHABLE = 1, 69
LOOK_EVERY = 0.25
ATTEMPTS = 5
"""Nicknames tried, each suggested by the room in the place of the one before."""


async def take_part(address: Address, settings: Settings, key: bytes, minutes: Transcript) -> int:
    """Be in the room until the input ends. With the operator's `key`, orders are obeyed. Returns the exit code."""
    output = _Output()
    talk = LineClient(address, settings.nick or _own_name(), show=output.show, show_own=False, key=key, minutes=minutes)
    link = asyncio.create_task(talk.link.run())
    try:
        await _enter(talk)
        await _say_all(talk, output)
        await _wait_until_heard(talk)
    except NotLetIn as failure:
        _tell(f"{address} cannot be joined: {failure}")
        return EXIT_FAILURE if failure.reached else EXIT_UNREACHABLE
    finally:
        await talk.link.close()
        await link
    return _exit_code(talk, output)


def _exit_code(talk: LineClient, output: "_Output") -> int:
    waiting, goodbye = talk.unheard, talk.link.goodbye
    let_go = goodbye is not None and goodbye.code != "quit"
    if goodbye is not None and let_go:
        _tell(f"the room let you go: {goodbye.reason}")
    if waiting:
        _tell(f"{plural(waiting, 'line')} {'was' if waiting == 1 else 'were'} not heard")
    if waiting and not let_go:
        return EXIT_UNREACHABLE
    return EXIT_FAILURE if talk.failures or let_go or output.failed else 0


async def _enter(talk: LineClient) -> None:
    for _ in range(ATTEMPTS):
        try:
            await talk.let_in()
            return
        except NotLetIn as failure:
            if failure.refused is None or not failure.refused.suggestion:
                raise
            _tell(f"{failure}, so you are {failure.refused.suggestion}")
            talk.introduce(failure.refused.suggestion)
    await talk.let_in()


async def _say_all(talk: LineClient, output: "_Output") -> None:
    lines = _input_lines()
    ends = [asyncio.create_task(talk.over.wait()), asyncio.create_task(output.useless.wait())]
    try:
        while True:
            line = asyncio.ensure_future(anext(lines, None))
            await asyncio.wait([line, *ends], return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                line.cancel()
                return
            text = line.result()
            if text is None or not _say(talk, text):
                return
            await talk.until(lambda: _may_go_on(talk))
    finally:
        for task in ends:
            task.cancel()


def _may_go_on(talk: LineClient) -> bool:
    # One by one in slow mode: a line that is refused and said again must not come after the next.
    return talk.unheard < (1 if talk.link.client.rules.slow else IN_FLIGHT)


def _say(talk: LineClient, line: bytes | OverlongLine) -> bool:
    if isinstance(line, OverlongLine):
        _tell(f"a line of {line.size} bytes was left out; {MAX_INPUT_LINE} is the most")
        talk.failures += 1
        return True
    return talk.typed(line.decode(errors="replace"))


async def _wait_until_heard(talk: LineClient) -> None:
    """Wait until the room has answered all that was asked of it, or is away for too long."""
    deadline = monotonic() + GIVE_UP
    settled = asyncio.create_task(talk.settled())
    try:
        while not settled.done() and not talk.over.is_set() and monotonic() < deadline:
            if talk.link.client.in_room:
                deadline = monotonic() + GIVE_UP
            await asyncio.wait({settled}, timeout=LOOK_EVERY)
    finally:
        settled.cancel()


async def _input_lines() -> AsyncIterator[bytes | OverlongLine]:
    """The lines of standard input, without their ends. The last one need not have one."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    free = threading.Semaphore(CHUNKS)
    loop = asyncio.get_running_loop()
    # A thread, because a file has no readiness to wait for; a daemon, because it may wait for ever.
    threading.Thread(target=_read_into, args=(chunks, free, loop), daemon=True, name="standard input").start()
    buffer = LineBuffer()
    while chunk := await chunks.get():
        buffer.feed(chunk)
        while (line := buffer.next_line(MAX_INPUT_LINE)) is not None:
            yield line
        free.release()
    buffer.feed(b"\n")
    if (last := buffer.next_line(MAX_INPUT_LINE)) is not None:
        yield last


def _read_into(chunks: "asyncio.Queue[bytes]", free: threading.Semaphore, loop: asyncio.AbstractEventLoop) -> None:
    """Hand over what is read, as long as there is room for it: a fast writer waits. Ends with an empty chunk."""
    chunk = b"more"
    while chunk:
        free.acquire()
        try:
            chunk = os.read(0, CHUNK)
        except OSError:  # There is no standard input.
            chunk = b""
        try:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
        except RuntimeError:
            return  # The loop has ended before us.


class _Output:
    """Standard output and standard error, as far as they are there to be written to."""

    def __init__(self) -> None:
        self.useless = asyncio.Event()
        """Nobody reads the output, and only a person at the keyboard could still give input: there is no point."""
        self.failed = False
        """The output could not be written. That its reader has left, as `head` does, is no failure."""
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # Not every locale can write what people say.

    def show(self, lines: list[Line]) -> None:
        """Print the room's words, and the client's own on standard error. What the input holds is said in any case."""
        notes = [line for line in lines if line[0][0] in (NOTE, REFUSED)]
        _write(sys.stderr, as_text(notes))
        error = _write(sys.stdout, as_text([line for line in lines if line not in notes]))
        if isinstance(error, BrokenPipeError):
            if os.isatty(0):
                self.useless.set()
        elif error is not None:
            self.failed = True
            _tell(f"the output cannot be written: {words(error)}")


def _write(stream: TextIO, text: str) -> OSError | None:
    """Write it, at once; what could not be written goes nowhere, as does all that comes after."""
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
