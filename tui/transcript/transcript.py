"""Transcript: the events of a room, kept for /save and for the file of --transcript."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from time import time

from protocol.client import Received
from tui.transcript.file import TranscriptFile
from tui.transcript.formats import RecordedGap, TranscriptEntry, entries_of

MAX_ENTRIES = 100_000
"""Entries kept for /save and Markdown. Older ones are dropped, and a gap gives their number."""
MAX_KEPT_CHARACTERS = 20_000_000
"""Approximate size limit of all entries, so that a flood of long lines cannot fill the memory."""
SYNC_INTERVAL_S = 1.0


class Transcript:
    """The transcript of one client. `on_trouble`, which may be assigned, receives a sentence when writing fails."""

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time) -> None:
        """`path` is the transcript file, if any, and is created at once. Raises CannotSave."""
        self.on_trouble: Callable[[str], None] = lambda sentence: None
        self.now = now
        self._entries: deque[TranscriptEntry] = deque()
        self._characters = 0
        self._recorded = 0
        self._file = TranscriptFile(path, lambda sentence: self.on_trouble(sentence)) if path is not None else None

    @property
    def entries(self) -> list[TranscriptEntry]:
        """A copy of the kept entries, after a gap if older ones were dropped."""
        kept = list(self._entries)
        forgotten = self._recorded - len(kept)
        return [RecordedGap(kept[0].at, forgotten), *kept] if forgotten else kept

    def record(self, events: Iterable[Received]) -> None:
        """Append those events that belong into a transcript."""
        entries = entries_of(events, self.now())
        self._entries.extend(entries)
        self._characters += sum(map(_characters, entries))
        while len(self._entries) > MAX_ENTRIES or (self._characters > MAX_KEPT_CHARACTERS and len(self._entries) > 1):
            self._characters -= _characters(self._entries.popleft())
        self._recorded += len(entries)
        if self._file is not None:
            self._file.add(entries)

    async def sync_forever(self) -> None:
        """Sync the file every SYNC_INTERVAL_S, and retry failed writes. Returns after `close`."""
        while (file := self._file) is not None:
            file.write()
            if failure := await asyncio.to_thread(file.sync):
                file.report_trouble(failure)
            await asyncio.sleep(SYNC_INTERVAL_S)

    def close(self) -> str:
        """Finish the file. Returns a sentence if it is incomplete, else an empty string. Idempotent."""
        file, self._file = self._file, None
        return file.close(self.entries) if file is not None else ""


def _characters(entry: TranscriptEntry) -> int:
    """Approximate size of an entry."""
    return len(repr(entry))
