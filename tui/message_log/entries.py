"""Entry: one thing the pane shows, made from what the room told us.

All text of strangers is sanitized here once more (`protocol.sanitize`), so an entry can be drawn as it is.
"""

import math
import re
import sys
from enum import IntEnum
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from protocol.client import Gap
from protocol.messages import Goodbye, ModelSwitched, Notice, RulesChanged, Said
from protocol.sanitize import sanitize
from protocol.sentences import format_gap, format_goodbye, format_switched

MAX_TEXT = 70_000
"""Characters kept of one text; the rest is cut off. More than a line of the protocol's default limits can hold."""
_plainly_harmless = re.compile(
    "[\n -~\u00a1-\u00ac\u00ae-\u02ff\u0400-\u0482\u2010-\u2027\u20a0-\u20bf\u2100-\u218b\u2190-\u2426"
    "\u2500-\u27ff\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e"
    "\U0001f300-\U0001f6d7\U0001f900-\U0001f9ff]*"
).fullmatch
"""Whether `protocol.sanitize.sanitize` would leave the text as it is, told at once for what most people write."""
MAX_TIME_S = 253_402_300_799.0
"""The last second of the year 9999, in seconds since the epoch: later times cannot be told."""


class Kind(IntEnum):
    """Who speaks in an entry, which decides how it is laid out: only SAID and ACTION are people."""

    SAID = 1
    ACTION = 2
    CROWD = 3
    NOTICE = 4
    NOTE = 5
    ERROR = 6
    SWITCH = 7
    GAP = 8


class Flag:
    """What else is true of an entry, as bits of a number: Python's own flags take ten times as long. STAMPED shows its
    time, NEW_DAY has a day separator above it."""

    STAMPED = 1
    NEW_DAY = 2
    MENTION = 4
    OWN = 8
    PENDING = 16


PEOPLE = (Kind.SAID, Kind.ACTION)


class Entry(Struct, gc=False):
    """`text` is what is drawn beside the nickname; of an ACTION it begins with the nickname. `nick` is the model's name
    in a SWITCH. `at` is seconds since the epoch, 0 where nobody knows."""

    kind: Kind
    text: str
    nick: str = ""
    at: float = 0.0
    flags: int = 0


def said(event: Said, me: str = "") -> Entry:
    """What somebody said, marked where it is said by `me` or names `me`."""
    nick = clean_nick(event.nick)
    flags = Flag.OWN if nick == me else Flag.MENTION if mentions(event.text, me) else 0
    return spoken(nick, event.text, event.action, event.at, flags)


def spoken(nick: str, text: str, action: bool, at: float, flags: int = 0) -> Entry:
    """A person's line."""
    text = clean(text)
    if action:
        return Entry(Kind.ACTION, f"{nick} {text}", nick, valid_time(at), flags)
    return Entry(Kind.SAID, text, nick, valid_time(at), flags)


def noticed(event: Notice | RulesChanged | Goodbye) -> Entry:
    """The room's own words."""
    if isinstance(event, Goodbye):
        return Entry(Kind.NOTICE, clean(format_goodbye(event)))
    return Entry(Kind.NOTICE, clean(event.text), at=valid_time(event.at))


def switched(event: ModelSwitched) -> Entry:
    """The line that says what runs the room now."""
    model = clean_nick(event.model)
    text = format_switched(replace(event, model=model))
    return Entry(Kind.SWITCH, text, model, valid_time(event.at))


def gap(event: Gap) -> Entry:
    """What was lost between two connections, said openly."""
    return Entry(Kind.GAP, format_gap(event.missed))


def clean(text: str) -> str:
    """`text` sanitize, bounded, with its line ends kept, and each letter in as few characters as it can be."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
    text = normalize("NFC", text)
    return text if _plainly_harmless(text) else sanitize(text, lines=True)


def clean_nick(nick: str) -> str:
    """`nick` harmless and on one line; shared in memory between all that its owner says."""
    return sys.intern(sanitize(nick[:200]).strip() or "?")


def valid_time(at: float) -> float:
    """`at` where a calendar knows it, 0 elsewhere."""
    return at if math.isfinite(at) and 0 < at < MAX_TIME_S else 0.0


def mentions(text: str, nick: str) -> bool:
    """Whether `text` names `nick`, as a word of its own, in any case and in either form of an accented letter."""
    if not nick or len(nick) > len(text):
        return False
    folded, text = normalize("NFC", nick).casefold(), normalize("NFC", text).casefold()
    if folded not in text:
        return False
    return re.search(rf"(?<![\w-]){re.escape(folded)}(?![\w-]|\.\w)", text) is not None
