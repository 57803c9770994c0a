"""ConsoleClient: the operator console as a member of the room.

It joins as an operator, watches the meter, and joins again after each disconnect as long as the server runs.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from time import monotonic

from protocol.messages import Goodbye, Welcome
from tui.address import Address
from tui.client import RoomClient
from tui.client_view import Item
from tui.line.client import LineClient
from tui.line.formatting import OWN, TEXT, Line, note
from tui.link.connecting import back_off
from tui.link.room_link import FINAL

NICK = "console"
FIRST_RETURN_DELAY_S, MAX_RETURN_DELAY_S = 5.0, 60.0
"""Delay until a console that was removed joins again: the first one, and the limit."""
STABLE_AFTER_S = 30.0
"""Time in the room after which the delay is reset."""
QUIET = "class:quiet"


class ConsoleClient(LineClient):
    """`show` receives the lines to print; `on_change` is called after each change that affects the toolbar."""

    watches_meter = True

    def __init__(
        self, address: Address, key: bytes, *, show: Callable[[list[Line]], None], on_change: Callable[[], None]
    ) -> None:
        self._closing = False
        self._sent_away = False
        self._last_code = ""
        """The code of the last rejection that was shown, since the console was in the room."""
        self._show_all = show
        client = RoomClient(address, NICK, key=key, asks_for_nick=False)
        super().__init__(client, show=self._show_dimmed, on_change=on_change)

    async def stay(self) -> None:
        """Stay in the room until cancelled or the room closes."""
        times = 0
        while True:
            began = monotonic()
            await self.client.stay()
            if self._closing:
                return
            times = 1 if monotonic() - began >= STABLE_AFTER_S else times + 1
            wait = (
                FIRST_RETURN_DELAY_S
                if times == 1
                else back_off(times, random.random(), FIRST_RETURN_DELAY_S, MAX_RETURN_DELAY_S)
            )
            if self._sent_away:
                self._sent_away = False
                self._show([note(f"the console was sent away, and comes back in {wait:.0f} seconds")])
            await asyncio.sleep(wait)
            self.client.try_nick(NICK)

    async def leave(self) -> None:
        """Leave the room, with a quit if connected."""
        self._closing = True
        await self.client.leave()

    def _show_dimmed(self, lines: list[Line]) -> None:
        # After the room has closed, the lost connection is expected.
        if not self._closing:
            self._show_all([dim_message(line) for line in lines])

    def show_items(self, items: Sequence[Item]) -> None:
        super().show_items(items)
        for item in items:
            match item:
                case Goodbye(code="closing"):
                    self._closing = True
                case Goodbye(code) if code in FINAL:
                    self._sent_away = True

    def joined(self, welcome: Welcome) -> None:
        super().joined(welcome)
        self._last_code = ""

    def rejected(self, goodbye: Goodbye) -> None:
        """Print a rejection, but not the same one again at each attempt."""
        if goodbye.code == "closing":
            self._closing = True
        elif goodbye.code != self._last_code:
            self._show([note(f"the console cannot come in: {goodbye.reason}")])
            self._last_code = goodbye.code


def dim_message(line: Line) -> Line:
    """Show messages in a quiet colour, behind the log, but not their nicknames and the operator's own messages."""
    mine = any(style == OWN for style, _ in line)
    return [(QUIET if style == TEXT and not mine else style, text) for style, text in line]
