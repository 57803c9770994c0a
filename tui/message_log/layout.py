"""The layout of an entry in the pane: the columns for a width, and the rows of an entry in them.

20:14       ada  lines of people: the time, the nickname flush right, the text with a hanging indent
       ·  cleo and dan joined           other entries: a sign in the column that is empty for people
≋ ── now a thread each ──────           separators: switches, gaps, days, and the mark of unread lines
"""

from functools import lru_cache
from time import localtime, strftime
from typing import NamedTuple

from msgspec import Struct

from tui.message_log.entries import Entry, Flag, Kind
from tui.message_log.wrapping import cell_size, cells, wrap
from tui.model_style import style_of

NARROW = 44
"""Cells. A narrower pane has no column for times."""
SIGNS = {Kind.CROWD: "·", Kind.NOTICE: "»", Kind.NOTE: "·", Kind.ERROR: "!"}
RULES = (Kind.SWITCH, Kind.GAP)
RULE_LEFT = {Kind.SWITCH: 6, Kind.GAP: 4}


class Columns(Struct, frozen=True):
    """The pane's columns, in cells: `time` with its margin, one for a sign, `nick`, two blanks, the text, one blank."""

    width: int
    time: int
    nick: int

    @property
    def text(self) -> int:
        """The column at which a person's text begins."""
        return self.time + 1 + self.nick + 2


def columns(width: int, times: bool) -> Columns:
    """The columns for a pane of `width` cells. `times` adds the column for times if the pane is wide enough."""
    return Columns(width, 7 if times and width >= NARROW else 1, min(max(width // 8, 6), 16))


class Row(NamedTuple):
    """One row. `gutter` has the pieces left of the text, each with its role; `start` and `end` are a range of the
    entry's text. Non-empty `words` replace that text. With `rule`, a line continues to the end of the pane."""

    gutter: tuple[tuple[str, str], ...]
    start: int = 0
    end: int = 0
    role: str = "text"
    words: str = ""
    rule: bool = False


def count_rows(entry: Entry, at: Columns) -> int:
    """The number of rows that `rows` returns, without the mark of unread lines."""
    text = entry.text
    width = at.width - _left(entry.kind, at) - 1
    above = 1 if entry.flags & Flag.NEW_DAY else 0
    if len(text) <= width and text.isascii() and "\n" not in text:
        return above + 1
    ranges = wrap(text, width)
    return above + len(ranges) + (ranges[-1][1] < len(text.rstrip(" ")))


def rows(entry: Entry, at: Columns, new: bool = False) -> list[Row]:
    """The rows of `entry`; with `new`, below the mark of unread lines."""
    made = []
    if entry.flags & Flag.NEW_DAY:
        made.append(Row(((" ── ", "rule"),), role="day", words=_day(entry.at), rule=True))
    if new:
        made.append(Row(((" ── ", "new"),), role="new", words="new", rule=True))
    ranges = wrap(entry.text, at.width - _left(entry.kind, at) - 1)
    role, rule = _role(entry), entry.kind in RULES
    for index, (start, end) in enumerate(ranges):
        gutter = _gutter(entry, at, index == 0)
        made.append(Row(gutter, start, end, role, rule=rule and index == len(ranges) - 1))
    shown = ranges[-1][1]
    if shown < len(entry.text.rstrip(" ")):
        words = f"… {len(entry.text) - shown:,} more characters"
        made.append(Row(((" " * _left(entry.kind, at), "text"),), shown, shown, "more", words))
    return made


def truncate(text: str, width: int) -> str:
    """`text` within `width` cells: a longer one is cut and ends with …."""
    if cells(text) <= width:
        return text
    kept, used = 0, 0
    for char in text:
        used += cell_size(char)
        if used > width - 1:
            break
        kept += 1
    return text[:kept] + "…"


def _left(kind: Kind, at: Columns) -> int:
    if kind in RULES:
        return RULE_LEFT[kind]
    return at.text if kind in (Kind.SAID, Kind.ACTION) else at.time + 3


def _role(entry: Entry) -> str:
    if entry.flags & Flag.PENDING:
        return "pending"
    return f"switch-{entry.nick}" if entry.kind is Kind.SWITCH else entry.kind.name.lower()


def _gutter(entry: Entry, at: Columns, first: bool) -> tuple[tuple[str, str], ...]:
    kind = entry.kind
    if not first:
        return ((" " * _left(kind, at), "text"),)
    if kind is Kind.SWITCH:
        return ((f" {style_of(entry.nick).sign} ── ", _role(entry)),)
    if kind is Kind.GAP:
        return ((" ── ", "gap"),)
    time = _clock(int(entry.at) // 60) if at.time > 1 and entry.flags & Flag.STAMPED else ""
    left = (f" {time}".ljust(at.time), "time")
    if kind in SIGNS:
        return (left, (f"{SIGNS[kind]}  ", f"{kind.name.lower()}-sign"))
    nick = "*" if kind is Kind.ACTION else truncate(entry.nick, at.nick)
    return (left, (" " * (1 + at.nick - cells(nick)), "text"), (nick, "nick"), ("  ", "text"))


@lru_cache(maxsize=4096)
def _clock(minute: int) -> str:
    return strftime("%H:%M", localtime(minute * 60))


def _day(at: float) -> str:
    day = localtime(at)
    return f"{strftime('%A', day)} {day.tm_mday} {strftime('%B', day)}"
