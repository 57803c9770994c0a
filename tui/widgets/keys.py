"""Keys: the footer with the few keys that matter; where the line is short, with fewer still: the state of the room is
what one looks there for. Where the screen is narrow there are none, and StatusBar shows the way to help."""

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
