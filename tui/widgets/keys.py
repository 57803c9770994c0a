"""Keys: the footer with the most important keys. A short line shows fewer of them, so that the state of the room stays
readable. A narrow screen shows none, and StatusBar names the key for help."""

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey


class Keys(Footer):
    """Help and the palette lead to everything else; the others have the class `-more`, and Ctrl-C, which every terminal
    has, `-most`."""

    def __init__(self) -> None:
        super().__init__(compact=True)

    def compose(self) -> ComposeResult:
        for key in super().compose():
            if isinstance(key, FooterKey):
                key.set_class(key.action == "interrupt", "-most")
                is_first = key.action in ("help", "interrupt") or key.has_class("-command-palette")
                key.set_class(not is_first, "-more")
            yield key
