"""What operators type, understood as what the protocol can ask: `/ban ada 10` is `Ban("ada", 10)`. Pure.

Whoever is meant is named by nickname, with or without `@`, or as `#12` by the number of its connection. With `@` it is
never anything else: `@random` is who is called so, `random` anybody.
"""

import math
import re
from collections.abc import Callable

from protocol.messages import (
    ANYBODY,
    FAULTS,
    GUESTS,
    LONGEST_BLOCK,
    LONGEST_PIN,
    LONGEST_REASON,
    MOST_MINUTES,
    MOST_SECONDS,
    AnyOperatorCommand,
    Ban,
    Bans,
    Chaos,
    ClearHistory,
    Close,
    Kick,
    Lock,
    Model,
    Mute,
    Op,
    Pin,
    Quiet,
    Slow,
    Switch,
    Unban,
)

_TIME = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|s)?", re.ASCII)


class CommandRefused(ValueError):
    """That is no order; the message is a sentence that says why."""


def understand(name: str, argument: str) -> AnyOperatorCommand:
    """The command `name` with this argument. Raises CommandRefused, and KeyError for an unknown name."""
    return _ORDERS[name](argument.split())


def _kick(words: list[str]) -> AnyOperatorCommand:
    nick, rest = _person("kick", words)
    return Kick(nick, _bounded(rest, LONGEST_REASON, "reason"))


def _ban(words: list[str]) -> AnyOperatorCommand:
    nick, rest = _person("ban", words)
    ban = Ban(nick)
    for word in rest:
        match word.lower():
            case "address":
                ban.address = True
            case "sure":
                ban.sure = True
            case _:
                ban.minutes = _minutes(word)
    if ban.sure and not ban.address:
        raise CommandRefused("'sure' goes with 'address': /ban NICK address sure bans all who share it")
    return ban


def _mute(words: list[str]) -> AnyOperatorCommand:
    nick, rest = _person("mute", words)
    given = [word.lower() for word in rest]
    if not set(given) <= {"address", "sure"}:
        raise CommandRefused("/mute takes a nickname, and 'address' and 'sure' after it")
    if "sure" in given and "address" not in given:
        raise CommandRefused("'sure' goes with 'address': /mute NICK address sure mutes all who share it")
    return Mute(nick, address="address" in given, sure="sure" in given)


def _minutes(word: str) -> float:
    minutes = _number(word, f"/ban takes a number of minutes, 'address' and 'sure' after the nickname, and not {word}")
    if not 0 < minutes <= MOST_MINUTES:
        raise CommandRefused(f"a ban lasts from a moment to {MOST_MINUTES:,} minutes, which is a week")
    return minutes


def _about_one(name: str, make: Callable[[str], AnyOperatorCommand]) -> Callable[[list[str]], AnyOperatorCommand]:
    def order(words: list[str]) -> AnyOperatorCommand:
        nick, rest = _person(name, words)
        if rest:
            raise CommandRefused(f"/{name} takes one nickname and nothing after it")
        return make(nick)

    return order


def _slow(words: list[str]) -> AnyOperatorCommand:
    if words in (["off"], ["0"]):
        return Slow(0)
    sentence = f"/slow takes the seconds between two lines, up to {MOST_SECONDS}, or off"
    seconds = _number(words[0].removesuffix("s") if len(words) == 1 else "", sentence)
    if seconds > MOST_SECONDS:
        raise CommandRefused(sentence)
    return Slow(seconds)


def _quiet(words: list[str]) -> AnyOperatorCommand:
    if words and [word.lower() for word in words] not in (["on"], ["off"]):
        raise CommandRefused("/quiet takes nothing after it, or off")
    return Quiet(not words or words[0].lower() == "on")


def _pin(words: list[str]) -> AnyOperatorCommand:
    if not words:
        raise CommandRefused("/pin takes the line to pin; /unpin takes it away")
    return Pin(_bounded(words, LONGEST_PIN, "pinned line"))


def _switch(words: list[str]) -> AnyOperatorCommand:
    model = words[0].lower() if len(words) == 1 else " ".join(words)
    if model not in list(Model):
        raise CommandRefused(f"there is no model {model}: it is one of {', '.join(Model)}")
    return Switch(model)


def _chaos(words: list[str]) -> AnyOperatorCommand:
    what = words[0].lower() if words else ""
    rest = words[1:]
    if what not in FAULTS:
        raise CommandRefused(f"/chaos takes what is to go wrong: {', '.join(FAULTS[:-1])} or {FAULTS[-1]}")
    if what in GUESTS:
        if rest:
            raise CommandRefused(f"/chaos {what} takes nothing after it")
        return Chaos(what)
    if what == "block":
        return _block(rest)
    if len(rest) != 1:
        raise CommandRefused(f"/chaos {what} takes whom it strikes: a nickname, or random")
    return Chaos(what, _struck(rest[0]))


def _block(words: list[str]) -> AnyOperatorCommand:
    """A time and a nickname, in any order, and both may be missing."""
    chaos = Chaos("block")
    nicks = []
    for word in words:
        if (time := _TIME.fullmatch(word.lower())) is None:
            nicks.append(_struck(word))
            continue
        chaos.seconds = float(time[1]) / (1000 if time[2] == "ms" else 1)
        if not 0 < chaos.seconds <= LONGEST_BLOCK:
            raise CommandRefused(f"a turn can be blocked for up to {LONGEST_BLOCK:g} s; 300ms is a good one")
    if len(nicks) > 1 or len(words) - len(nicks) > 1:
        raise CommandRefused("/chaos block takes one time, as 300ms, and one nickname at most")
    chaos.nick = nicks[0] if nicks else ""
    return chaos


def _nothing_more(name: str, order: AnyOperatorCommand) -> Callable[[list[str]], AnyOperatorCommand]:
    def check(words: list[str]) -> AnyOperatorCommand:
        if words:
            raise CommandRefused(f"/{name} takes nothing after it")
        return order

    return check


def _person(name: str, words: list[str]) -> tuple[str, list[str]]:
    if not words:
        raise CommandRefused(f"/{name} takes a nickname, or #12 for a connection")
    return _named(words[0]), words[1:]


def _struck(word: str) -> str:
    return ANYBODY if word.lower() == "random" else _named(word)


def _named(word: str) -> str:
    return word.removeprefix("@") or word


def _number(word: str, sentence: str) -> float:
    try:
        number = float(word) if word.isascii() and "_" not in word else math.nan
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise CommandRefused(sentence)
    return number


def _bounded(words: list[str], most: int, what: str) -> str:
    text = " ".join(words)
    if len(text) > most:
        raise CommandRefused(f"that {what} has {len(text)} characters, and {most} are allowed")
    return text


_ORDERS: dict[str, Callable[[list[str]], AnyOperatorCommand]] = {
    "model": _switch,
    "kick": _kick,
    "ban": _ban,
    "unban": _about_one("unban", Unban),
    "bans": _nothing_more("bans", Bans()),
    "mute": _mute,
    "unmute": _about_one("unmute", lambda nick: Mute(nick, on=False)),
    "op": _about_one("op", Op),
    "deop": _about_one("deop", lambda nick: Op(nick, on=False)),
    "slow": _slow,
    "lock": _nothing_more("lock", Lock()),
    "unlock": _nothing_more("unlock", Lock(on=False)),
    "quiet": _quiet,
    "unquiet": _nothing_more("unquiet", Quiet(on=False)),
    "pin": _pin,
    "unpin": _nothing_more("unpin", Pin()),
    "clear-history": _nothing_more("clear-history", ClearHistory()),
    "close": lambda words: Close(_bounded(words, LONGEST_REASON, "reason")),
    "chaos": _chaos,
}
NAMES = frozenset(_ORDERS)
"""The commands that give an order."""
