"""Output: writes lines to a guest as far as the guest reads them, and leaves lines out where that is too slow.

asyncssh keeps all that a guest has not read, without a limit. So as soon as some of it waits, further lines are held
here, up to a limit.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from protocol.format import plural

MAX_UNSENT_BYTES = 64 * 1024
"""Bytes that asyncssh and the socket may keep before lines are held."""
MAX_HELD_CHARACTERS = 128 * 1024
"""Characters of held lines. The oldest are left out first."""
RETRY_INTERVAL_S = 0.1


class Output:
    """The lines for one guest."""

    def __init__(
        self, write: Callable[[str], None], unsent: Callable[[], int], format_gap: Callable[[str], str]
    ) -> None:
        """`write` takes text with line ends; `unsent` returns the number of bytes that were written and are not on
        their way; `format_gap` makes a line of the sentence that lines were left out."""
        self._write = write
        self._unsent = unsent
        self._format_gap = format_gap
        self._held: deque[str] = deque()
        self._held_characters = 0
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None

    def show(self, lines: list[str]) -> None:
        """Write these lines, given without their ends, or hold them."""
        if not self._held and self._unsent() <= MAX_UNSENT_BYTES:
            self._write("".join(f"{line}\n" for line in lines))
            return
        self._held += lines
        self._held_characters += sum(map(len, lines))
        while self._held_characters > MAX_HELD_CHARACTERS:
            self._held_characters -= len(self._held.popleft())
            self._lost += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(RETRY_INTERVAL_S, self._retry)

    async def wait_until_read(self) -> None:
        """Let other guests have their turn, and wait while this one does not read."""
        await asyncio.sleep(0)
        while self._unsent() > MAX_UNSENT_BYTES:  # noqa: ASYNC110 - nothing tells that a transport has become empty
            await asyncio.sleep(RETRY_INTERVAL_S)

    def finish(self) -> None:
        """Write all held lines now: the channel is about to be closed, which waits until they are sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write_held()

    def _retry(self) -> None:
        self._timer = None
        if self._unsent() <= MAX_UNSENT_BYTES // 2:
            self._write_held()
        else:
            self._timer = asyncio.get_running_loop().call_later(RETRY_INTERVAL_S, self._retry)

    def _write_held(self) -> None:
        lines = list(self._held)
        if self._lost:
            were = "was" if self._lost == 1 else "were"
            lines.insert(0, self._format_gap(f"{plural(self._lost, 'line')} {were} left out, as you read too slowly"))
        self._held.clear()
        self._held_characters = self._lost = 0
        if lines:
            self._write("".join(f"{line}\n" for line in lines))
