"""TerminalDriver: Textual's own, for a terminal that may go away: a closed window ends the app and does not hang it."""

from collections.abc import Callable
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Asks the app's `leave_soon(0)` once the terminal cannot be written to."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file: IO[str] = _Output(self._file, self._gone)  # type: ignore[assignment]  # as much of a file as is used

    def _gone(self) -> None:
        self._app.call_later(getattr(self._app, "leave_soon"), 0)  # noqa: B009  # App has none; ChatApp has


class _Output:
    """What cannot be written is dropped. Textual's output thread would end instead, and after 30 more writes the app
    would wait for ever."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file = file
        self._gone = gone
        self._lost = False

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def _try(self, act: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            act()
        except OSError:
            self._lost = True
            self._gone()
