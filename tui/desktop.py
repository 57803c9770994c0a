"""The effects outside of the screen: the clipboard, a browser that opens a link, and the terminal's bell."""

import os
import sys
from urllib.parse import urlsplit

from textual.app import App

BURST_RINGS = 3
"""Rings that may follow each other at once."""
RING_INTERVAL_S = 2.0
"""Seconds in which one more ring is earned."""


def copy_selection(app: App[None]) -> bool:
    """Copy the selection of the focused field or of the pane, and clear it. Returns whether there was one."""
    # Not loaded before the prompt is shown, which needs neither.
    from textual.widgets import Input, TextArea
    from textual.widgets.input import Selection

    focused = app.focused
    field = focused.selected_text if isinstance(focused, Input | TextArea) else ""
    text = field or app.screen.get_selected_text()
    if not text:
        return False
    app.copy_to_clipboard(text)
    app.screen.clear_selection()
    if isinstance(focused, TextArea):
        focused.move_cursor(focused.cursor_location)
    elif isinstance(focused, Input):
        focused.selection = Selection.cursor(focused.cursor_position)
    app.notify("copied", timeout=1.5)
    return True


def open_link(app: App[None], url: str) -> None:
    """Open `url` (http or https only) in a browser, or copy it if there is no desktop. Call it in a thread: it may
    block."""
    if urlsplit(url).scheme not in ("http", "https"):
        return
    import webbrowser  # The import takes 5 ms, and few people click links.

    if _has_windows() and webbrowser.open(url):
        words = f"opened {with_ascii_host(url)}"
    else:
        app.call_from_thread(app.copy_to_clipboard, url)
        words = f"copied {with_ascii_host(url)}"
    app.call_from_thread(app.notify, words, markup=False, timeout=3)


def with_ascii_host(url: str) -> str:
    """The address, followed by the ASCII form of its host (RFC 3492) if the host has other letters: some of them look
    like ASCII letters."""
    try:
        host = urlsplit(url).hostname or ""
        return url if host.isascii() else f"{url} ({host.encode('idna').decode()})"
    except ValueError:
        return url


def _has_windows() -> bool:
    """Whether there is a desktop. Without one, webbrowser starts w3m or lynx, which would draw on our terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class BellLimit:
    """A token bucket of BURST_RINGS rings that earns one every RING_INTERVAL_S."""

    def __init__(self) -> None:
        self._rings = float(BURST_RINGS)
        self._counted_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether the bell may ring at `now`, in seconds of a monotonic clock. If so, one ring is used up."""
        earned = max(0.0, now - self._counted_at) / RING_INTERVAL_S
        self._rings, self._counted_at = min(BURST_RINGS, self._rings + earned), now
        if self._rings < 1:
            return False
        self._rings -= 1
        return True
