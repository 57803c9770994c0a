"""Saving what was said while the full screen runs, and telling what came of it, in the pane."""

import asyncio
from typing import TYPE_CHECKING

from protocol.text import harmless
from tui.minutes.file import CannotSave, save

if TYPE_CHECKING:
    from tui.app import ChatApp


async def save_minutes(app: "ChatApp", name: str) -> None:
    """Write what was said so far to a new file, `name` or one of our choice, and say where, or why not."""
    if app.chat is None:
        return
    try:
        path = await asyncio.to_thread(save, name, app.minutes.lines, app.now())
        app.chat.transcript.note(f"what was said is in {harmless(path)}")
    except CannotSave as error:
        tell_trouble(app, str(error))


def tell_trouble(app: "ChatApp", sentence: str) -> None:
    """Say in the pane what went wrong, as soon as there is one."""
    app.minutes.untold.append(harmless(sentence))
    if app.chat is not None:
        app.chat.take([])
