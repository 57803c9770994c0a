"""JoinCard: the addresses, commands and the QR code for joining the room, large enough for a projector."""

from collections.abc import Callable
from copy import copy

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.renderables.digits import Digits as DrawnDigits
from textual.screen import Screen
from textual.widgets import Digits, Static

from tui.hosting.invitation import Invitation, SshEntrance, local_name
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
MAX_OTHER_ADDRESSES = 3
"""Further addresses that are shown: a machine may have many IPv6 addresses."""


class JoinCard(Screen[None]):
    """Any key or click closes the card."""

    def __init__(
        self,
        title: str,
        invitation: Invitation,
        people: Callable[[], int],
        forward_key: Callable[[events.Event], object],
        ssh: Callable[[], SshEntrance | None] = lambda: None,
    ) -> None:
        """`people` returns the number of people here. `forward_key` gets the keys that write text, and pastes. `ssh` is
        asked again and again: guests can come by ssh only a while after the room is open."""
        super().__init__()
        self.title = title
        self._invitation = invitation
        self._people = people
        self._forward_key = forward_key
        self._find_ssh = ssh
        self._code = Code(invitation.link)
        self._here = Static("", markup=False, id="card-here")
        best = str(invitation.best)
        self._big = Digits(best.upper() if set(best.upper()) <= IN_BIG_DIGITS else "")
        self._big.set_class(":" in invitation.best.host, "-letters")
        self._small = Static(Content.styled(best, "bold $accent"), id="card-name")
        self._drawn = Static("", markup=False, id="card-code")
        self._page = Static("", markup=False)
        self._ssh_command = Static("", markup=False, classes="card-command")
        self._host_key = Static("", markup=False)
        self._warning = Static("", markup=False, classes="card-said")
        self._also = Static("", markup=False, id="card-also")

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
                for command in self._invitation.commands():
                    yield Static(Content.styled(command, "bold $accent"), classes="card-command")
                yield self._ssh_command
                yield self._host_key
                yield Static(Content("With nc and telnet, your first line is your nickname."), classes="card-said")
                yield self._also
                yield self._warning
            yield self._drawn
        yield Static(Content.styled("Any key: to the room    F4: this card again", "$quiet"))

    def on_mount(self) -> None:
        self._show_others("")
        self._refresh()
        self.set_interval(1, self._refresh)
        self.run_worker(self._look_up())

    async def _look_up(self) -> None:
        self._show_others(await local_name([address.host for address in self._invitation.addresses]))

    def _show_others(self, name: str) -> None:
        port = self._invitation.best.port
        others = [*([f"{name}:{port}"] if name else []), *map(str, self._invitation.others[:MAX_OTHER_ADDRESSES])]
        self._also.update(Content.styled(f"Also at {', '.join(others)}" if others else "", "$quiet"))

    def _refresh(self) -> None:
        self._invitation = replace(self._invitation, ssh=self._find_ssh())
        ssh = self._invitation.ssh
        self._ssh_command.display = self._host_key.display = ssh is not None
        self._ssh_command.update(Content.styled(self._invitation.ssh_command, "bold $accent"))
        self._host_key.update(Content.styled(ssh.fingerprint if ssh else "", "$quiet"))
        self._set_tight()
        self._warning.update(Content.styled(self._invitation.warning, "$warning bold"))
        self._here.update(Content.styled(f"{self._people():,} here", "bold"))

    def on_resize(self, event: events.Resize) -> None:
        """Draw the code as large as possible, or hide it if it does not fit. The address is big if the code then still
        fits."""
        width, height = event.size.width - COMMANDS_WIDTH - 2, event.size.height - OTHER_ROWS
        big = self._big.value and DrawnDigits.get_width(self._big.value) <= event.size.width - MARGINS_WIDTH
        fitting = self._code.size(width, height - (BIG_ADDRESS_ROWS if big else SMALL_ADDRESS_ROWS))
        if fitting is None and big:
            fitting = self._code.size(width, height - SMALL_ADDRESS_ROWS)
            big = fitting is None
        self._big.display, self._small.display = bool(big), not big
        self._page.update(self._invite_browser(fits=bool(big)))
        self._set_tight()
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

    def _set_tight(self) -> None:
        """Leave no blank rows between the commands if there are few rows for them."""
        self.set_class(self.size.height < ROOMY_ROWS and (self._small.display or self._ssh_command.display), "-tight")

    def on_key(self, event: events.Key) -> None:
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
