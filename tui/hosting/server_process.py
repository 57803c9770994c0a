"""ServerProcess: `python -m server` as our child, from its first word to its exit code.

It has a session of its own, so the terminal's Ctrl-C and hang-up do not reach it, and ends with us, whatever ends us
(`guardian`). An operator's key goes to it through its stdin: never in argv or the environment, which others can read.
Linux and macOS.
"""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

import three_chat_rooms
from protocol.sanitize import sanitize
from tui.address import Address
from tui.hosting import guardian

STOP_TIMEOUT_S = 5.0
"""Seconds the server has to end after SIGTERM."""
START_TIMEOUT_S = 15.0
"""Seconds until a server that does not say it listens is given up."""
MAX_LOG_LINES = 50
MAX_LOG_LINE_BYTES = 64 * 1024
_LISTENING = re.compile(r"listening on (?P<address>\S+) \(model \w+, pid (?P<pid>\d+)\)(?:, and on (?P<others>.+))?")
_BEFORE_WORDS = re.compile(r"^(?:chat-server: |\S+ \S+ (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) )")
_ERRORS = ("error", "critical", None)
"""Levels of what may have ended a server. What has none is no record: the server's own sentence, or Python's."""
SIGNAL_EXIT_BASE = 128
"""An exit code above it names the signal that ended the server."""
_TRACEBACK = " "
"""What a line begins with that goes on with the record above it."""
_TO_JOIN = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class _Record(Struct):
    """A line of the log, in either format."""

    level: str | None = None
    message: str = ""


class CannotHost(Exception):
    """The server did not start; the message is a sentence that says why. `exit_code` is 2 where an option will not do,
    and 1 elsewhere."""

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class ServerProcess:
    """A server, from `start` to `stop`. It can be started again after it has ended."""

    def __init__(self, on_log_line: Callable[[str], None] = lambda line: None) -> None:
        """`hear` gets each line of its log. Not harmless: it may hold what strangers sent."""
        self.pid = 0
        """The server's own process."""
        self.listening_line = ""
        """The line with which it told that it listens."""
        self._on_log_line = on_log_line
        self._guardian: Process | None = None
        self._lifeline = -1
        self._log: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self._reading: list[asyncio.Task[None]] = []

    @property
    def last_log_lines(self) -> list[str]:
        """The end of what the server wrote to its log, oldest first. Not harmless either."""
        return list(self._log)

    @property
    def error_sentence(self) -> str:
        """Why the server ended, if the end of its log is an error: without the time and the level, and harmless."""
        return last_error(self._log)

    async def start(
        self, arguments: Sequence[str], key: bytes = b"", *, log: int | None = PIPE, descriptors: Sequence[int] = ()
    ) -> tuple[Address, ...]:
        """Start the server and wait until it listens. Returns where, one address at least. Raises CannotHost.

        `key` is what it reads from its stdin. Where `log` is None, its log goes to our own stderr, unheard. It inherits
        `descriptors`, with their numbers.
        """
        self._log.clear()
        reading, self._lifeline = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(guardian.__file__)), str(reading), str(STOP_TIMEOUT_S)),
                *three_chat_rooms.command_line("server", *arguments),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                pass_fds=(reading, *descriptors),
                start_new_session=True,
                limit=MAX_LOG_LINE_BYTES,
            )
        except OSError as error:
            os.close(self._lifeline)
            raise CannotHost(f"the server could not be started: {error.strerror}") from error
        finally:
            os.close(reading)
        self._guardian = process
        if os.getpid() == 1:
            asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap_orphans)
        self._reading = [asyncio.create_task(self._read_log(process.stderr))] if process.stderr else []
        try:
            await _hand_over(key, process)
            return await self._listening(process)
        except BaseException:
            await self.stop()
            raise

    def _reap_orphans(self) -> None:
        if self._guardian is not None:
            reap_orphans(self._guardian.pid)

    async def wait(self) -> int:
        """Wait until the server has ended. Returns its exit code, 128 + N where signal N ended it. Its log is read."""
        if self._guardian is None:
            return 0
        code = await self._guardian.wait()
        if self._reading:
            await asyncio.wait(self._reading, timeout=1)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Pass a signal on to the server: SIGTERM, SIGINT or SIGHUP."""
        if self._guardian is not None and self._guardian.returncode is None:
            self._guardian.send_signal(number)

    async def stop(self) -> None:
        """End the server, with everybody told: SIGTERM, SIGKILL after STOP_TIMEOUT_S. Harmless to call twice."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self._guardian is not None:
            try:
                await asyncio.wait_for(self._guardian.wait(), STOP_TIMEOUT_S + 2)
            except TimeoutError:
                self._guardian.kill()
            await self.wait()
        for task in self._reading:
            task.cancel()

    async def _listening(self, process: Process) -> tuple[Address, ...]:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        except TimeoutError:
            raise CannotHost(f"the server did not open its room within {START_TIMEOUT_S:g} seconds") from None
        self.listening_line = line.decode(errors="replace").rstrip("\n")
        if told := _LISTENING.match(self.listening_line):
            self.pid = int(told["pid"])
            self._reading.append(asyncio.create_task(_drain(process.stdout)))
            others = told["others"].split(", ") if told["others"] else []
            return tuple(map(Address.parse, (told["address"], *others)))
        code = await self.wait()
        words = self.error_sentence or f"the server {format_exit(code)}"
        raise CannotHost(words, 2 if code == 2 else 1)

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # A line over the limit: the StreamReader has dropped it.
                continue
            if not line:
                return
            self._log.append(line.decode(errors="replace").rstrip("\n"))
            self._on_log_line(self._log[-1])


def reap_orphans(own_child: int) -> None:
    """Reap the children that have ended, but for `own_child`: asyncio waits for that one. The first process of a
    container is the parent of every orphan in it, as of workers whose fork server was killed."""
    try:
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == own_child:
                return  # The next SIGCHLD finds the others.
            os.waitpid(ended.si_pid, os.WNOHANG)
    except ChildProcessError:
        pass  # There is none left.


def strip_log_prefix(line: str) -> str:
    """What a line of the log says, without the time and the level, and harmless."""
    return sanitize(_BEFORE_WORDS.sub("", line, count=1))


def last_error(log: Sequence[str]) -> str:
    """The last sentence of a log, in either format, as `strip_log_prefix` tells it; empty where that is no error."""
    last = next((line for line in reversed(log) if line.strip() and not line.startswith(_TRACEBACK)), "")
    try:
        record = msgspec.json.decode(last, type=_Record)
    except msgspec.DecodeError:
        found = _BEFORE_WORDS.match(last)
        level = found["level"] if found else None
        record = _Record(level and level.lower(), strip_log_prefix(last))
    return sanitize(record.message) if record.level in _ERRORS else ""


def format_exit(code: int) -> str:
    """What the exit code of `wait` says of the server, as the end of a sentence about it."""
    try:
        return f"was ended by {signal.Signals(code - SIGNAL_EXIT_BASE).name}"
    except ValueError:
        return f"has ended, with exit code {code}"


def address_to_join(bound: Address) -> Address:
    """The room that listens at `bound`, by an address of this machine that one can connect to."""
    return Address(_TO_JOIN.get(bound.host, bound.host), bound.port)


async def _hand_over(key: bytes, process: Process) -> None:
    assert process.stdin is not None
    try:
        if key:
            process.stdin.write(key + b"\n")
            await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        pass  # It has ended already: its log says why, and `_listening` tells.


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(MAX_LOG_LINE_BYTES):
        pass
