"""What is selected, in terms that survive a new layout, and the plain text it is copied as.

The screen names a selected point by two numbers, x and y, and adds one to x for each character of a row. Here y is the
entry's serial number, and x holds where the row begins in the entry's text and how far the point lies from there; what
is left of the text has a negative distance.
"""

from collections.abc import Callable

from tui.message_log.entries import Entry, Kind

STRIDE = 1 << 16
ORIGIN = 1 << 14
"""Rows are shorter than this on either side of where their text begins."""
OWN_WORDS = (Kind.NOTE, Kind.ERROR)
END_X = 1 << 60
"""An x behind every text."""
HEADER = -1
"""A point left of an entry's text."""


def row_x(start: int, gutter: int) -> int:
    """The x of a row's first character, where the row's text begins at `start` after `gutter` characters."""
    return start * STRIDE + ORIGIN - gutter


def beside_x(end: int) -> int:
    """The x of the first character that stands beside a text and is none of it: all of them name the point `end`."""
    return row_x(end, ORIGIN)


def point(x: int) -> int:
    """The position in the entry's text that x names, or HEADER left of its first row."""
    start, distance = x // STRIDE, x % STRIDE - ORIGIN
    return start + distance if distance >= 0 else start or HEADER


def header(entry: Entry) -> str:
    """Who speaks: `ada: `, `* ` before an action, `*** ` before the room's words, `-- ` before the client's own."""
    if entry.kind is Kind.SAID:
        return f"{entry.nick}: "
    if entry.kind is Kind.ACTION:
        return "* "
    return "-- " if entry.kind in OWN_WORDS else "*** "


def indented(text: str) -> str:
    """`text` with all lines but the first moved in, so that nobody's text can pass for an entry of its own, be it a
    person's or the room's."""
    return text.replace("\n", "\n    ")


def copied(entry: Callable[[int], Entry | None], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from `start` to `end`, both a serial number and an x. Within one entry's text, just that text; else each
    entry with who said it."""
    (first, start_x), (last, end_x) = start, end
    start_at, end_at = point(start_x), point(end_x)
    if first == last:
        only = entry(first)
        if only is None:
            return ""
        return (
            only.text[start_at:end_at] if start_at != HEADER else header(only) + indented(only.text[: max(end_at, 0)])
        )
    lines = []
    for serial in range(first, last + 1):
        one = entry(serial)
        if one is None or (serial == last and end_at == HEADER):
            continue
        begin = max(start_at, 0) if serial == first else 0
        stop = end_at if serial == last else len(one.text)
        lines.append(header(one) + ("… " if begin else "") + indented(one.text[begin:stop]))
    return "\n".join(lines)
