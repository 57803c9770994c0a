"""Where a text breaks into rows of a given width in terminal cells.

Rows are ranges of the text, so that nothing is copied until it is drawn. Between two rows only the spaces or the line
end at which they were parted are left out. Work is bounded: no more than `limit` rows are looked for.
"""

from bisect import bisect_right
from itertools import accumulate
from unicodedata import category

from rich.cells import get_character_cell_size

MAX_ROWS = 200
"""Rows that one text may fill; what is beyond is told as a number."""

Range = tuple[int, int]


class _Sizes(dict[str, int]):
    """The cells of each character seen so far: 0, 1 or 2, by the same table as the screen's."""

    def __missing__(self, char: str) -> int:
        if len(self) > 20_000:  # somebody sends all of Unicode
            self.clear()
        size = self[char] = get_character_cell_size(char)
        return size


_SIZES = _Sizes()
cell_size = _SIZES.__getitem__
"""Cells that a character takes: 0, 1 or 2."""


class _WidestSizes(dict[str, int]):
    """The cells that a character takes where a terminal draws it by itself: tmux and xterm draw a skin tone beside the
    hand that it colours, and some draw a vowel sign beside its letter."""

    def __missing__(self, char: str) -> int:
        if len(self) > 20_000:
            self.clear()
        is_skin_tone, is_flag_letter = "\U0001f3fb" <= char <= "\U0001f3ff", "\U0001f1e6" <= char <= "\U0001f1ff"
        if is_skin_tone or is_flag_letter:
            size = 2
        elif char == "\ufe0f" or category(char) == "Mc":  # It makes an emoji of a sign; a vowel sign.
            size = max(1, cell_size(char))
        else:
            size = cell_size(char)
        self[char] = size
        return size


_widest_size = _WidestSizes().__getitem__


def cells(text: str) -> int:
    """Cells that `text` takes, which holds no controls."""
    return len(text) if text.isascii() else sum(map(cell_size, text))


def wrap(text: str, width: int, limit: int = MAX_ROWS) -> list[Range]:
    """The rows of `text`, none wider than `width` (at least 2) cells; at least one, at most `limit`. If the last row
    does not end with the text, there was more, or spaces at its end."""
    width = max(width, 2)
    if len(text) <= width and text.isascii() and "\n" not in text:
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


def _wrap_narrow(text: str, start: int, end: int, width: int, limit: int, rows: list[Range]) -> None:
    """A paragraph in which each character is one cell. It breaks at spaces, and within a word only where it must."""
    while end - start > width and len(rows) < limit:
        start = _end_row(text, start, text.rfind(" ", start, start + width + 1), start + width, end, rows)
        if start == end:
            return
    if len(rows) < limit:
        rows.append((start, end))


def _wrap_cells(text: str, start: int, end: int, width: int, limit: int, rows: list[Range]) -> None:
    """A paragraph with characters of no, one and two cells. It may also break beside a wide character. Its rows fit on
    terminals that draw it wider than we do."""
    sizes = list(map(cell_size, text[start:end]))
    used = [0, *accumulate(map(_widest_size, text[start:end]))]
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
    """`cut`, or the place before it where it would part a character from what it carries; behind both where there is
    nothing else in the row."""
    whole = cut
    while start < whole < len(sizes) and not sizes[whole]:
        whole -= 1
    if whole <= start:
        whole = start + 1
        while whole < len(sizes) and not sizes[whole]:
            whole += 1
    return whole


def _end_row(text: str, start: int, cut: int, full: int, end: int, rows: list[Range]) -> int:
    """End a row at `cut`, without the spaces around it, or at `full` where there is no such place. Returns where the
    next row begins."""
    kept = cut
    while kept > start and text[kept - 1] == " ":
        kept -= 1
    if kept <= start:  # no break, or after the spaces that begin a line of code
        rows.append((start, full))
        return full
    rows.append((start, kept))
    while cut < end and text[cut] == " ":
        cut += 1
    return cut


def _break_before(text: str, start: int, full: int, sizes: list[int], first: int) -> int:
    """The last place up to `full` where the row from `start` may end, or -1."""
    for index in range(full, start, -1):
        if text[index] == " ":
            return index
        before = index - 1
        while before > start and not sizes[before - first]:
            before -= 1  # a combining mark or a skin tone is as wide as what carries it
        wide = 2 in (sizes[index - first], sizes[before - first])
        if wide and sizes[index - first] and text[before] != " ":
            return index
    return -1
