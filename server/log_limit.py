"""Limits on the log: a filter for similar records, and FloodLog for events that are limited by address. Bounded.

When thousands of connections meet the same error, the first few records in ten seconds are written. The next similar
record, or the end of the log, tells how many were not. Events of a flood are gathered into one line a minute. The first
one is logged at once, so that the operator finds the address.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from math import inf

from protocol.format import plural

MOST_ALIKE, PERIOD = 10, 10.0
"""Records of a group that are written, in so many seconds."""
MOST_KINDS = 1000
"""Groups that are counted at a time."""
INTERVAL_S = 60.0
MAX_KINDS = 4096
MAX_NAMED = 5
"""Addresses in a line; the others are counted."""


class LogGroup:
    """The records of one group since its period began."""

    __slots__ = ("began", "count", "last", "level")

    def __init__(self, began: float) -> None:
        self.began = began
        self.count = 0
        self.level = logging.NOTSET
        self.last = ""
        """The text of the last record that was not written."""

    @property
    def unwritten(self) -> int:
        return max(0, self.count - MOST_ALIKE)

    @property
    def since(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.began))


class DuplicateFilter(logging.Filter):
    """Passes the first MOST_ALIKE records of a group in each PERIOD, and counts the others. Debug records (-vv) all
    pass."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, LogGroup] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        if record.levelno <= logging.DEBUG:
            return True
        kind = kind_of(record)
        alike = self._seen.get(kind)
        if alike is None or not alike.began <= record.created < alike.began + PERIOD:
            if alike is not None and alike.unwritten:
                record.msg = f"{_words(record)} (and {alike.unwritten} more like it since {alike.since})"
                record.args = None
            if len(self._seen) >= MOST_KINDS:
                self._seen.clear()
            alike = self._seen[kind] = LogGroup(record.created)
        alike.count += 1
        if not alike.unwritten:
            return True
        alike.level, alike.last = record.levelno, _words(record)
        return False

    def rest(self) -> list[tuple[int, str]]:
        """The reports that are due, with their levels: one for each group with records that were not written."""
        untold = [alike for alike in list(self._seen.values()) if alike.unwritten]
        self._seen.clear()
        return [
            (alike.level, f"not written since {alike.since}: {alike.unwritten} more, the last of them: {alike.last}")
            for alike in untold
        ]


def kind_of(record: logging.LogRecord) -> object:
    """The key that similar records share: the message without its arguments and, for an exception, its type and where
    it was raised, so that no bug hides behind another."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.msg
    trace = error.__traceback__
    if trace is None:  # A worker process sends only the text. Its last line is the exception's message.
        return record.msg, type(error), str(error).strip().rpartition("\n")[0]
    while trace.tb_next is not None:
        trace = trace.tb_next
    return record.msg, type(error), trace.tb_frame.f_code.co_filename, trace.tb_lineno


def _words(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a record with wrong arguments must not end the code that logs it
        return str(record.msg)


class FloodLog:
    """`write` gets each line."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._counts: Counter[tuple[str, str]] = Counter()
        self._next_at = -inf
        self._unremarkable: Counter[tuple[str, str]] = Counter()
        self._forget_at = -inf

    def count(self, what: str, group: str, now: float, *, allowed: int = 0) -> bool:
        """Something was limited, as "line not said", of a connection from this address group. `now` is in seconds. The
        first `allowed` in a minute are no flood; returns whether this one is part of one."""
        if not self._forget_at - INTERVAL_S <= now < self._forget_at:
            self._forget_at = now + INTERVAL_S
            self._unremarkable.clear()
        kind = (what, group)
        if self._unremarkable[kind] < allowed and len(self._unremarkable) <= MAX_KINDS:
            self._unremarkable[kind] += 1
            return False
        if kind in self._counts or len(self._counts) < MAX_KINDS:
            self._counts[kind] += 1
        self.flush(now)
        return True

    def flush(self, now: float) -> None:
        """Write what was counted, if a minute has passed since the last line."""
        if not self._counts or self._next_at - INTERVAL_S <= now < self._next_at:
            return
        self._next_at = now + INTERVAL_S
        counts, self._counts = self._counts, Counter()
        groups: dict[str, list[str]] = {}
        for (what, group), count in counts.most_common():
            thing, _, happened = what.partition(" ")
            groups.setdefault(group, []).append(f"{count:,} {thing}{'s' * (count != 1)} {happened}")
        named = [f"{', '.join(things)} from {group}" for group, things in list(groups.items())[:MAX_NAMED]]
        others = len(groups) - len(named)
        also = f"; and from {plural(others, 'other address', 'other addresses')}" if others else ""
        self._write(f"flood: {'; '.join(named)}{also}")
