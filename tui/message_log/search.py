"""Search: which entries hold what is looked for, and which of them the reader is at."""

import re
from array import array
from bisect import bisect_left, bisect_right
from unicodedata import normalize

from tui.message_log.entries import Entry, Kind


class Search:
    """One search, in any case. A match is an entry: what is said, or who says it. In it all occurrences are marked."""

    def __init__(self, words: str) -> None:
        """`words` is never empty."""
        words = normalize("NFC", words)  # As the entries are.
        self._words = words.lower()
        self._pattern = re.compile(re.escape(words), re.IGNORECASE)
        self._found = array("Q")
        self._current: int | None = None

    def __len__(self) -> int:
        return len(self._found)

    def look(self, serial: int, entry: Entry) -> None:
        """Look at one more entry, or again at the last; serial numbers rise."""
        if self._found and self._found[-1] == serial:
            self._found.pop()
        if self._words in entry.text.lower() or self.names(entry):  # a tenth of what the pattern takes
            self._found.append(serial)

    def forget(self, before: int) -> None:
        """Entries with smaller serial numbers are gone."""
        gone = bisect_left(self._found, before)
        if gone:
            del self._found[:gone]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in `text` the words stand."""
        return [match.span() for match in self._pattern.finditer(text)]

    def names(self, entry: Entry) -> bool:
        """Whether the words are in the nickname of whoever says this."""
        return entry.kind is Kind.SAID and self._words in entry.nick.lower()

    @property
    def position(self) -> int:
        """Which match the reader is at, from 1 for the oldest; 0 where there is none."""
        return 0 if self._current is None else bisect_right(self._found, self._current)

    @property
    def current(self) -> int | None:
        """The serial number of the match the reader is at."""
        return self._current

    def start_at(self, serial: int) -> int | None:
        """Go to the last match at or before `serial`, else to the first."""
        index = bisect_right(self._found, serial) - 1
        return self._go(max(index, 0))

    def next(self) -> int | None:
        """Go to the next younger match; from the last to the first."""
        return self._go(bisect_right(self._found, -1 if self._current is None else self._current))

    def previous(self) -> int | None:
        """Go to the next older match; from the first to the last."""
        return self._go(bisect_left(self._found, 0 if self._current is None else self._current) - 1)

    def _go(self, index: int) -> int | None:
        self._current = self._found[index % len(self._found)] if self._found else None
        return self._current
