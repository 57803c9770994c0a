"""Transcript: what was heard in a room, kept for /save, and for the file that --transcript names."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from time import time

from protocol.client import Received
from tui.transcript.file import TranscriptFile
from tui.transcript.formats import Record, gap, records_of

KEPT = 100_000
"""Things that happened, kept for /save and for Markdown; the oldest go, and a gap says how many."""
MAX_CHARACTERS = 20_000_000
"""Of all that is kept, about: a room that floods fills no memory."""
SYNC_EVERY = 1.0
"""Seconds."""


class Transcript:
    """What one client heard. `on_trouble` may be replaced; it is told a sentence when the file cannot be written."""

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time) -> None:
        """`path` is the file to keep, if any: it is made at once. Raises CannotSave."""
        self.on_trouble: Callable[[str], None] = lambda sentence: None
        self.now = now
        self.untold: list[str] = []
        """Troubles that are to be told once there is a screen to tell them on."""
        self._records: deque[Record] = deque()
        self._characters = 0
        self._heard = 0
        self._file = TranscriptFile(path, lambda sentence: self.on_trouble(sentence)) if path is not None else None

    @property
    def records(self) -> list[Record]:
        """What was heard so far, as a list of its own."""
        kept = list(self._records)
        forgotten = self._heard - len(kept)
        return [gap(kept[0].at, forgotten), *kept] if forgotten else kept

    def hear(self, events: Iterable[Received]) -> None:
        """Keep what belongs into a transcript."""
        records = records_of(events, self.now())
        self._records.extend(records)
        self._characters += sum(map(_characters, records))
        while len(self._records) > KEPT or (self._characters > MAX_CHARACTERS and len(self._records) > 1):
            self._characters -= _characters(self._records.popleft())
        self._heard += len(records)
        if self._file is not None:
            self._file.add(records)

    async def sync_forever(self) -> None:
        """Every second, see that what was written is on the disk, and try again what it did not take."""
        while (file := self._file) is not None:
            file.write()
            if failure := await asyncio.to_thread(file.sync):
                file.trouble(failure)
            await asyncio.sleep(SYNC_EVERY)

    def close(self) -> str:
        """Finish the file. Returns a sentence where it is not whole. Harmless to call twice."""
        file, self._file = self._file, None
        return file.close(self.records) if file is not None else ""


def _characters(record: Record) -> int:
    """How many characters the strings of a record have, and those of its lists."""
    return sum(
        len(value) if isinstance(value, str) else len(str(value)) if isinstance(value, list | tuple) else 0
        for value in record.event.values()
    )
