"""A transcript as text: JSON lines or Markdown. Pure: events in, text out, times are UTC.

A transcript has the broadcast events and the notices to this client. It never has secrets (tokens, nonces) or momentary
values (status, meter). All text is sanitized, so a terminal finds no control sequence in it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from protocol.client import Gap, Received
from protocol.format import plural
from protocol.messages import Goodbye, ModelSwitched, Notice, Presence, RulesChanged, Said, Welcome
from protocol.sanitize import sanitize
from tui.message_log.entries import valid_time

MARKDOWN_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>()#+-.!|~&:"})


class TranscriptEntry(Struct, frozen=True):
    """An event as plain values for JSON; `at` is in seconds since the epoch, or 0 if unknown."""

    at: float
    event: dict[str, object]


def entries_of(events: Iterable[Received], now: float) -> list[TranscriptEntry]:
    """The entries for those events that belong into a transcript. `now` is the time of events that have none."""
    kept = ((_at(event), _values(event)) for event in events)
    return [TranscriptEntry(at or now, values) for at, values in kept if values]


def gap_entry(at: float, missed: int) -> TranscriptEntry:
    """The entry that replaces `missed` dropped ones; `at` is the time of the first of them."""
    return TranscriptEntry(at, {"type": "gap", "missed": missed})


def format_missing(number: int) -> str:
    """`1 thing that happened is missing`, or for instance `12 things that happened are missing`."""
    return plural(number, "thing that happened is missing", "things that happened are missing")


def _at(event: Received) -> float:
    return valid_time(event.at) if isinstance(event, Said | Presence | ModelSwitched | Notice | RulesChanged) else 0.0


def _values(event: Received) -> dict[str, object] | None:
    match event:
        case Said():
            said: dict[str, object] = {"type": "said", "seq": event.seq, "nick": event.nick, "text": event.text}
            return {**said, "action": True} if event.action else said
        case Presence():
            told = {"joined": event.joined, "left": event.left, "renamed": event.renamed}
            return {"type": "presence", "seq": event.seq, **{name: who for name, who in told.items() if who}}
        case ModelSwitched():
            values: dict[str, object] = msgspec.to_builtins(event)
            return {name: value for name, value in values.items() if name != "at"}
        case Notice():
            return {"type": "notice", **({"seq": event.seq} if event.seq else {}), "text": event.text}
        case RulesChanged():
            return {"type": "rules", "seq": event.seq, "text": event.text, "rules": msgspec.to_builtins(event.rules)}
        case Welcome():
            return {"type": "welcome", "you": event.you, "model": event.model, "connections": event.connections}
        case Goodbye():
            return {"type": "goodbye", "code": event.code, "text": event.reason}
        case Gap():
            return {"type": "gap", "missed": event.missed}
    return None


def as_json_lines(entries: Iterable[TranscriptEntry]) -> bytes:
    """Encode each entry as a JSON object on a line: `at` as on the wire, `time` for readers, then the event."""
    objects = ({"at": one.at, "time": _time(one.at), **one.event} for one in entries)
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
    for one in entries:
        if not (words := _words(one.event)):
            continue
        moment = datetime.fromtimestamp(one.at, UTC)
        if (today := f"{moment:%A %d %B %Y}") != day:
            day = today
            parts.append(f"## {day} (UTC)\n")
        parts.append(f"{moment:%H:%M:%S} {words}\n")
    return "\n".join(parts)


def _words(event: dict[str, object]) -> str:
    match event:
        case {"type": "said", "nick": str(nick), "text": str(text)}:
            return (
                f"_{_escaped(nick)} {_escaped(text)}_"
                if event.get("action")
                else f"**{_escaped(nick)}** {_escaped(text)}"
            )
        case {"type": "presence"}:
            return f"_{_escaped(_presence(event))}_"
        case {"type": "switched", "model": model, "before": before, "pause": float(pause), "carried": carried}:
            took = f"\\({before} before\\): {carried} carried over in {pause * 1000:.0f} ms"
            return f"**now run by the {model} model** {took}"
        case {"type": "welcome", "you": you, "model": model}:
            return f"_{_escaped(f'{you} came into the room, which is run by the {model} model')}_"
        case {"type": "gap", "missed": missed}:
            some = "some things that happened are missing"
            return f"_{format_missing(missed) if isinstance(missed, int) else some} here_"
        case {"text": str(text)}:
            return f"_{_escaped(text)}_" if text.strip() else ""
    return ""


def _presence(event: dict[str, object]) -> str:
    told = []
    for did in ("left", "renamed", "joined"):
        who = event.get(did)
        if isinstance(who, list) and who:
            names = [f"{one[0]} is now {one[1]}" if isinstance(one, list | tuple) else str(one) for one in who]
            told.append(", ".join(names) + ("" if did == "renamed" else f" {did}"))
    return "; ".join(told)


def _escaped(text: str) -> str:
    """Escape text for Markdown; line breaks are kept."""
    return sanitize(text, lines=True).translate(MARKDOWN_SIGNS).replace("\n", "\\\n")
