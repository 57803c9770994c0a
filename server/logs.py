"""Logs: what the server has to tell its host, as lines of text or JSON on standard error.

A log must not hold up the talk. Standard error may be a terminal that somebody has stopped with Ctrl-S or a pipe that
nobody reads, and writing to it would wait for ever. So a line is written only as far as it is taken at once; what is
not taken is dropped, and the next line that goes out says how many were. And of many lines alike, as when thousands
meet the same trouble, only the first few of each ten seconds are written.

Limits: on a file, a write waits for the disk. When another process fills the same pipe in the same moment, we may wait.
"""

import logging
import os
import select
import threading
import time
from typing import Literal

import msgspec

from protocol.text import harmless

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


class FewAlike(logging.Filter):
    """Passes the first MOST_ALIKE records of a kind in each PERIOD, and counts the others. A kind is a message before
    its arguments are put in. What is asked for by -vv is passed whole."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}
        """When the period of each kind began, and how many came since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        if record.levelno <= logging.DEBUG:
            return True
        kind = record.msg
        began, count = self._seen.get(kind, (record.created, 0))
        if not began <= record.created < began + PERIOD:
            if count > MOST_ALIKE:
                since = time.strftime("%H:%M:%S", time.localtime(began))
                record.msg = f"{record.getMessage()} (and {count - MOST_ALIKE} more like it since {since})"
                record.args = None
            began, count = record.created, 0
        if len(self._seen) >= MOST_KINDS:
            self._seen.clear()
        self._seen[kind] = (began, count + 1)
        return count < MOST_ALIKE


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
            if self.dropped:
                words = "lines of this log were not taken in time, and are lost"
                loss = logging.LogRecord(record.name, logging.WARNING, "", 0, f"{self.dropped} {words}", None, None)
                if self._write(self.format(loss)):
                    self.dropped = 0
            if not self._write(self.format(record)):
                self.dropped += 1
        except Exception:  # noqa: BLE001 - whatever a record brings: a log never ends what it tells of
            self.handleError(record)

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


def _writable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(0))


def _tell_of_thread(failure: threading.ExceptHookArgs) -> None:
    error = failure.exc_value or failure.exc_type()
    logging.getLogger("chat.server").error("a thread failed", exc_info=error)
