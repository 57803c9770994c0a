"""What line mode prints for what the room tells. Pure: events in, lines of styled pieces out.

The words are those of the plain dialect: `nick: text`, `* nick did`, and `*** ` before what the room itself says. What
the client says itself begins with `--- `. A nickname begins with a letter or a digit, so no person's line can look
like either; and a line that is longer than the terminal is broken here, with its later rows set in, so that no part of
it can.
"""

from collections.abc import Iterator, Sequence
from zlib import crc32

from protocol import plain_text
from protocol.client import Gap, Received
from protocol.format import plural
from protocol.messages import Pong, Refused, Said, Welcome
from protocol.sentences import HISTORY_END, format_gap, format_history_start, format_welcome, format_welcome_notes
from tui.message_log.links import links
from tui.message_log.wrapping import Range, cells, wrap

OWN, ROOM, REFUSED, NOTE, ACTION, TEXT = "class:own", "class:room", "class:refused", "class:note", "class:action", ""
NICK_STYLES = tuple(f"class:nick{number}" for number in range(6))
INDENT = 4
MIN_COLUMNS = 20
"""Columns below which lines are left to the terminal to break."""
MAX_ROWS = 400
MAX_LINES = 1000
"""Lines of one event that are printed, and rows of one line: a server of ill will could send a million."""

Piece = tuple[str, str]
"""A style and a text."""
Line = list[Piece]


def key_help(*, ends_room: bool) -> list[tuple[str, str]]:
    """The keys of the prompt, each with what it does. `ends_room`: leaving ends the room."""
    leave = "end the room for everybody" if ends_room else "leave"
    return [
        ("Enter", "say the line"),
        ("Tab", "complete a nickname or a command; again for the next"),
        ("Up, Down", "lines typed before"),
        ("Ctrl-R", "search them"),
        ("Ctrl-U, Ctrl-W", "delete to the start of the line; a word"),
        ("Ctrl-C", f"clear the line; on an empty line{', twice' if ends_room else ''}: {leave}"),
        ("Ctrl-D", f"on an empty line: {leave}"),
        ("Ctrl-Z", "suspend; fg comes back"),
    ]


def note(text: str) -> Line:
    """The client's own words."""
    return [(NOTE, f"--- {text}")]


def format_event(event: Received, me: str) -> list[Line]:
    """What to print for an event; `me` is the nickname of whoever reads it."""
    lines = _format_event(event, me)
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], note(f"and {plural(len(lines) - MAX_LINES, 'line')} more, not shown")]
    return lines


def _format_event(event: Received, me: str) -> list[Line]:
    match event:
        case Said():
            return [_said(event, line, me) for line in event.text.split("\n")]
        case Welcome():
            return _welcome(event)
        case Gap():
            return [note(format_gap(event.missed))]
        case Pong():
            return []
    style = REFUSED if isinstance(event, Refused) else ROOM
    return [[(style, line)] for line in plain_text.encode(event).decode().splitlines() if line]


def nick_style(nick: str) -> str:
    """The same one for the same nickname, in every run."""
    return NICK_STYLES[crc32(nick.encode()) % len(NICK_STYLES)]


def text_of(line: Line) -> str:
    """The line without its styles."""
    return "".join(text for _, text in line)


def broken(line: Line, columns: int) -> Iterator[Line]:
    """The rows of a line on a terminal of so many columns; all but the first are set in."""
    whole = text_of(line)
    if columns < MIN_COLUMNS or cells(whole) < columns:
        yield line
        return
    # One column is left free: terminals differ in what they do after the last one.
    width = columns - 1 - INDENT
    rows = _joined_addresses(whole, wrap(whole, width, MAX_ROWS))
    for number, (start, end) in enumerate(rows):
        yield ([(TEXT, " " * INDENT)] if number else []) + _cut(line, start, end)
    if rows[-1][1] < len(whole.rstrip()):
        yield [(TEXT, " " * INDENT), (NOTE, "… and more, which is not shown")]


def _joined_addresses(text: str, rows: Sequence[Range]) -> list[Range]:
    """The rows, with none parted inside of a web address: the terminal goes on with it in the next row by itself, and
    so knows it as one. A row that would begin with an address still begins where it did."""
    inside = [(link.start, link.end) for link in links(text)]
    joined: list[Range] = []
    for start, end in rows:
        if joined and any(first < start < last for first, last in inside):
            last = next(last for first, last in inside if first < start < last)
            # What follows the address gets a row of its own, set in: no part of it can look like another line.
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
            start = max(start, last)
            while start < end and text[start] == " ":
                start += 1
            if start >= end:
                continue
        joined.append((start, end))
    return joined


def _said(event: Said, text: str, me: str) -> Line:
    style = OWN if event.nick == me else nick_style(event.nick)
    if event.action:
        return [(ACTION, "* "), (style, event.nick), (ACTION, f" {text}")]
    return [(style, event.nick), (TEXT, f": {text}")]


def _welcome(event: Welcome) -> list[Line]:
    if event.resumed:
        return [note(f"back in the room, as {event.you}")]
    notes = format_welcome_notes(event)
    if event.history:  # It comes as events of its own, and `history_end` after it.
        return [_room(line) for line in (*notes, format_history_start(len(event.history)))]
    return [*map(_room, notes), note(format_welcome(event))]


def history_end(event: Welcome) -> list[Line]:
    """What to print after the last event of a welcome's history."""
    return [_room(HISTORY_END), note(format_welcome(event))]


def _room(text: str) -> Line:
    """The room's own words."""
    return [(ROOM, f"*** {text}")]


def _cut(line: Line, start: int, end: int) -> Line:
    found: Line = []
    at = 0
    for style, text in line:
        if part := text[max(start - at, 0) : max(end - at, 0)]:
            found.append((style, part))
        at += len(text)
    return found


def as_text(lines: Sequence[Line]) -> str:
    """The lines as they go into a pipe, each with its end."""
    return "".join(f"{text_of(line)}\n" for line in lines)
