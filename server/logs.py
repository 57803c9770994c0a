"""Logs: what the server has to tell its host, as lines of text or JSON on standard error.

A log must not hold up the talk. Standard error may be a terminal that somebody has stopped with Ctrl-S or a pipe that
nobody reads, and writing to it would wait for ever. So a line is written only as far as it is taken at once; what is
not taken is dropped, and the next line that goes out says how many were. And of many lines alike, as when thousands
meet the same trouble, only the first few of each ten seconds are written; the next like them, or the end of the log,
says how many were not.

Limits: on a file, a write waits for the disk. When another process fills the same pipe in the same moment, we may wait.
"""

import logging
import os
import select
import threading
import time
from typing import Literal

import msgspec

from protocol.text import counted, harmless

STDERR = 2
PIECE = select.PIPE_BUF
"""Bytes a pipe takes without waiting once poll(2) calls it writable (pipe(7))."""
MOST_ALIKE, PERIOD = 10, 10.0
"""Records of a kind that are written in so many seconds."""
MOST_KINDS = 1000
"""Kinds that are counted at a time."""


class TextFormatter(logging.Formatter):
    """`2026-11-23 20:14:03.125 WARNING message`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without the last line end. Nothing in it is obeyed by a terminal."""
        at = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(record.created))}.{record.msecs:03.0f}"
        line = f"{at} {record.levelname} {harmless(record.getMessage())}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n  ".join([line, *harmless(trace, lines=True).splitlines()])


class JSONFormatter(logging.Formatter):
    """One object a line: at (seconds since the epoch), level, pid, message, and traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without the line end."""
        entry: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "pid": record.process,
            "message": harmless(record.getMessage()),
        }
        if record.exc_info:
            entry["traceback"] = harmless(self.formatException(record.exc_info), lines=True)
        return msgspec.json.encode(entry).decode()


class Alike:
    """What came of one kind since its period began."""

    __slots__ = ("began", "count", "last", "level")

    def __init__(self, began: float) -> None:
        self.began = began
        self.count = 0
        self.level = logging.NOTSET
        self.last = ""
        """The words of the last one that was not written."""

    @property
    def unwritten(self) -> int:
        return max(0, self.count - MOST_ALIKE)

    @property
    def since(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.began))


class FewAlike(logging.Filter):
    """Passes the first MOST_ALIKE records of a kind in each PERIOD, and counts the others. What is asked for by -vv is
    passed whole."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, Alike] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        if record.levelno <= logging.DEBUG:
            return True
        kind = kind_of(record)
        alike = self._seen.get(kind)
        if alike is None or not alike.began <= record.created < alike.began + PERIOD:
            if alike is not None and alike.unwritten:
                record.msg = f"{_words(record)} (and {alike.unwritten} more like it since {alike.since})"
                record.args = None
            if len(self._seen) >= MOST_KINDS:
                self._seen.clear()
            alike = self._seen[kind] = Alike(record.created)
        alike.count += 1
        if not alike.unwritten:
            return True
        alike.level, alike.last = record.levelno, _words(record)
        return False

    def rest(self) -> list[logging.LogRecord]:
        """A record for each kind of which some were not written, and nobody was told yet."""
        untold = [alike for alike in self._seen.values() if alike.unwritten]
        self._seen.clear()
        return [
            _record(alike.level, f"{alike.unwritten} more since {alike.since} were not written, the last: {alike.last}")
            for alike in untold
        ]


def kind_of(record: logging.LogRecord) -> object:
    """What makes records alike: the message before its arguments are put in and, of an exception, its type and where it
    was raised, so that no bug hides behind another."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.msg
    trace = error.__traceback__
    if trace is None:  # Of a worker process only the text came. Its last line is the exception's own words.
        return record.msg, type(error), str(error).strip().rpartition("\n")[0]
    while trace.tb_next is not None:
        trace = trace.tb_next
    return record.msg, type(error), trace.tb_frame.f_code.co_filename, trace.tb_lineno


class UnhurriedHandler(logging.Handler):
    """Writes each line to a descriptor as far as that goes without waiting, and counts what it had to drop."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.dropped = 0
        """Lines lost since the last one that went out."""
        self._descriptor = descriptor
        self._torn = False
        """The last line was taken in part."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        try:
            self._tell_of_loss()
            if not self._write(self.format(record)):
                self.dropped += 1
        except Exception:  # noqa: BLE001 - whatever a record brings: a log never ends what it tells of
            self.handleError(record)

    def close(self) -> None:
        """The log ends: say what was not written, and what was not taken."""
        for few in self.filters:
            if isinstance(few, FewAlike):
                for record in few.rest():
                    self.emit(record)
        self._tell_of_loss()
        super().close()

    def _tell_of_loss(self) -> None:
        if self.dropped:
            words = f"lost, as nobody took it in time: {counted(self.dropped, 'line')} of this log"
            if self._write(self.format(_record(logging.WARNING, words))):
                self.dropped = 0

    def _write(self, line: str) -> bool:
        """Whether all of it went out."""
        data = f"{line}\n".encode()
        if self._torn:
            data = b"\n" + data
        sent = 0
        try:
            while sent < len(data) and _writable(self._descriptor):
                sent += os.write(self._descriptor, data[sent : sent + PIECE])
        except OSError:
            pass  # Full, or nobody is there to read any more: either way not taken.
        if sent:
            self._torn = sent < len(data)
        return sent == len(data)


def set_up(log_format: Literal["text", "json"], level: int, descriptor: int = STDERR) -> None:
    """Send every log record of at least this level to `descriptor`, and what ends a thread as well."""
    wait_for_no_terminal(descriptor)
    handler = UnhurriedHandler(descriptor)
    handler.addFilter(FewAlike())
    handler.setFormatter(JSONFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    threading.excepthook = _tell_of_thread


def wait_for_no_terminal(descriptor: int) -> None:
    """If `descriptor` is a terminal, open it anew so that writing never waits.

    That poll(2) calls a terminal writable means room for a byte, not for a line. And O_NONBLOCK set on the descriptor
    we were given would be set for our host's shell as well, which holds the same one.
    """
    if not os.isatty(descriptor):
        return
    try:
        own = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return  # A terminal of another container or user has no name that we may open: then it may make us wait.
    os.dup2(own, descriptor)
    os.close(own)


def _record(level: int, words: str) -> logging.LogRecord:
    return logging.LogRecord("chat.server", level, "", 0, words, None, None)


def _words(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - whatever its arguments are: a log never ends what it tells of
        return str(record.msg)


def _writable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(0))


def _tell_of_thread(failure: threading.ExceptHookArgs) -> None:
    error = failure.exc_value or failure.exc_type()
    logging.getLogger("chat.server").error("a thread failed", exc_info=error)
