"""Formats events as the lines of line mode. Pure: events in, lines of styled pieces out.

The format is that of the plain dialect: `nick: text`, `* nick did`, and `*** ` before the room's own lines. The
client's own lines begin with `--- `. A nickname begins with a letter or a digit, so a member's line never looks like
either. A line that is longer than the terminal is wrapped here with an indent, so its later rows do not either.
"""

from collections.abc import Iterator, Sequence
from zlib import crc32

from protocol import plain_text
from protocol.client import Gap, HistoryEnd, Received
from protocol.format import HISTORY_END, format_gap, format_history_start, format_welcome, format_welcome_notes, plural
from protocol.messages import OperatorGranted, Pong, Refused, Said, Welcome
from tui.message_log.entries import links
from tui.message_log.layout import Range, cells, wrap

OWN, ROOM, REFUSED, NOTE, ACTION, TEXT = "class:own", "class:room", "class:refused", "class:note", "class:action", ""
NICK_STYLES = tuple(f"class:nick{number}" for number in range(6))
INDENT = 4
MIN_COLUMNS = 20
"""Width below which the terminal wraps the lines itself."""
MAX_ROWS = 400
MAX_LINES = 1000
"""Limits for hostile servers: rows printed of one line, and lines of one event."""

Piece = tuple[str, str]
"""A style and a text."""
Line = list[Piece]


def key_help(*, ends_room: bool) -> list[tuple[str, str]]:
    """The keys of the prompt and their descriptions. With `ends_room`, leaving ends the room."""
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
    """Format a note of the client itself."""
    return [(NOTE, f"--- {text}")]


def format_event(event: Received, me: str) -> list[Line]:
    """Format an event as lines to print; `me` is the nickname of this client."""
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
        case HistoryEnd():
            return [_room(HISTORY_END), note(format_welcome(event.welcome))]
        case Pong() | OperatorGranted():
            return []
    style = REFUSED if isinstance(event, Refused) else ROOM
    return [[(style, line)] for line in plain_text.encode(event).decode().splitlines() if line]


def nick_style(nick: str) -> str:
    """The style of a nickname, the same in each run."""
    return NICK_STYLES[crc32(nick.encode()) % len(NICK_STYLES)]


def text_of(line: Line) -> str:
    """The text of a line without its styles."""
    return "".join(text for _, text in line)


def wrap_line(line: Line, columns: int) -> Iterator[Line]:
    """Wrap a line for a terminal of this width; all rows but the first are indented."""
    whole = text_of(line)
    if columns < MIN_COLUMNS or cells(whole) < columns:
        yield line
        return
    # Leave the last column free: terminals behave differently after it.
    width = columns - 1 - INDENT
    rows = _joined_addresses(whole, wrap(whole, width, MAX_ROWS))
    for number, (start, end) in enumerate(rows):
        yield ([(TEXT, " " * INDENT)] if number else []) + _cut(line, start, end)
    if rows[-1][1] < len(whole.rstrip()):
        yield [(TEXT, " " * INDENT), (NOTE, "… and more, which is not shown")]


def _joined_addresses(text: str, rows: Sequence[Range]) -> list[Range]:
    """Join rows that would split a web address. The terminal wraps such a row itself, and so recognises the address as
    one. A row that begins with an address keeps its start."""
    inside = [(link.start, link.end) for link in links(text)]
    joined: list[Range] = []
    for start, end in rows:
        if joined and any(first < start < last for first, last in inside):
            last = next(last for first, last in inside if first < start < last)
            # The rest gets its own indented row, so that no part of it looks like another line.
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
    if event.history:  # Its events follow, and then HistoryEnd.
        return [_room(line) for line in (*notes, format_history_start(len(event.history)))]
    return [*map(_room, notes), note(format_welcome(event))]


def _room(text: str) -> Line:
    """Format a line of the room itself."""
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
    """Format lines for a pipe, each with a line end."""
    return "".join(f"{text_of(line)}\n" for line in lines)
