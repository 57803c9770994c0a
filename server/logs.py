"""Logs: the server's messages to its host, as lines of text or JSON on standard error.

A log must not delay the room. Standard error may be a terminal that was stopped with Ctrl-S or a pipe without a reader,
and a write to it would block for ever. So a line is written without waiting. If the descriptor does not take it, it is
dropped, and the next line that is written has the number of dropped lines. Of many similar lines only a few are
written: see `server.log_limit`.

Limits: a write to a file waits for the disk, and a write may block if another process fills the same pipe just then.
"""

import logging
import os
import select
import threading
import time
from typing import Literal

import msgspec

from protocol.format import plural
from protocol.sanitize import sanitize
from server.log_limit import DuplicateFilter

STDERR = 2
MAX_WRITE_BYTES = select.PIPE_BUF
"""Bytes a pipe takes without waiting once poll(2) calls it writable (pipe(7))."""


class TextFormatter(logging.Formatter):
    """`2026-11-23 20:14:03.125 WARNING message`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without the last line end, and without control sequences for terminals."""
        at = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(record.created))}.{record.msecs:03.0f}"
        line = f"{at} {record.levelname} {sanitize(record.getMessage())}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n  ".join([line, *sanitize(trace, lines=True).splitlines()])


class JSONFormatter(logging.Formatter):
    """One object a line: at (seconds since the epoch), level, pid, message, and traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, without the line end."""
        entry: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "pid": record.process,
            "message": sanitize(record.getMessage()),
        }
        if record.exc_info:
            entry["traceback"] = sanitize(self.formatException(record.exc_info), lines=True)
        return msgspec.json.encode(entry).decode()


class NonBlockingHandler(logging.Handler):
    """Writes each line to a descriptor without waiting, and counts the lines that it had to drop."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.dropped = 0
        """Lines dropped since the last one that was written."""
        self._descriptor = descriptor
        self._is_line_incomplete = False
        """The last line was written in part."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        try:
            self._report_dropped()
            if not self._write(self.format(record)):
                self.dropped += 1
        except Exception:  # noqa: BLE001 - a record with wrong arguments must not end the code that logs it
            self.handleError(record)

    def close(self) -> None:
        """End the log: report the records that were not written, and the lines that were not taken."""
        for one in self.filters:
            if isinstance(one, DuplicateFilter):
                for level, words in one.report_suppressed():
                    self.emit(_record(level, words))
        self._report_dropped()
        super().close()

    def _report_dropped(self) -> None:
        if self.dropped:
            words = f"{plural(self.dropped, 'line')} of this log lost, because the reader was too slow"
            if self._write(self.format(_record(logging.WARNING, words))):
                self.dropped = 0

    def _write(self, line: str) -> bool:
        """Write a line. Returns whether all of it was written."""
        data = f"{line}\n".encode()
        if self._is_line_incomplete:
            data = b"\n" + data
        sent = 0
        try:
            while sent < len(data) and _writable(self._descriptor):
                sent += os.write(self._descriptor, data[sent : sent + MAX_WRITE_BYTES])
        except OSError:
            pass  # The pipe is full, or has no reader any more.
        if sent:
            self._is_line_incomplete = sent < len(data)
        return sent == len(data)


def set_up(log_format: Literal["text", "json"], level: int, descriptor: int = STDERR) -> None:
    """Send all log records of at least this level to `descriptor`, and the exceptions that end a thread."""
    reopen_terminal_nonblocking(descriptor)
    handler = NonBlockingHandler(descriptor)
    handler.addFilter(DuplicateFilter())
    handler.setFormatter(JSONFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    threading.excepthook = _log_thread_failure


def reopen_terminal_nonblocking(descriptor: int) -> None:
    """If `descriptor` is a terminal, open it anew so that writing never waits.

    If poll(2) calls a terminal writable, it has room for a byte, not for a line. O_NONBLOCK on the inherited
    descriptor would also hold for the host's shell, which shares it.
    """
    if not os.isatty(descriptor):
        return
    try:
        own = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return  # A terminal of another container or user cannot be opened by its name: then a write may block.
    os.dup2(own, descriptor)
    os.close(own)


def _record(level: int, words: str) -> logging.LogRecord:
    return logging.LogRecord("chat.server", level, "", 0, words, None, None)


def _writable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(0))


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    error = failure.exc_value or failure.exc_type()
    logging.getLogger("chat.server").error("a thread failed", exc_info=error)
