"""Entry: one item of the message pane, made from an event of the room; and the web addresses in its text.

All text of others is sanitized here again (`protocol.sanitize`), so an entry can be drawn as it is.
"""

import math
import re
import sys
from enum import IntEnum
from typing import NamedTuple
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from protocol.client import Gap
from protocol.format import format_gap, format_goodbye, format_switched
from protocol.messages import Goodbye, ModelSwitched, Notice, RulesChanged, Said
from protocol.sanitize import sanitize

MAX_TEXT = 70_000
"""Characters that are kept of a text: more than a line can have with the protocol's default limits."""
_plainly_harmless = re.compile(
    "[\n -~\u00a1-\u00ac\u00ae-\u02ff\u0400-\u0482\u2010-\u2027\u20a0-\u20bf\u2100-\u218b\u2190-\u2426"
    "\u2500-\u27ff\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e"
    "\U0001f300-\U0001f6d7\U0001f900-\U0001f9ff]*"
).fullmatch
"""Matches most texts that `protocol.sanitize.sanitize` leaves unchanged. The match is faster than sanitizing."""
MAX_TIME_S = 253_402_300_799.0
"""The last second of the year 9999, in seconds since the epoch: `localtime` and `strftime` fail for later times."""
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^\[\]]+", re.IGNORECASE)
_TRAILING = ".,;:!?…*_~"
MAX_LINK = 2048
"""Characters of an address. A longer one does not become a link."""


class Kind(IntEnum):
    """The kind of an entry, which decides its layout. SAID and ACTION are lines of people."""

    SAID = 1
    ACTION = 2
    CROWD = 3
    NOTICE = 4
    NOTE = 5
    ERROR = 6
    SWITCH = 7
    GAP = 8


class Flag:
    """Properties of an entry, as bits of an int: enum.Flag takes ten times as long. STAMPED entries show their time,
    NEW_DAY entries have a day separator above them."""

    STAMPED = 1
    NEW_DAY = 2
    MENTION = 4
    OWN = 8
    PENDING = 16


PEOPLE = (Kind.SAID, Kind.ACTION)


class Entry(Struct, gc=False):
    """`text` is drawn beside the nickname; the text of an ACTION begins with the nickname. `nick` is the name of the
    model in a SWITCH. `at` is in seconds since the epoch, or 0 if it is unknown."""

    kind: Kind
    text: str
    nick: str = ""
    at: float = 0.0
    flags: int = 0


def said_entry(event: Said, me: str = "") -> Entry:
    """The entry of a line. It is marked if `me` said it or if it names `me`."""
    nick = clean_nick(event.nick)
    flags = Flag.OWN if nick == me else Flag.MENTION if mentions(event.text, me) else 0
    return line_entry(nick, event.text, event.action, event.at, flags)


def line_entry(nick: str, text: str, action: bool, at: float, flags: int = 0) -> Entry:
    """The entry of a person's line."""
    text = clean(text)
    if action:
        return Entry(Kind.ACTION, f"{nick} {text}", nick, valid_time(at), flags)
    return Entry(Kind.SAID, text, nick, valid_time(at), flags)


def notice_entry(event: Notice | RulesChanged | Goodbye) -> Entry:
    """The entry of a notice, a change of rules or a goodbye."""
    if isinstance(event, Goodbye):
        return Entry(Kind.NOTICE, clean(format_goodbye(event)))
    return Entry(Kind.NOTICE, clean(event.text), at=valid_time(event.at))


def switch_entry(event: ModelSwitched) -> Entry:
    """The entry of a switch to another model."""
    model = clean_nick(event.model)
    text = format_switched(replace(event, model=model))
    return Entry(Kind.SWITCH, text, model, valid_time(event.at))


def gap_entry(event: Gap) -> Entry:
    """The entry for the lines that were missed between two connections."""
    return Entry(Kind.GAP, format_gap(event.missed))


def clean(text: str) -> str:
    """`text` sanitized and in NFC, with at most MAX_TEXT characters. Line ends are kept."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
    text = normalize("NFC", text)
    return text if _plainly_harmless(text) else sanitize(text, lines=True)


def clean_nick(nick: str) -> str:
    """`nick` sanitized, on one line. It is interned, so all lines of a person share one string."""
    return sys.intern(sanitize(nick[:200]).strip() or "?")


def valid_time(at: float) -> float:
    """`at` if it is a time that a calendar can show, and 0 otherwise."""
    return at if math.isfinite(at) and 0 < at < MAX_TIME_S else 0.0


def mentions(text: str, nick: str) -> bool:
    """Whether `text` has `nick` as a word, in any case and any Unicode normalization form."""
    if not nick or len(nick) > len(text):
        return False
    folded, text = normalize("NFC", nick).casefold(), normalize("NFC", text).casefold()
    if folded not in text:
        return False
    return re.search(rf"(?<![\w-]){re.escape(folded)}(?![\w-]|\.\w)", text) is not None


class Link(NamedTuple):
    """An address and its range in the text."""

    start: int
    end: int
    url: str


def links(text: str) -> list[Link]:
    """The addresses in `text`, without the punctuation of the sentence around them."""
    if "://" not in text:
        return []
    found = []
    for match in _ADDRESS.finditer(text):
        if match.end() - match.start() > MAX_LINK:
            continue
        url = _without_sentence(match[0])
        if url.partition("://")[2]:
            found.append(Link(match.start(), match.start() + len(url), url))
    return found


def _without_sentence(url: str) -> str:
    """The address without trailing punctuation. A closing bracket is kept only if the address has its opening one."""
    while url:
        if url[-1] in _TRAILING or (url[-1] == ")" and url.count(")") > url.count("(")):
            url = url[:-1]
        else:
            break
    return url
