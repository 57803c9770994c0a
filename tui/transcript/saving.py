"""Saving what was said so far, while a screen runs, and what there is to say of it."""

import asyncio

from protocol.sanitize import sanitize
from tui.transcript.file import CannotSave, save
from tui.transcript.transcript import Transcript


async def save_minutes(minutes: Transcript, name: str, now: float) -> tuple[str, str]:
    """Write it to a new file, `name` or one of our choice. Returns a sentence that says where, or why not, and its
    kind: `local` or `error`."""
    try:
        path = await asyncio.to_thread(save, name, minutes.records, now)
    except CannotSave as error:
        return sanitize(str(error)), "error"
    return f"what was said is in {sanitize(path)}", "local"
