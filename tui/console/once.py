"""Once: shows what an operator did a single time, though the log tells it and the room as well. Pure.

Whichever comes first is shown. What only one of the two tells is shown as well: a quiet log leaves out a lot.
"""

from collections import deque
from typing import Literal

REMEMBERED = 50
"""Lines of either, until which the other has to follow."""


class Once:
    """The last lines that only one of the two has told so far."""

    def __init__(self) -> None:
        self._alone: dict[str, deque[str]] = {"log": deque(maxlen=REMEMBERED), "room": deque(maxlen=REMEMBERED)}

    def is_new(self, source: Literal["log", "room"], words: str) -> bool:
        """Whether the other has not told this."""
        told = self._alone["room" if source == "log" else "log"]
        if words in told:
            told.remove(words)
            return False
        self._alone[source].append(words)
        return True
