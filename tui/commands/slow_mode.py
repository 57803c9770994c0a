"""SlowModeQueue sends lines that slow mode has refused again, in their order, each as soon as the room allows it."""

import asyncio
from bisect import insort
from collections.abc import Callable
from itertools import count

from tui.commands.parse import ChatLine


class SlowModeQueue:
    """Needs a running event loop. `send` sends a line with an id. The caller reports the answers of the room with
    `on_answer` and `on_refusal`. The length of the queue is the number of lines that wait in it."""

    def __init__(self, send: Callable[[str, ChatLine], object]) -> None:
        self._send_line = send
        self._interval_s = 0.0
        self._numbers = count()
        self._sent: dict[str, tuple[int, ChatLine]] = {}
        """The lines without an answer, by their ids."""
        self._lines: list[tuple[int, str, ChatLine]] = []
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def seconds_left(self) -> float:
        """Seconds until the first waiting line is sent; 0 if it waits for the answer to another line."""
        return max(0.0, self._timer.when() - asyncio.get_running_loop().time()) if self._timer else 0.0

    def set_interval(self, seconds: float) -> None:
        """Set the seconds of slow mode between two lines. After a change the room accepts the next line at once."""
        if seconds == self._interval_s:
            return
        self._interval_s = seconds
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._try_in(0.0)

    def send(self, id: str, line: ChatLine) -> None:
        """Send a line, or append it to the waiting ones. In slow mode each line waits for the previous answer."""
        number = next(self._numbers)
        if self._lines or (self._interval_s and self._sent):
            self._lines.append((number, id, line))
        else:
            self._send(number, id, line)

    def on_answer(self, id: str) -> bool:
        """The room has accepted the line with this id, or refused it for good. Returns whether it was sent here."""
        mine = self._sent.pop(id, None) is not None
        if mine:
            self._try_in(self._interval_s)
        return mine

    def on_refusal(self, id: str, wait: float) -> bool:
        """The room accepts the line with this id after `wait` seconds. Returns whether it was sent here."""
        sent = self._sent.pop(id, None)
        if sent is None:
            return False
        number, line = sent
        insort(self._lines, (number, id, line))  # Later lines may have been sent before this refusal came.
        self._try_in(wait)
        return True

    def _try_in(self, wait: float) -> None:
        if self._timer is None and not self._sent and self._lines:
            self._timer = asyncio.get_running_loop().call_later(wait, self._try)

    def _try(self) -> None:
        self._timer = None
        self._send(*self._lines.pop(0))

    def _send(self, number: int, id: str, line: ChatLine) -> None:
        self._sent[id] = number, line
        self._send_line(id, line)
