"""Search: the entries that match a text, and the current one of them."""

import re
from array import array
from bisect import bisect_left, bisect_right
from unicodedata import normalize

from tui.message_log.entries import Entry, Kind


class Search:
    """A search that ignores case. A match is an entry with the words in its text or its nickname."""

    def __init__(self, words: str) -> None:
        """`words` must not be empty."""
        words = normalize("NFC", words)  # The entries are in NFC too.
        self._words = words.lower()
        self._pattern = re.compile(re.escape(words), re.IGNORECASE)
        self._found = array("Q")
        self._current: int | None = None

    def __len__(self) -> int:
        return len(self._found)

    def check(self, serial: int, entry: Entry) -> None:
        """Check an entry. Serial numbers rise; the last entry can be checked again after a change."""
        if self._found and self._found[-1] == serial:
            self._found.pop()
        if self._words in entry.text.lower() or self.names(entry):  # A tenth of the time of the pattern.
            self._found.append(serial)

    def forget(self, before: int) -> None:
        """Forget the matches with smaller serial numbers."""
        gone = bisect_left(self._found, before)
        if gone:
            del self._found[:gone]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """The ranges of the words in `text`."""
        return [match.span() for match in self._pattern.finditer(text)]

    def names(self, entry: Entry) -> bool:
        """Whether the words are in the nickname of a line."""
        return entry.kind is Kind.SAID and self._words in entry.nick.lower()

    @property
    def position(self) -> int:
        """The number of the current match, from 1 for the oldest; 0 if there is none."""
        return 0 if self._current is None else bisect_right(self._found, self._current)

    @property
    def current(self) -> int | None:
        """The serial number of the current match."""
        return self._current

    def start_at(self, serial: int) -> int | None:
        """Go to the last match at or before `serial`, or to the first match if there is none."""
        index = bisect_right(self._found, serial) - 1
        return self._go(max(index, 0))

    def next(self) -> int | None:
        """Go to the next younger match; after the last one comes the first."""
        return self._go(bisect_right(self._found, -1 if self._current is None else self._current))

    def previous(self) -> int | None:
        """Go to the next older match; before the first one comes the last."""
        return self._go(bisect_left(self._found, 0 if self._current is None else self._current) - 1)

    def _go(self, index: int) -> int | None:
        self._current = self._found[index % len(self._found)] if self._found else None
        return self._current
