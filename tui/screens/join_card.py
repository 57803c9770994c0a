"""JoinCard: how others get into the room, large enough for the last row: addresses, commands, and a code for phones."""

from collections.abc import Callable
from copy import copy

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.renderables.digits import Digits as DrawnDigits
from textual.screen import Screen
from textual.widgets import Digits, Static

from tui.hosting.invitation import Invitation
from tui.hosting.network_addresses import local_name
from tui.hosting.qr import Code

COMMANDS_WIDTH = 34
"""Cells that the commands need beside the code."""
MARGINS_WIDTH = 4
"""Cells left and right of everything."""
OTHER_ROWS = 3
"""Rows that are neither the code's nor the address's: title, keys, and the edge above."""
BIG_ADDRESS_ROWS, SMALL_ADDRESS_ROWS = 3, 1
"""Rows of the address."""
IN_BIG_DIGITS = frozenset("0123456789ABCDEF.:[]")
ROOMY_ROWS = 30
"""Rows from which there is air between the commands, however long they are."""
MAX_OTHER_ADDRESSES = 3
"""Other addresses that are named: a machine may have many of IPv6."""


class JoinCard(Screen[None]):
    """Any key closes it, and a click. What is typed on it belongs elsewhere."""

    def __init__(
        self,
        title: str,
        invitation: Invitation,
        people: Callable[[], int],
        forward_key: Callable[[events.Event], object],
    ) -> None:
        """`people` tells how many are here. `forward_key` gets what is typed here that writes something, or pasted."""
        super().__init__()
        self.title = title
        self._invitation = invitation
        self._people = people
        self._forward_key = forward_key
        self._code = Code(invitation.link)
        self._here = Static("", markup=False, id="card-here")
        best = str(invitation.best)
        self._big = Digits(best.upper() if set(best.upper()) <= IN_BIG_DIGITS else "")
        self._big.set_class(":" in invitation.best.host, "-letters")
        self._small = Static(Content.styled(best, "bold $accent"), id="card-name")
        self._drawn = Static("", markup=False, id="card-code")
        self._also = Static("", markup=False, id="card-also")

    def compose(self) -> ComposeResult:
        with Horizontal(id="card-top"):
            yield Static(Content.styled(self.title or "", "bold"), id="card-title")
            yield self._here
        yield self._big
        yield self._small
        with Horizontal(id="card-ways"):
            with Vertical(id="card-words"):
                yield Static(Content.styled("One of these in your terminal:", "$quiet"))
                for command in self._invitation.commands():
                    yield Static(Content.styled(command, "bold $accent"), classes="card-command")
                yield Static(Content("With nc and telnet, your first line is your nickname."), classes="card-said")
                yield self._also
                yield Static(Content.styled(self._invitation.warning, "$warning bold"), classes="card-said")
            yield self._drawn
        yield Static(Content.styled("Any key: to the room    F4: this card again", "$quiet"))

    def on_mount(self) -> None:
        self._show_others("")
        self._count()
        self.set_interval(1, self._count)
        self.run_worker(self._look_up())

    async def _look_up(self) -> None:
        self._show_others(await local_name([address.host for address in self._invitation.addresses]))

    def _show_others(self, name: str) -> None:
        port = self._invitation.best.port
        others = [*([f"{name}:{port}"] if name else []), *map(str, self._invitation.others[:MAX_OTHER_ADDRESSES])]
        self._also.update(Content.styled(f"Also at {', '.join(others)}" if others else "", "$quiet"))

    def _count(self) -> None:
        self._here.update(Content.styled(f"{self._people():,} here", "bold"))

    def on_resize(self, event: events.Resize) -> None:
        """The code is drawn as large as it goes, and not at all where it would not fit whole. The address is big where
        that leaves the code its place."""
        width, height = event.size.width - COMMANDS_WIDTH - 2, event.size.height - OTHER_ROWS
        big = self._big.value and DrawnDigits.get_width(self._big.value) <= event.size.width - MARGINS_WIDTH
        fitting = self._code.size(width, height - (BIG_ADDRESS_ROWS if big else SMALL_ADDRESS_ROWS))
        if fitting is None and big:
            fitting = self._code.size(width, height - SMALL_ADDRESS_ROWS)
            big = fitting is None
        self._big.display, self._small.display = bool(big), not big
        self.set_class(not big and event.size.height < ROOMY_ROWS, "-tight")
        self._drawn.display = fitting is not None
        if fitting is not None:
            self._drawn.update(self._code.drawn(*fitting))

    def on_key(self, event: events.Key) -> None:
        typed = copy(event)  # As it is before it counts as dealt with.
        event.stop()
        event.prevent_default()
        self.dismiss()
        if typed.is_printable and (typed.character or "").strip():
            self._forward_key(typed)

    def on_paste(self, event: events.Paste) -> None:
        typed = copy(event)
        event.stop()
        self.dismiss()
        self._forward_key(typed)

    def on_click(self) -> None:
        if self.is_current:
            self.dismiss()
