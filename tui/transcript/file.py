"""TranscriptFile and `save`: a transcript on disk. An existing file is never overwritten.

JSON lines are written as the events arrive, and synced to disk once a second (`sync`). The client keeps running if the
disk is full: the problem is reported once, up to MAX_WAITING_BYTES wait and are tried again, further entries are
dropped, and a gap in the file gives their number. Markdown is written when the client leaves.
"""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tui.transcript.formats import RecordedGap, TranscriptEntry, as_json_lines, format_missing, markdown

MAX_WAITING_BYTES = 16 * 2**20
"""Limit of the data that waits to be written."""
TITLE = "A tale of three chat rooms"
DELETED = "somebody deleted the file"
FSYNC_UNSUPPORTED_ERRNOS = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)
"""Errors of fsync(2) for a descriptor that is not a file on a disk."""


class CannotSave(Exception):
    """The file cannot be created or written; the message is a sentence."""


class Exists(CannotSave):
    """A file of that name exists."""


def save(name: str, entries: Sequence[TranscriptEntry], now: float) -> str:
    """Write the entries to a new file: `name`, or a free name made of the time `now` (seconds since the epoch) if that
    is empty. Returns the path. Raises CannotSave. Blocks, so call it in a thread."""
    path, descriptor = create(Path(name).expanduser()) if name else _create_free(now)
    try:
        _write_all(descriptor, encode(path, entries))
        _fsync(descriptor)
    except OSError as error:
        if not _is_device(path):
            with suppress(OSError):  # The folder may have become read-only.
                path.unlink()
        raise CannotSave(f"{path} could not be written: {describe_error(error)}") from None
    finally:
        os.close(descriptor)
    return str(path)


def encode(path: Path, entries: Sequence[TranscriptEntry]) -> bytes:
    """The entries in the format that the file name asks for."""
    return markdown(entries, TITLE).encode() if is_markdown(path) else as_json_lines(entries)


class TranscriptFile:
    """A file that grows until `close`. Not thread-safe, except that `sync` may run in another thread."""

    def __init__(self, path: Path, on_trouble: Callable[[str], None]) -> None:
        """Create the file; raises CannotSave. `on_trouble` receives a sentence, once, when it cannot be written."""
        self.path, self._descriptor = create(path.expanduser())
        self._on_trouble = on_trouble
        self._waiting = bytearray()
        self._has_reported = False
        self._needs_sync = False
        self._sync_failure = ""
        """The error of a failed fsync. It is kept because the system reports such an error only once."""
        self._dropped = self._missing = 0
        """Dropped lines: since the last gap in the file, and in total."""
        self._dropped_at = 0.0

    def add(self, entries: Sequence[TranscriptEntry]) -> None:
        """Append new entries, and write them as far as possible."""
        if is_markdown(self.path):
            return
        if len(self._waiting) > MAX_WAITING_BYTES:
            if entries and not self._dropped:
                self._dropped_at = entries[0].at
            self._dropped += len(entries)
        else:
            self._mark_gap()
            self._waiting += as_json_lines(entries)
        self.write()

    def write(self) -> None:
        """Write the waiting data, as far as the disk accepts it."""
        try:
            self._write_waiting()
            self._mark_gap()
            self._write_waiting()
        except OSError as error:
            self.report_trouble(describe_error(error))

    def _write_waiting(self) -> None:
        while self._waiting:
            del self._waiting[: os.write(self._descriptor, self._waiting[: 1 << 20])]
            self._needs_sync = True

    def _mark_gap(self) -> None:
        """Put a gap for the dropped lines into the file, and report it."""
        if not self._dropped:
            return
        self._waiting += as_json_lines([RecordedGap(self._dropped_at, self._dropped)])
        self._missing += self._dropped
        self._on_trouble(f"the transcript {self.path} is written again; {format_missing(self._dropped)} in it")
        self._dropped = 0

    def report_trouble(self, reason: str) -> None:
        """Report, once, that the file cannot be written."""
        if not self._has_reported:
            self._has_reported = True
            self._on_trouble(f"the transcript {self.path} cannot be written: {reason}; the room goes on")

    def sync(self) -> str:
        """Sync the written data to disk. Returns the error, or an empty string. Blocks, so call it in a thread."""
        if not os.fstat(self._descriptor).st_nlink:
            self._sync_failure = DELETED
            return self._sync_failure
        if not self._needs_sync:
            return ""
        self._needs_sync = False
        try:
            _fsync(self._descriptor)
        except OSError as error:
            self._sync_failure = describe_error(error)
            return self._sync_failure
        return ""

    def close(self, entries: Sequence[TranscriptEntry]) -> str:
        """Write the waiting data, or for Markdown all `entries`, and close the file. Returns a sentence if the file is
        not complete on the disk, and otherwise an empty string."""
        if is_markdown(self.path):
            self._waiting += encode(self.path, entries)
        self._on_trouble = lambda sentence: None  # The returned sentence replaces it.
        self.write()
        self.sync()
        is_empty = self._waiting and _is_empty(self.path, self._descriptor)
        os.close(self._descriptor)
        if self._sync_failure == DELETED:
            return f"the transcript {self.path} is lost: {DELETED}"
        if is_empty:
            with suppress(OSError):
                self.path.unlink()
            return f"the transcript {self.path} does not exist: the disk took nothing of it"
        if self._waiting:
            return f"the transcript {self.path} is incomplete: the disk did not take all of it"
        if self._missing:
            return f"the transcript {self.path} is incomplete: {format_missing(self._missing)} in it"
        return f"the transcript {self.path} may not be on the disk: {self._sync_failure}" if self._sync_failure else ""


def is_markdown(path: Path) -> bool:
    """Whether the file name asks for Markdown."""
    return path.suffix.lower() == ".md"


def create(path: Path) -> tuple[Path, int]:
    """Create a file and open it for writing. A device such as `/dev/full` may exist already. Raises CannotSave."""
    try:
        flags = os.O_WRONLY | os.O_CLOEXEC | (0 if _is_device(path) else os.O_CREAT | os.O_EXCL)
        return path, os.open(path, flags, 0o600)
    except FileExistsError:
        raise Exists(f"{path} already exists, and is not overwritten") from None
    except (OSError, ValueError) as error:
        raise CannotSave(f"{path} cannot be created: {describe_error(error)}") from None


def describe_error(error: OSError | ValueError) -> str:
    """Describe an error without its errno value."""
    strerror = getattr(error, "strerror", None)
    return str(strerror).lower() if strerror else str(error)


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False


def _is_empty(path: Path, descriptor: int) -> bool:
    """Whether this is an empty regular file, and `path` still leads to it."""
    status = os.fstat(descriptor)
    try:
        return stat.S_ISREG(status.st_mode) and not status.st_size and os.path.samestat(status, path.lstat())
    except OSError:
        return False


def _create_free(now: float) -> tuple[Path, int]:
    """Create a file in the current folder, named for the time, with a number if that name is taken."""
    stem = f"chat-{datetime.fromtimestamp(now):%Y-%m-%d-%H%M}"
    for number in range(1, 100):
        try:
            return create(Path(f"{stem}.jsonl" if number == 1 else f"{stem}-{number}.jsonl"))
        except Exists:
            continue
    raise CannotSave(f"there are too many files named {stem} here; give a name: /save FILE")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _fsync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in FSYNC_UNSUPPORTED_ERRNOS:
            raise
