"""LogFile: the log of the server we host, kept in a file. What a disk does not take is lost, and said in the file."""

import os
from pathlib import Path

from protocol.text import counted
from tui.hosting.server_process import CannotHost


class LogFile:
    """A file that lines are added to at its end. Nobody else can read it: a log names people and addresses."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it. Raises CannotHost."""
        try:
            self._descriptor = os.open(path.expanduser(), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise CannotHost(f"the log {path} cannot be opened: {reason}", 2) from None
        self._lost = 0

    def add(self, line: str) -> None:
        """Add a line, without its end. It may hold what strangers sent: the server has made it harmless."""
        lost = f"{counted(self._lost, 'line')} of this log could not be written\n" if self._lost else ""
        data = f"{lost}{line}\n".encode()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
            self._lost = 0
        except OSError:
            self._lost += 1
