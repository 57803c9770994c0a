"""Deferred: lines that slow mode refused, said again in their order, each once it may be."""

import asyncio
from collections import deque
from collections.abc import Callable

from tui.typed.commands import Spoken


class Deferred:
    """Needs a running event loop. `say` says a line and returns its id."""

    def __init__(self, say: Callable[[Spoken], str]) -> None:
        self._say = say
        self._lines: deque[Spoken] = deque()
        self._trying = ""
        """The id of the first of them, while it is on its way."""
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def refused(self, id: str, line: Spoken, wait: float) -> None:
        """The line with this id was refused, and may be said in `wait` seconds."""
        if id == self._trying:
            self._trying = ""
            self._lines.appendleft(line)
        else:
            self._lines.append(line)
        self._try_in(wait)

    def answered(self, id: str, wait: float) -> None:
        """The line with this id was said, or refused for good; the next may be in `wait` seconds."""
        if id == self._trying:
            self._trying = ""
            self._try_in(wait)

    def _try_in(self, wait: float) -> None:
        if self._timer is None and not self._trying and self._lines:
            self._timer = asyncio.get_running_loop().call_later(wait, self._try)

    def _try(self) -> None:
        self._timer = None
        self._trying = self._say(self._lines.popleft())
