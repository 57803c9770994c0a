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

MAX_SIMILAR, PERIOD_S = 10, 10.0
"""Records of a group that are written within PERIOD_S seconds."""
MAX_GROUPS = 1000
"""Groups that are counted at a time."""
FLOOD_INTERVAL_S = 60.0
"""Seconds between two lines of a FloodLog."""
MAX_FLOOD_KINDS = 4096
"""Pairs of an event and an address group that are counted at a time."""
MAX_LISTED_ADDRESSES = 5
"""Addresses in such a line; the others are counted."""


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
    def suppressed(self) -> int:
        return max(0, self.count - MAX_SIMILAR)

    @property
    def since(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.began))


class DuplicateFilter(logging.Filter):
    """Passes the first MAX_SIMILAR records of a group in each PERIOD_S, and counts the others. Debug records (-vv) all
    pass."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[object, LogGroup] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        if record.levelno <= logging.DEBUG:
            return True
        key = group_key(record)
        group = self._groups.get(key)
        if group is None or not group.began <= record.created < group.began + PERIOD_S:
            if group is not None and group.suppressed:
                record.msg = f"{_message(record)} (and {group.suppressed} more like it since {group.since})"
                record.args = None
            if len(self._groups) >= MAX_GROUPS:
                self._groups.clear()
            group = self._groups[key] = LogGroup(record.created)
        group.count += 1
        if not group.suppressed:
            return True
        group.level, group.last = record.levelno, _message(record)
        return False

    def report_suppressed(self) -> list[tuple[int, str]]:
        """The reports that are due, with their levels: one for each group with records that were not written."""
        due = [group for group in list(self._groups.values()) if group.suppressed]
        self._groups.clear()
        return [
            (group.level, f"not written since {group.since}: {group.suppressed} more, the last of them: {group.last}")
            for group in due
        ]


def group_key(record: logging.LogRecord) -> object:
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


def _message(record: logging.LogRecord) -> str:
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
        self._allowed: Counter[tuple[str, str]] = Counter()
        self._allowed_until = -inf

    def count(self, what: str, group: str, now: float, *, allowed: int = 0) -> bool:
        """Something was limited, as "line not said", of a connection from this address group. `now` is in seconds. The
        first `allowed` in a minute are no flood; returns whether this one is part of one."""
        if not self._allowed_until - FLOOD_INTERVAL_S <= now < self._allowed_until:
            self._allowed_until = now + FLOOD_INTERVAL_S
            self._allowed.clear()
        kind = (what, group)
        if self._allowed[kind] < allowed and len(self._allowed) <= MAX_FLOOD_KINDS:
            self._allowed[kind] += 1
            return False
        if kind in self._counts or len(self._counts) < MAX_FLOOD_KINDS:
            self._counts[kind] += 1
        self.flush(now)
        return True

    def flush(self, now: float) -> None:
        """Write what was counted, if a minute has passed since the last line."""
        if not self._counts or self._next_at - FLOOD_INTERVAL_S <= now < self._next_at:
            return
        self._next_at = now + FLOOD_INTERVAL_S
        counts, self._counts = self._counts, Counter()
        groups: dict[str, list[str]] = {}
        for (what, group), count in counts.most_common():
            thing, _, happened = what.partition(" ")
            groups.setdefault(group, []).append(f"{count:,} {thing}{'s' * (count != 1)} {happened}")
        named = [f"{', '.join(things)} from {group}" for group, things in list(groups.items())[:MAX_LISTED_ADDRESSES]]
        others = len(groups) - len(named)
        also = f"; and from {plural(others, 'other address', 'other addresses')}" if others else ""
        self._write(f"flood: {'; '.join(named)}{also}")
