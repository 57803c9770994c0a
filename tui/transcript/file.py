"""TranscriptFile and `save`: what was said in a room, on a disk. A file that is there already is never written over.

While a transcript is kept as JSON lines, each line is written when it is heard, and made safe once a second (`sync`).
A disk that takes no more costs nobody the room: it is told once, what waits is kept up to MOST_WAITING bytes and tried
again. What comes beyond that is dropped, and a gap in the file says how much. Markdown is written when one leaves.
"""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tui.transcript.formats import Record, as_json_lines, gap, markdown, missing

MOST_WAITING = 16 * 2**20
"""Bytes that wait for a disk that takes nothing."""
TITLE = "A tale of three chat rooms"
DELETED = "somebody deleted the file"
NO_FSYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)
"""What fsync(2) says of a file that is no file on a disk."""


class CannotSave(Exception):
    """The file cannot be made; the message is a sentence."""


class Exists(CannotSave):
    """There is a file of that name."""


def save(name: str, records: Sequence[Record], now: float) -> str:
    """Write down what was heard, to a new file: `name`, or a free name of our own, for which `now` is seconds since the
    epoch. Returns the path. Raises CannotSave. May block: for a thread."""
    path, descriptor = create(Path(name).expanduser()) if name else _create_free(now)
    try:
        _write_all(descriptor, text(path, records))
        _make_safe(descriptor)
    except OSError as error:
        if not _is_device(path):
            with suppress(OSError):  # The folder may be read-only by now.
                path.unlink()
        raise CannotSave(f"{path} could not be written: {words(error)}") from None
    finally:
        os.close(descriptor)
    return str(path)


def text(path: Path, records: Sequence[Record]) -> bytes:
    """The lines in the way that the name of the file asks for."""
    return markdown(records, TITLE).encode() if is_markdown(path) else as_json_lines(records)


class TranscriptFile:
    """A file that is kept from its opening to `close`. Not for two threads at once, but for `sync`."""

    def __init__(self, path: Path, on_trouble: Callable[[str], None]) -> None:
        """Make the file; raises CannotSave. `on_trouble` is told a sentence, once, when it cannot be written."""
        self.path, self._descriptor = create(path.expanduser())
        self._on_trouble = on_trouble
        self._waiting = bytearray()
        self._told = False
        self._dirty = False
        self._unsafe = ""
        """Why what was written may not be on the disk: the system says it once, and then that all is well."""
        self._dropped = self._missing = 0
        """Lines that are not in the file: since the last gap that says so, and in all."""
        self._dropped_at = 0.0

    def add(self, records: Sequence[Record]) -> None:
        """What was heard just now."""
        if is_markdown(self.path):
            return
        if len(self._waiting) > MOST_WAITING:
            if records and not self._dropped:
                self._dropped_at = records[0].at
            self._dropped += len(records)
        else:
            self._mark_gap()
            self._waiting += as_json_lines(records)
        self.write()

    def write(self) -> None:
        """Write what waits, as far as the disk takes it."""
        try:
            self._write_waiting()
            self._mark_gap()
            self._write_waiting()
        except OSError as error:
            self.trouble(words(error))

    def _write_waiting(self) -> None:
        while self._waiting:
            del self._waiting[: os.write(self._descriptor, self._waiting[: 1 << 20])]
            self._dirty = True

    def _mark_gap(self) -> None:
        """Say in the file, and once aloud, how much was dropped."""
        if not self._dropped:
            return
        self._waiting += as_json_lines([gap(self._dropped_at, self._dropped)])
        self._missing += self._dropped
        self._on_trouble(f"the transcript {self.path} is written again; {missing(self._dropped)} in it")
        self._dropped = 0

    def trouble(self, reason: str) -> None:
        """Say that the file cannot be written, once."""
        if not self._told:
            self._told = True
            self._on_trouble(f"the transcript {self.path} cannot be written: {reason}; the room goes on")

    def sync(self) -> str:
        """Make safe what was written; returns why not, or nothing. May block: for a thread."""
        if not os.fstat(self._descriptor).st_nlink:
            self._unsafe = DELETED
            return self._unsafe
        if not self._dirty:
            return ""
        self._dirty = False
        try:
            _make_safe(self._descriptor)
        except OSError as error:
            self._unsafe = words(error)
            return self._unsafe
        return ""

    def close(self, records: Sequence[Record]) -> str:
        """Write the rest, which for Markdown is `lines`, all of them. Returns a sentence where not all of it is on the
        disk, and nothing where it is."""
        if is_markdown(self.path):
            self._waiting += text(self.path, records)
        self._told, self._on_trouble = True, lambda sentence: None  # All is told in the sentence that is returned.
        self.write()
        self.sync()
        is_empty = self._waiting and _is_empty(self.path, self._descriptor)
        os.close(self._descriptor)
        if self._unsafe == DELETED:
            return f"the transcript {self.path} is lost: {DELETED}"
        if is_empty:
            with suppress(OSError):
                self.path.unlink()
            return f"the transcript {self.path} is not there: the disk took nothing of it"
        if self._waiting:
            return f"the transcript {self.path} is not whole: the disk did not take all of it"
        if self._missing:
            return f"the transcript {self.path} is not whole: {missing(self._missing)} in it"
        return f"the transcript {self.path} may not be safe: {self._unsafe}" if self._unsafe else ""


def is_markdown(path: Path) -> bool:
    """Whether the name asks for Markdown."""
    return path.suffix.lower() == ".md"


def create(path: Path) -> tuple[Path, int]:
    """A new file to write to. A device (`/dev/full`) may be there already. Raises CannotSave."""
    try:
        flags = os.O_WRONLY | os.O_CLOEXEC | (0 if _is_device(path) else os.O_CREAT | os.O_EXCL)
        return path, os.open(path, flags, 0o600)
    except FileExistsError:
        raise Exists(f"{path} is there already, and is not written over") from None
    except (OSError, ValueError) as error:
        raise CannotSave(f"{path} cannot be made: {words(error)}") from None


def words(error: OSError | ValueError) -> str:
    """What went wrong, without the system's numbers."""
    strerror = getattr(error, "strerror", None)
    return str(strerror).lower() if strerror else str(error)


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False


def _is_empty(path: Path, descriptor: int) -> bool:
    """Whether it is a regular file that nothing was written to, and the one of this name still."""
    status = os.fstat(descriptor)
    try:
        return stat.S_ISREG(status.st_mode) and not status.st_size and os.path.samestat(status, path.lstat())
    except OSError:
        return False


def _create_free(now: float) -> tuple[Path, int]:
    """A file in the current folder, named for the time, with a number where that name is taken."""
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


def _make_safe(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FSYNC:
            raise
