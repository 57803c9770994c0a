"""LogFile: the file with the log of the hosted server. Lines that cannot be written are dropped and counted."""

import errno
import os
import stat
from pathlib import Path

from protocol.format import plural
from tui.hosting.server_process import CannotHost

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""O_NONBLOCK makes it an error to open a pipe without a reader, instead of blocking (open(2))."""
REASONS = {errno.ELOOP: "it is a symbolic link", errno.ENXIO: "it is not a regular file"}


class LogFile:
    """A file to which lines are appended. Only its owner can read it, because a log has nicknames and addresses."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises CannotHost, also for a link, a pipe, a device or another user's file: in a
        shared folder, another user may have placed it there as a trap."""
        try:
            self._descriptor = os.open(path.expanduser(), FLAGS, 0o600)
        except (OSError, ValueError) as error:
            reason = REASONS.get(getattr(error, "errno", None) or 0) or getattr(error, "strerror", None) or str(error)
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
