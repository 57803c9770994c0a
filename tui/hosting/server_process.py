"""ServerProcess: runs `python -m server` as a child process. LogFile: the file to which its log is appended.

The server has its own session, so the terminal's Ctrl-C and hang-up do not reach it. `guardian` ends it when this
process ends for any reason. The operator's key is passed through stdin, never in argv or the environment, which other
users may read. Linux and macOS.
"""

import asyncio
import errno
import os
import re
import signal
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

import three_chat_rooms
from protocol.format import plural
from protocol.sanitize import sanitize
from tui.address import Address
from tui.hosting import guardian
from tui.hosting.invitation import SshEntrance

STOP_TIMEOUT_S = 5.0
"""Time from SIGTERM to SIGKILL."""
START_TIMEOUT_S = 15.0
"""Time within which the server must report that it listens."""
MAX_LOG_LINES = 50
MAX_LOG_LINE_BYTES = 64 * 1024
_LISTENING = re.compile(r"listening on (?P<address>\S+) \(model \w+, pid (?P<pid>\d+)\)(?:, and on (?P<others>.+))?")
_SSH = re.compile(r"ssh on (?P<address>\S+?),?(?: .*)? \(host key (?P<fingerprint>\S+)\)")
_BEFORE_WORDS = re.compile(r"^(?:chat-server: |\S+ \S+ (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) )")
_ERRORS = ("error", "critical", None)
"""Log levels that may explain the end of a server. A line without a level is a sentence of the server or of Python."""
SIGNAL_EXIT_BASE = 128
"""Exit code 128 + N means that signal N ended the server."""
_TRACEBACK = " "
"""The first character of a line that continues the log record above it."""
_LOG_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""O_NONBLOCK makes it an error to open a pipe without a reader, instead of blocking (open(2))."""
_OPEN_FAILURES = {errno.ELOOP: "it is a symbolic link", errno.ENXIO: "it is not a regular file"}


class _Record(Struct):
    """A log record in text or JSON format."""

    level: str | None = None
    message: str = ""


class CannotHost(Exception):
    """The server did not start; the message is a sentence that says why. `exit_code` is 2 for an invalid option, and
    otherwise 1."""

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class ServerProcess:
    """A server process, from `start` to `stop`. It can be started again after it has ended."""

    def __init__(self, on_log_line: Callable[[str], None] = lambda line: None) -> None:
        """`on_log_line` receives each line of the log. It is not sanitized and may have text of other users."""
        self.pid = 0
        """The process id of the server itself, not of the guardian."""
        self.listening_line = ""
        """The line with which the server reported that it listens."""
        self.ssh: SshEntrance | None = None
        """Where guests come by ssh, once the server has reported it."""
        self._on_log_line = on_log_line
        self._guardian: Process | None = None
        self._lifeline = -1
        self._log: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self._reading: list[asyncio.Task[None]] = []

    @property
    def last_log_lines(self) -> list[str]:
        """The last lines of the server's log, oldest first. Not sanitized."""
        return list(self._log)

    @property
    def error_sentence(self) -> str:
        """The last line of the log without time and level, sanitized, if it is an error; else empty."""
        return last_error(self._log)

    async def start(
        self, arguments: Sequence[str], key: bytes = b"", *, log: int | None = PIPE, descriptors: Sequence[int] = ()
    ) -> tuple[Address, ...]:
        """Start the server and wait until it listens. Returns its addresses, at least one. Raises CannotHost.

        `key` is written to its stdin. If `log` is None, the server's log goes to our stderr and is not read. The server
        inherits `descriptors` with their numbers.
        """
        self._log.clear()
        self.ssh = None
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
        """Wait until the server has ended and its log is read. Returns its exit code, or 128 + N after signal N."""
        if self._guardian is None:
            return 0
        code = await self._guardian.wait()
        if self._reading:
            await asyncio.wait(self._reading, timeout=1)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send SIGTERM, SIGINT or SIGHUP to the server."""
        if self._guardian is not None and self._guardian.returncode is None:
            self._guardian.send_signal(number)

    async def stop(self) -> None:
        """End the server: SIGTERM, on which it says goodbye to all clients, and SIGKILL after STOP_TIMEOUT_S.

        Idempotent."""
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
        if listening := _LISTENING.match(self.listening_line):
            self.pid = int(listening["pid"])
            self._reading.append(asyncio.create_task(self._read_reports(process.stdout)))
            others = listening["others"].split(", ") if listening["others"] else []
            return tuple(map(Address.parse, (listening["address"], *others)))
        code = await self.wait()
        words = self.error_sentence or f"the server {format_exit(code)}"
        raise CannotHost(words, 2 if code == 2 else 1)

    async def _read_reports(self, stream: asyncio.StreamReader) -> None:
        """Read the lines of standard output after the first one."""
        async for line in _lines(stream):
            if told := _SSH.match(line):
                self.ssh = SshEntrance(Address.parse(told["address"]).port, sanitize(told["fingerprint"]))

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        async for line in _lines(stream):
            self._log.append(line)
            self._on_log_line(line)


def reap_orphans(own_child: int) -> None:
    """Reap all ended children except `own_child`, which asyncio waits for.

    The first process of a container becomes the parent of each orphan in it, such as a worker whose fork server was
    killed."""
    try:
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == own_child:
                return  # The next SIGCHLD finds the others.
            os.waitpid(ended.si_pid, os.WNOHANG)
    except ChildProcessError:
        pass  # No children are left.


def strip_log_prefix(line: str) -> str:
    """Remove time and level from a log line, and sanitize it."""
    return sanitize(_BEFORE_WORDS.sub("", line, count=1))


def last_error(log: Sequence[str]) -> str:
    """The message of the last log record, in either format, sanitized; empty if it is no error."""
    last = next((line for line in reversed(log) if line.strip() and not line.startswith(_TRACEBACK)), "")
    try:
        record = msgspec.json.decode(last, type=_Record)
    except msgspec.DecodeError:
        found = _BEFORE_WORDS.match(last)
        level = found["level"] if found else None
        record = _Record(level and level.lower(), strip_log_prefix(last))
    return sanitize(record.message) if record.level in _ERRORS else ""


def format_exit(code: int) -> str:
    """Describe an exit code of `wait` as the end of a sentence about the server."""
    try:
        return f"was ended by {signal.Signals(code - SIGNAL_EXIT_BASE).name}"
    except ValueError:
        return f"has ended, with exit code {code}"


async def _hand_over(key: bytes, process: Process) -> None:
    assert process.stdin is not None
    try:
        if key:
            process.stdin.write(key + b"\n")
            await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        pass  # The server has ended already; `_listening` reports the reason from its log.


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a stream, without their ends. Lines over the limit are left out."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # A line over the limit: the StreamReader has dropped it.
            continue
        if not line:
            return
        yield line.decode(errors="replace").rstrip("\n")


class LogFile:
    """A file to which lines are appended. Only its owner can read it, because a log has nicknames and addresses."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises CannotHost, also for a link, a pipe, a device or another user's file: in a
        shared folder, another user may have placed it there as a trap."""
        try:
            self._descriptor = os.open(path.expanduser(), _LOG_FLAGS, 0o600)
        except (OSError, ValueError) as error:
            reason = (
                _OPEN_FAILURES.get(getattr(error, "errno", None) or 0) or getattr(error, "strerror", None) or str(error)
            )
            raise CannotHost(f"the log {path} cannot be opened: {reason.lower()}", 2) from None
        if (reason := _why_unsuitable(os.fstat(self._descriptor))) is not None:
            os.close(self._descriptor)
            raise CannotHost(f"the log {path} cannot be opened: {reason}", 2)
        os.fchmod(self._descriptor, 0o600)
        self._lost = 0

    def add(self, line: str) -> None:
        """Append a line, given without its line end. The server has sanitized it already."""
        lost = f"{plural(self._lost, 'line')} of this log could not be written\n" if self._lost else ""
        data = f"{lost}{line}\n".encode()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
            self._lost = 0
        except OSError:
            self._lost += 1


def _why_unsuitable(status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    return None if status.st_uid == os.geteuid() else "it belongs to another user"
