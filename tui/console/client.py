"""ConsoleClient: the operator console as a member of the room.

It joins as an operator, watches the meter, and joins again after each disconnect as long as the server runs.
"""

import asyncio
import random
from collections.abc import Callable
from time import monotonic

from protocol.client import Received
from protocol.messages import Goodbye, MeterReading, OperatorGranted, Watch, Welcome
from tui.address import Address
from tui.line.client import LineClient
from tui.line.formatting import OWN, TEXT, Line, note
from tui.link.connecting import back_off
from tui.link.room_link import FINAL
from tui.transcript.transcript import Transcript

NICK = "console"
FIRST_RETURN_DELAY_S, MAX_RETURN_DELAY_S = 5.0, 60.0
"""Delay until a console that was removed joins again: the first one, and the limit."""
STABLE_AFTER_S = 30.0
"""Time in the room after which the delay is reset."""
QUIET = "class:quiet"


class ConsoleClient:
    """`show` receives the lines to print; `on_change` is called after each change that affects the toolbar."""

    def __init__(
        self, address: Address, key: bytes, *, show: Callable[[list[Line]], None], on_change: Callable[[], None]
    ) -> None:
        self.address = address
        self.meter_reading: MeterReading | None = None
        """The latest meter reading; None before the first."""
        self._key = key
        self._show = show
        self._on_change = on_change
        self._transcript = Transcript()
        self._closing = False
        self._sent_away = False
        self._last_code = ""
        """The code of the last goodbye that was shown, since the console was in the room."""
        self.line_client = self._enter()

    async def stay(self) -> None:
        """Stay in the room until cancelled or the room closes."""
        times = 0
        while True:
            began = monotonic()
            await self.line_client.link.run()
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
            before = self.line_client.link
            self.line_client = self._enter()
            self.line_client.link.resume_from(before)
            self.line_client.link.entered = False  # So a repeated rejection is shown only once.

    async def leave(self) -> None:
        """Leave the room, with a quit if connected."""
        self._closing = True
        await self.line_client.link.close()

    def _enter(self) -> LineClient:
        return LineClient(
            self.address,
            NICK,
            show=self._show_talk,
            show_own=True,
            key=self._key,
            transcript=self._transcript,
            asks_for_nick=False,
            on_heard=self._on_events,
            on_change=self._on_change,
        )

    def _show_talk(self, lines: list[Line]) -> None:
        # After the room has closed, the lost connection is expected.
        if not self._closing:
            self._show([dim_message(line) for line in lines])

    def _on_events(self, events: list[Received]) -> None:
        link = self.line_client.link
        for event in events:
            match event:
                case OperatorGranted(on=True) | Welcome(operator=True):
                    self._last_code = ""
                    link.order(Watch())
                case MeterReading():
                    self.meter_reading = event
                case Goodbye(code="closing"):
                    self._closing = True
                case Goodbye(code, _) if link.entered and code in FINAL:
                    self._sent_away = True
                case Goodbye(code, reason) if not link.entered and code != self._last_code:
                    self._show([note(f"the console cannot come in: {reason}")])
                    self._last_code = code


def dim_message(line: Line) -> Line:
    """Show messages in a quiet colour, behind the log, but not their nicknames and the operator's own messages."""
    mine = any(style == OWN for style, _ in line)
    return [(QUIET if style == TEXT and not mine else style, text) for style, text in line]
