"""JoinCard: the addresses, commands and the QR code for joining the room, large enough for a projector."""

from collections.abc import Callable
from copy import copy

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.renderables.digits import Digits as DrawnDigits
from textual.screen import Screen
from textual.widgets import Digits, Static

from tui.address import Address
from tui.hosting.invitation import Invitation, local_name
from tui.hosting.qr import Code

COMMANDS_WIDTH = 34
"""Cells that the commands need beside the code."""
MARGINS_WIDTH = 4
"""Cells left and right of the whole card."""
OTHER_ROWS = 3
"""Rows of the title, the line of keys and the upper edge: all but the code and the address."""
BIG_ADDRESS_ROWS, SMALL_ADDRESS_ROWS = 3, 1
"""Rows of the address."""
IN_BIG_DIGITS = frozenset("0123456789ABCDEF.:[]")
ROOMY_ROWS = 30
"""From this number of rows on, there are blank rows between the commands."""
TURNS = {"right": 1, "left": -1}
"""Keys that choose another address, and its place in the invitation, which has the addresses in turn."""
MAX_OTHER_ADDRESSES = 3
"""Further addresses that are shown: a machine may have many IPv6 addresses."""


class JoinCard(Screen[None]):
    """Any key or click closes the card, except for the keys that choose another address."""

    def __init__(
        self,
        title: str,
        find_invitation: Callable[[], Invitation],
        people: Callable[[], int],
        *,
        forward_key: Callable[[events.Event], object],
        choose: Callable[[Address], object],
    ) -> None:
        """`find_invitation` is called again and again: guests can come by ssh only a while after the room is open.
        `people` returns the number of people here. `forward_key` gets the keys that write text, and pastes. `choose`
        gets the address that is to be the invitation's best one."""
        super().__init__()
        self.title = title
        self._find_invitation = find_invitation
        self._people = people
        self._forward_key = forward_key
        self._choose = choose
        self._invitation = find_invitation()
        self._code = Code(self._invitation.link)
        self._name = ""
        """The name of this machine in the local network, once it is found."""
        self._here = Static("", markup=False, id="card-here")
        self._big = Digits("")
        self._small = Static("", markup=False, id="card-name")
        self._drawn = Static("", markup=False, id="card-code")
        self._page = Static("", markup=False)
        self._commands = [Static("", markup=False, classes="card-command") for _ in self._invitation.commands()]
        self._ssh_command = Static("", markup=False, classes="card-command")
        self._host_key = Static("", markup=False)
        self._warning = Static("", markup=False, classes="card-said")
        self._also = Static("", markup=False, id="card-also")
        self._keys = Static("", markup=False)

    def compose(self) -> ComposeResult:
        with Horizontal(id="card-top"):
            yield Static(Content.styled(self.title or "", "bold"), id="card-title")
            yield self._here
        yield self._big
        yield self._small
        with Horizontal(id="card-ways"):
            with Vertical(id="card-words"):
                yield self._page
                yield Static(Content.styled("Or in a terminal, one of these:", "$quiet"))
                yield from self._commands
                yield self._ssh_command
                yield self._host_key
                yield Static(Content("With nc and telnet, your first line is your nickname."), classes="card-said")
                yield self._also
                yield self._warning
            yield self._drawn
        yield self._keys

    def on_mount(self) -> None:
        self._show_invitation()
        self._refresh()
        self.set_interval(1, self._refresh)
        self.run_worker(self._look_up())

    async def _look_up(self) -> None:
        self._name = await local_name([address.host for address in self._invitation.addresses])
        self._show_invitation()

    def _show_invitation(self) -> None:
        """Show the best address of the invitation in all its forms, the others, and the way in by ssh."""
        best, ssh = self._invitation.best, self._invitation.ssh
        written = str(best)
        self._code = Code(self._invitation.link)
        self._big.update(written.upper() if set(written.upper()) <= IN_BIG_DIGITS else "")
        self._big.set_class(":" in best.host, "-letters")
        self._small.update(Content.styled(written, "bold $accent"))
        for shown, command in zip(self._commands, self._invitation.commands(), strict=True):
            shown.update(Content.styled(command, "bold $accent"))
        named = [f"{self._name}:{best.port}"] if self._name else []
        others = [*named, *map(str, self._invitation.others[:MAX_OTHER_ADDRESSES])]
        self._also.update(Content.styled(f"Also at {', '.join(others)}" if others else "", "$quiet"))
        more = "    \u2190 \u2192: another address" if self._invitation.others else ""
        self._keys.update(Content.styled(f"Any key: to the room    F4: this card again{more}", "$quiet"))
        self._ssh_command.display = self._host_key.display = ssh is not None
        self._ssh_command.update(Content.styled(self._invitation.ssh_command, "bold $accent"))
        self._host_key.update(Content.styled(ssh.fingerprint if ssh else "", "$quiet"))
        self._warning.update(Content.styled(self._invitation.warning, "$warning bold"))
        self._fit()

    def _refresh(self) -> None:
        before, self._invitation = self._invitation, self._find_invitation()
        if self._invitation != before:
            self._show_invitation()
        self._here.update(Content.styled(f"{self._people():,} here", "bold"))

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Draw the code as large as possible, or hide it if it does not fit. The address is big if the code then still
        fits."""
        width, height = self.size.width - COMMANDS_WIDTH - 2, self.size.height - OTHER_ROWS
        big = self._big.value and DrawnDigits.get_width(self._big.value) <= self.size.width - MARGINS_WIDTH
        fitting = self._code.size(width, height - (BIG_ADDRESS_ROWS if big else SMALL_ADDRESS_ROWS))
        if fitting is None and big:
            fitting = self._code.size(width, height - SMALL_ADDRESS_ROWS)
            big = fitting is None
        self._big.display, self._small.display = bool(big), not big
        self._page.update(self._invite_browser(fits=bool(big)))
        # Without blank rows between the commands if there are few rows for them.
        is_tight = self.size.height < ROOMY_ROWS and (self._small.display or self._ssh_command.display)
        self.set_class(is_tight, "-tight")
        self._drawn.display = fitting is not None
        if fitting is not None:
            self._drawn.update(self._code.drawn(*fitting))

    def _invite_browser(self, *, fits: bool) -> Content:
        """The way in for a browser, with the link if it fits into one row."""
        if not fits:
            return Content.styled("Scan the code, or open the address in a browser.", "$quiet")
        return Content.assemble(
            ("Scan the code, or in a browser:\n", "$quiet"), (self._invitation.link, "bold $accent")
        )

    def on_key(self, event: events.Key) -> None:
        if event.key in TURNS and self._invitation.others:
            event.stop()
            self._choose(self._invitation.addresses[TURNS[event.key]])
            self._refresh()
            return
        typed = copy(event)  # A copy, as the original is marked as handled.
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
