"""Encodes selected points so that they stay valid after a new layout, and makes the plain text to copy.

Textual describes a selected point by two numbers, x and y, and adds one to x for each character of a row. Here y is the
serial number of the entry. x encodes the position in the entry's text at which the row begins, and the distance of the
point from there. Points left of the text have a negative distance.
"""

from collections.abc import Callable

from tui.message_log.entries import Entry, Kind

STRIDE = 1 << 16
ORIGIN = 1 << 14
"""The maximum number of characters of a row on either side of the point where its text begins."""
OWN_WORDS = (Kind.NOTE, Kind.ERROR)
END_X = 1 << 60
"""An x after the end of any text."""
HEADER = -1
"""The position of a point left of an entry's text."""


def row_x(start: int, gutter: int) -> int:
    """The x of a row's first character. The text of the row begins at `start`, after `gutter` characters."""
    return start * STRIDE + ORIGIN - gutter


def beside_x(end: int) -> int:
    """The x of the first character right of a row's text. All characters there give the position `end`."""
    return row_x(end, ORIGIN)


def point(x: int) -> int:
    """The position of x in the entry's text, or HEADER for a point left of the first row."""
    start, distance = x // STRIDE, x % STRIDE - ORIGIN
    return start + distance if distance >= 0 else start or HEADER


def header(entry: Entry) -> str:
    """The prefix of an entry: `ada: `, `* ` for an action, `*** ` for the room, `-- ` for the client."""
    if entry.kind is Kind.SAID:
        return f"{entry.nick}: "
    if entry.kind is Kind.ACTION:
        return "* "
    return "-- " if entry.kind in OWN_WORDS else "*** "


def indented(text: str) -> str:
    """`text` with all lines but the first indented, so that a line of it cannot imitate an entry of its own."""
    return text.replace("\n", "\n    ")


def copied(entry: Callable[[int], Entry | None], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from `start` to `end`, each a serial number and an x. A selection within the text of one entry gives
    that text alone. Otherwise each entry has its prefix."""
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
