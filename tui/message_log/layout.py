"""The layout of an entry in the pane: the columns for a width, and the rows of an entry in them. Pure.

20:14       ada  lines of people: the time, the nickname flush right, the text with a hanging indent
       ·  cleo and dan joined           other entries: a sign in the column that is empty for people
≋ ── now a thread each ──────           separators: switches, gaps, days, and the mark of unread lines

`wrap` breaks a text into rows of a width in terminal cells. Rows are ranges of the text, so nothing is copied before it
is drawn. Only the spaces or the line end at a break belong to no row. The work is bounded: at most `limit` rows are
computed.
"""

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from time import localtime, strftime
from typing import NamedTuple
from unicodedata import category

from msgspec import Struct
from rich.cells import get_character_cell_size

from tui.message_log.entries import PEOPLE, Entry, Flag, Kind
from tui.style import style_of

MAX_ROWS = 200
"""Rows of one text. The rest is shown as a number of characters."""

Range = tuple[int, int]
NARROW = 44
"""Cells. A narrower pane has no column for times."""
SIGNS = {Kind.CROWD: "·", Kind.NOTICE: "»", Kind.NOTE: "·", Kind.ERROR: "!"}
RULES = (Kind.SWITCH, Kind.GAP)
RULE_LEFT = {Kind.SWITCH: 6, Kind.GAP: 4}


class _Sizes(dict[str, int]):
    """A cache of the cells of each character: 0, 1 or 2, from Rich's table, which Textual uses."""

    def __missing__(self, char: str) -> int:
        if len(self) > 20_000:  # A member can send all of Unicode.
            self.clear()
        size = self[char] = get_character_cell_size(char)
        return size


_SIZES = _Sizes()
cell_size = _SIZES.__getitem__
"""Cells that a character takes: 0, 1 or 2."""


class _WidestSizes(dict[str, int]):
    """A cache of the cells of each character on terminals that do not combine it with the one before: tmux and xterm
    draw a skin tone beside the hand, and some terminals draw a vowel sign beside its letter."""

    def __missing__(self, char: str) -> int:
        if len(self) > 20_000:
            self.clear()
        is_skin_tone, is_flag_letter = "\U0001f3fb" <= char <= "\U0001f3ff", "\U0001f1e6" <= char <= "\U0001f1ff"
        if is_skin_tone or is_flag_letter:
            size = 2
        elif char == "\ufe0f" or category(char) == "Mc":  # The emoji variation selector, or a vowel sign.
            size = max(1, cell_size(char))
        else:
            size = cell_size(char)
        self[char] = size
        return size


_widest_size = _WidestSizes().__getitem__


def cells(text: str) -> int:
    """The cells of `text`, which must not contain control characters."""
    return len(text) if text.isascii() else sum(map(cell_size, text))


def wrap(text: str, width: int, limit: int = MAX_ROWS) -> list[Range]:
    """The rows of `text`, at most `width` cells wide (2 if that is less); at least one row, at most `limit`. If the
    last row does not end with the text, more text or spaces follow."""
    width = max(width, 2)
    if _fits(text, width):
        return [(0, len(text))]
    rows: list[Range] = []
    start = 0
    while len(rows) < limit:
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        if text[start:end].isascii():
            _wrap_narrow(text, start, end, width, limit, rows)
        else:
            _wrap_cells(text, start, end, width, limit, rows)
        if end == len(text):
            break
        start = end + 1
    return rows


def _fits(text: str, width: int) -> bool:
    """Whether `text` is certainly one row. It is fast for most lines: no character takes more than two cells."""
    return (len(text) if text.isascii() else 2 * len(text)) <= width and "\n" not in text


def _wrap_narrow(text: str, start: int, end: int, width: int, limit: int, rows: list[Range]) -> None:
    """Wrap a paragraph of ASCII. It breaks at spaces, and within a word only if the word is wider than a row."""
    while end - start > width and len(rows) < limit:
        start = _end_row(text, start, text.rfind(" ", start, start + width + 1), start + width, end, rows)
        if start == end:
            return
    if len(rows) < limit:
        rows.append((start, end))


def _wrap_cells(text: str, start: int, end: int, width: int, limit: int, rows: list[Range]) -> None:
    """Wrap a paragraph with characters of 0, 1 and 2 cells. It may also break beside a wide character. Its rows also
    fit on terminals that draw some characters wider (`_WidestSizes`)."""
    used = [0, *accumulate(map(_widest_size, text[start:end]))]
    if used[-1] <= width:
        rows.append((start, end))
        return
    sizes = list(map(cell_size, text[start:end]))
    first = start
    while used[-1] - used[start - first] > width and len(rows) < limit:
        full = _whole(sizes, bisect_right(used, used[start - first] + width) - 1, start - first) + first
        if full == end:
            break
        start = _end_row(text, start, _break_before(text, start, full, sizes, first), full, end, rows)
        if start == end:
            return
    if len(rows) < limit:
        rows.append((start, end))


def _whole(sizes: list[int], cut: int, start: int) -> int:
    """The last position up to `cut` that does not separate a character from its combining marks. If the row has only
    one such character, the position after its marks."""
    whole = cut
    while start < whole < len(sizes) and not sizes[whole]:
        whole -= 1
    if whole <= start:
        whole = start + 1
        while whole < len(sizes) and not sizes[whole]:
            whole += 1
    return whole


def _end_row(text: str, start: int, cut: int, full: int, end: int, rows: list[Range]) -> int:
    """End a row at `cut`, without the spaces around it, or at `full` if `cut` leaves the row empty. Returns the
    beginning of the next row."""
    kept = cut
    while kept > start and text[kept - 1] == " ":
        kept -= 1
    if kept <= start:  # There is no break, or only after the spaces that indent the line.
        rows.append((start, full))
        return full
    rows.append((start, kept))
    while cut < end and text[cut] == " ":
        cut += 1
    return cut


def _break_before(text: str, start: int, full: int, sizes: list[int], first: int) -> int:
    """The last position up to `full` at which the row from `start` may end, or -1."""
    for index in range(full, start, -1):
        if text[index] == " ":
            return index
        before = index - 1
        while before > start and not sizes[before - first]:
            before -= 1  # A combining mark or a skin tone is part of the character before it.
        wide = 2 in (sizes[index - first], sizes[before - first])
        if wide and sizes[index - first] and text[before] != " ":
            return index
    return -1


class Columns(Struct, frozen=True):
    """The pane's columns, in cells: `time` with its margin, one for a sign, `nick`, two blanks, the text, one blank."""

    width: int
    time: int
    nick: int

    @property
    def text(self) -> int:
        """The column at which a person's text begins."""
        return self.time + 1 + self.nick + 2


def columns_for(width: int, times: bool) -> Columns:
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


def count_rows(entry: Entry, columns: Columns) -> int:
    """The number of rows that `rows` returns, without the mark of unread lines."""
    text = entry.text
    width = columns.width - _left(entry.kind, columns) - 1
    above = 1 if entry.flags & Flag.NEW_DAY else 0
    if _fits(text, width):
        return above + 1
    ranges = wrap(text, width)
    return above + len(ranges) + (ranges[-1][1] < len(text.rstrip(" ")))


def rows(entry: Entry, columns: Columns, new: bool = False) -> list[Row]:
    """The rows of `entry`; with `new`, below the mark of unread lines."""
    made = []
    if entry.flags & Flag.NEW_DAY:
        made.append(Row(((" ── ", "rule"),), role="day", words=_day(entry.at), rule=True))
    if new:
        made.append(Row(((" ── ", "new"),), role="new", words="new", rule=True))
    ranges = wrap(entry.text, columns.width - _left(entry.kind, columns) - 1)
    role, rule = _role(entry), entry.kind in RULES
    for index, (start, end) in enumerate(ranges):
        gutter = _gutter(entry, columns, index == 0)
        made.append(Row(gutter, start, end, role, rule=rule and index == len(ranges) - 1))
    shown = ranges[-1][1]
    if shown < len(entry.text.rstrip(" ")):
        words = f"… {len(entry.text) - shown:,} more characters"
        made.append(Row(((" " * _left(entry.kind, columns), "text"),), shown, shown, "more", words))
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


def _left(kind: Kind, columns: Columns) -> int:
    if kind in RULES:
        return RULE_LEFT[kind]
    return columns.text if kind in PEOPLE else columns.time + 3


def _role(entry: Entry) -> str:
    if entry.flags & Flag.PENDING:
        return "pending"
    return f"switch-{entry.nick}" if entry.kind is Kind.SWITCH else entry.kind.name.lower()


def _gutter(entry: Entry, columns: Columns, first: bool) -> tuple[tuple[str, str], ...]:
    kind = entry.kind
    if not first:
        return ((" " * _left(kind, columns), "text"),)
    if kind is Kind.SWITCH:
        return ((f" {style_of(entry.nick).sign} ── ", _role(entry)),)
    if kind is Kind.GAP:
        return ((" ── ", "gap"),)
    time = _clock(int(entry.at) // 60) if columns.time > 1 and entry.flags & Flag.STAMPED else ""
    left = (f" {time}".ljust(columns.time), "time")
    if kind in SIGNS:
        return (left, (f"{SIGNS[kind]}  ", f"{kind.name.lower()}-sign"))
    nick = "*" if kind is Kind.ACTION else truncate(entry.nick, columns.nick)
    return (left, (" " * (1 + columns.nick - cells(nick)), "text"), (nick, "nick"), ("  ", "text"))


@lru_cache(maxsize=4096)
def _clock(minute: int) -> str:
    return strftime("%H:%M", localtime(minute * 60))


def _day(at: float) -> str:
    day = localtime(at)
    return f"{strftime('%A', day)} {day.tm_mday} {strftime('%B', day)}"
