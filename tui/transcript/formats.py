"""A transcript as text: JSON lines or Markdown. Pure: events in, text out, times are UTC.

A transcript has the broadcast events and the notices to this client, as they came on the wire. It never has secrets
(tokens, nonces) or momentary values (status, meter). All text is sanitized, so a terminal finds no control sequence in
it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from protocol.client import Gap, Received
from protocol.format import plural
from protocol.messages import Goodbye, ModelSwitched, Notice, Presence, RulesChanged, Said, Welcome
from protocol.sanitize import sanitize
from tui.message_log.entries import valid_time

MARKDOWN_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>()#+-.!|~&:"})


class RecordedWelcome(Struct, tag_field="type", tag="welcome"):
    """The public part of a Welcome."""

    at: float
    you: str
    model: str
    connections: int


class RecordedGoodbye(Struct, tag_field="type", tag="goodbye"):
    """A Goodbye, with the time at which it arrived."""

    at: float
    code: str
    text: str


class RecordedGap(Struct, tag_field="type", tag="gap"):
    """Replaces `missed` events that were lost or dropped, the first of them at `at`. None if the number is unknown."""

    at: float
    missed: int | None


TranscriptEntry = (
    Said | Presence | ModelSwitched | Notice | RulesChanged | RecordedWelcome | RecordedGoodbye | RecordedGap
)
"""An event; its `at` is in seconds since the epoch."""


def entries_of(events: Iterable[Received], now: float) -> list[TranscriptEntry]:
    """The entries for those events that belong into a transcript. `now` is the time of events that have none."""
    entries = (_entry_of(event, now) for event in events)
    return [entry if valid_time(entry.at) else replace(entry, at=now) for entry in entries if entry is not None]


def _entry_of(event: Received, now: float) -> TranscriptEntry | None:
    match event:
        case Said():
            return replace(event, id="")
        case Presence() | ModelSwitched() | Notice() | RulesChanged():
            return event
        case Welcome():
            return RecordedWelcome(now, event.you, event.model, event.connections)
        case Goodbye():
            return RecordedGoodbye(now, event.code, event.reason)
        case Gap():
            return RecordedGap(now, event.missed)
    return None


def format_missing(number: int) -> str:
    """`1 thing that happened is missing`, or for instance `12 things that happened are missing`."""
    return plural(number, "thing that happened is missing", "things that happened are missing")


def as_json_lines(entries: Iterable[TranscriptEntry]) -> bytes:
    """Encode each entry as a JSON object on a line: `at` as on the wire, `time` for readers, then the event."""
    objects = ({"at": one.at, "time": _time(one.at), **msgspec.to_builtins(one)} for one in entries)
    return b"".join(msgspec.json.encode(_safe(one)) + b"\n" for one in objects)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _safe(value: object) -> object:
    match value:
        case str():
            return sanitize(value, lines=True)
        case list() | tuple():
            return [_safe(one) for one in value]
        case dict():
            return {name: _safe(one) for name, one in value.items()}
    return value


def markdown(entries: Sequence[TranscriptEntry], title: str) -> str:
    """Encode the entries as a Markdown page with a heading for each day and a paragraph for each entry."""
    parts = [f"# {_escaped(title)}\n"]
    day = ""
    for entry in entries:
        if not (words := _words(entry)):
            continue
        moment = datetime.fromtimestamp(entry.at, UTC)
        if (today := f"{moment:%A %d %B %Y}") != day:
            day = today
            parts.append(f"## {day} (UTC)\n")
        parts.append(f"{moment:%H:%M:%S} {words}\n")
    return "\n".join(parts)


def _words(entry: TranscriptEntry) -> str:
    match entry:
        case Said(nick=nick, text=text, action=True):
            return f"_{_escaped(nick)} {_escaped(text)}_"
        case Said(nick=nick, text=text):
            return f"**{_escaped(nick)}** {_escaped(text)}"
        case ModelSwitched():
            took = f"({entry.before} before): {entry.carried} carried over in {entry.pause * 1000:.0f} ms"
            return f"**now run by the {_escaped(entry.model)} model** {_escaped(took)}"
        case Presence():
            words = _presence(entry)
        case RecordedWelcome(you=you, model=model):
            words = f"{you} came into the room, which is run by the {model} model"
        case RecordedGap(missed=None):
            words = "some things that happened are missing here"
        case RecordedGap(missed=int(missed)):
            words = f"{format_missing(missed)} here"
        case Notice(text=words) | RulesChanged(text=words) | RecordedGoodbye(text=words):
            pass
    return f"_{_escaped(words)}_" if words.strip() else ""


def _presence(event: Presence) -> str:
    renamed = ", ".join(f"{old} is now {new}" for old, new in event.renamed)
    left, joined = ", ".join(event.left), ", ".join(event.joined)
    return "; ".join(part for part in (left and f"{left} left", renamed, joined and f"{joined} joined") if part)


def _escaped(text: str) -> str:
    """Escape text for Markdown; line breaks are kept."""
    return sanitize(text, lines=True).translate(MARKDOWN_SIGNS).replace("\n", "\\\n")
