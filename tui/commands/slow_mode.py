"""SlowModeQueue: lines that slow mode has refused, to be sent again in their order, each as soon as it is allowed."""

import asyncio
from bisect import insort
from collections.abc import Callable
from itertools import count

from tui.commands.parse import ChatLine


class SlowModeQueue:
    """Needs a running event loop. `send` says a line under an id; the room's answers come in by `answered` and
    `refused`. Its length is the number of lines that wait here."""

    def __init__(self, send: Callable[[str, ChatLine], object]) -> None:
        self._send = send
        self._slow = 0.0
        self._numbers = count()
        self._sent: dict[str, tuple[int, ChatLine]] = {}
        """What has no answer yet, by its id."""
        self._lines: list[tuple[int, str, ChatLine]] = []
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def left(self) -> float:
        """Seconds until the first of the lines that wait is said; 0 where that hangs on an answer."""
        return max(0.0, self._timer.when() - asyncio.get_running_loop().time()) if self._timer else 0.0

    def pace(self, slow: float) -> None:
        """Slow mode wants us to wait so many seconds between two lines. A change of it lets everybody speak at once."""
        if slow == self._slow:
            return
        self._slow = slow
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._try_in(0.0)

    def say(self, id: str, line: ChatLine) -> None:
        """Say it now, or behind those that wait; in slow mode one waits for the answer to the other."""
        number = next(self._numbers)
        if self._lines or (self._slow and self._sent):
            self._lines.append((number, id, line))
        else:
            self._say(number, id, line)

    def answered(self, id: str) -> bool:
        """The line with this id was said, or refused for good. Returns whether it was one of these."""
        mine = self._sent.pop(id, None) is not None
        if mine:
            self._try_in(self._slow)
        return mine

    def refused(self, id: str, wait: float) -> bool:
        """The line with this id may be said in `wait` seconds. Returns whether it was one of these."""
        sent = self._sent.pop(id, None)
        if sent is None:
            return False
        number, line = sent
        insort(self._lines, (number, id, line))  # Others may have been sent before it was known that one must wait.
        self._try_in(wait)
        return True

    def _try_in(self, wait: float) -> None:
        if self._timer is None and not self._sent and self._lines:
            self._timer = asyncio.get_running_loop().call_later(wait, self._try)

    def _try(self) -> None:
        self._timer = None
        self._say(*self._lines.pop(0))

    def _say(self, number: int, id: str, line: ChatLine) -> None:
        self._sent[id] = number, line
        self._send(id, line)
