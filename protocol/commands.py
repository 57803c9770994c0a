"""The commands that can be typed: name, arguments, summary and, for operators, the parser. Pure.

The plain dialect, line mode and the full screen take their parsing, help and completion from the tables.

`/ban ada 10` becomes `Ban("ada", 10)`. A member is named by nickname, with or without `@`, or as `#12` by the number of
its connection. `random` stands for any member, `@random` for the member with that nickname.
"""

import math
import re
from collections.abc import Callable

from msgspec import Struct

from protocol.format import format_incomplete
from protocol.messages import (
    FAULTS,
    GUEST_FAULTS,
    MAX_BAN_MINUTES,
    MAX_BLOCK_S,
    MAX_PIN_CHARACTERS,
    MAX_REASON_CHARACTERS,
    MAX_SLOW_S,
    RANDOM_MEMBER,
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
    Quit,
    Rename,
    Say,
    Slow,
    StatusRequest,
    Switch,
    Unban,
    Where,
    Who,
)

_MODELS = tuple(str(model) for model in Model)
_TIME = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|s)?", re.ASCII)


TypedCommand = Say | Rename | Who | StatusRequest | Where | Quit | AnyOperatorCommand


class CommandRefused(ValueError):
    """The arguments are wrong; the message is a sentence with the reason."""


class SlashCommand(Struct, frozen=True):
    """A line that begins with a slash and this name."""

    name: str
    arguments: str
    """The arguments as the help shows them; empty if there are none."""
    summary: str
    needs_argument: bool = False
    """The command does nothing without an argument."""
    choices: tuple[str, ...] = ()
    """The words that the first argument can be; empty if it can be any word."""
    for_operators: bool = False
    """Only an operator may give it."""
    make: Callable[[str], TypedCommand] | None = None
    """Makes the message to the room from the argument, or raises CommandRefused. None for a command that a client, or
    the dialect, answers itself."""

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.arguments}".rstrip()

    def parse(self, argument: str) -> TypedCommand | None:
        """The message to the room. Raises CommandRefused."""
        if self.needs_argument and not argument:
            raise CommandRefused(format_incomplete(self.usage))
        return self.make(argument) if self.make is not None else None


MEMBER_COMMANDS = (
    SlashCommand("help", "", "the keys and the commands"),
    SlashCommand(
        "me",
        "TEXT",
        "say what you do: /me waves",
        needs_argument=True,
        make=lambda argument: Say("", argument, action=True),
    ),
    SlashCommand("nick", "NAME", "take another nickname", needs_argument=True, make=Rename),
    SlashCommand("who", "", "who is here", make=lambda argument: Who(nameless=True)),
    SlashCommand("status", "", "what runs the room, and what that costs", make=lambda argument: StatusRequest()),
    SlashCommand("where", "", "what serves you, and what that costs", make=lambda argument: Where()),
    SlashCommand("quit", "", "leave the room", make=lambda argument: Quit()),
)
"""The commands of every member, in the order in which the help shows them."""


def _operator_command(
    name: str,
    arguments: str,
    summary: str,
    *,
    parse: Callable[[list[str]], AnyOperatorCommand],
    choices: tuple[str, ...] = (),
) -> SlashCommand:
    """A command that only an operator may give. `parse` gets the words of the argument."""
    return SlashCommand(
        name, arguments, summary, choices=choices, for_operators=True, make=lambda argument: parse(argument.split())
    )


def _parse_kick(words: list[str]) -> AnyOperatorCommand:
    nick, rest = _split_nick("kick", words)
    return Kick(nick, _join_bounded(rest, MAX_REASON_CHARACTERS, "reason"))


def _parse_ban(words: list[str]) -> AnyOperatorCommand:
    nick, rest = _split_nick("ban", words)
    ban = Ban(nick)
    for word in rest:
        match word.lower():
            case "address":
                ban.address = True
            case "sure":
                ban.sure = True
            case _:
                ban.minutes = _parse_minutes(word)
    if ban.sure and not ban.address:
        raise CommandRefused("'sure' goes with 'address': /ban NICK address sure bans all who share it")
    return ban


def _parse_mute(words: list[str]) -> AnyOperatorCommand:
    nick, rest = _split_nick("mute", words)
    given = [word.lower() for word in rest]
    if not set(given) <= {"address", "sure"}:
        raise CommandRefused("/mute takes a nickname, and 'address' and 'sure' after it")
    if "sure" in given and "address" not in given:
        raise CommandRefused("'sure' goes with 'address': /mute NICK address sure mutes all who share it")
    return Mute(nick, address="address" in given, sure="sure" in given)


def _parse_minutes(word: str) -> float:
    minutes = _parse_number(
        word, f"/ban takes a number of minutes, 'address' and 'sure' after the nickname, and not {word}"
    )
    if not 0 < minutes <= MAX_BAN_MINUTES:
        raise CommandRefused(f"a ban lasts from a moment to {MAX_BAN_MINUTES:,} minutes, which is a week")
    return minutes


def _one_nick(name: str, make: Callable[[str], AnyOperatorCommand]) -> Callable[[list[str]], AnyOperatorCommand]:
    def parse_nick(words: list[str]) -> AnyOperatorCommand:
        nick, rest = _split_nick(name, words)
        if rest:
            raise CommandRefused(f"/{name} takes one nickname and nothing after it")
        return make(nick)

    return parse_nick


def _parse_slow(words: list[str]) -> AnyOperatorCommand:
    if words in (["off"], ["0"]):
        return Slow(0)
    sentence = f"/slow takes the seconds between two lines, up to {MAX_SLOW_S}, or off"
    seconds = _parse_number(words[0].removesuffix("s") if len(words) == 1 else "", sentence)
    if seconds > MAX_SLOW_S:
        raise CommandRefused(sentence)
    return Slow(seconds)


def _parse_quiet(words: list[str]) -> AnyOperatorCommand:
    if words and [word.lower() for word in words] not in (["on"], ["off"]):
        raise CommandRefused("/quiet takes nothing after it, or off")
    return Quiet(not words or words[0].lower() == "on")


def _parse_pin(words: list[str]) -> AnyOperatorCommand:
    if not words:
        raise CommandRefused("/pin takes the line to pin; /unpin takes it away")
    return Pin(_join_bounded(words, MAX_PIN_CHARACTERS, "pinned line"))


def _parse_model(words: list[str]) -> AnyOperatorCommand:
    model = words[0].lower() if len(words) == 1 else " ".join(words)
    if model not in _MODELS:
        raise CommandRefused(f"there is no model {model}: it is one of {', '.join(_MODELS)}")
    return Switch(model)


def _parse_chaos(words: list[str]) -> AnyOperatorCommand:
    fault = words[0].lower() if words else ""
    rest = words[1:]
    if fault not in FAULTS:
        raise CommandRefused(f"/chaos takes a fault: {', '.join(FAULTS[:-1])} or {FAULTS[-1]}")
    if fault in GUEST_FAULTS:
        if rest:
            raise CommandRefused(f"/chaos {fault} takes nothing after it")
        return Chaos(fault)
    if fault == "block":
        return _parse_block(rest)
    if len(rest) != 1:
        raise CommandRefused(f"/chaos {fault} takes one nickname, or random")
    return Chaos(fault, _parse_victim(rest[0]))


def _parse_block(words: list[str]) -> AnyOperatorCommand:
    """The arguments are a time and a nickname. Either may come first, and each may be missing."""
    chaos = Chaos("block")
    nicks = []
    for word in words:
        if (time := _TIME.fullmatch(word.lower())) is None:
            nicks.append(_parse_victim(word))
            continue
        chaos.seconds = float(time[1]) / (1000 if time[2] == "ms" else 1)
        if not 0 < chaos.seconds <= MAX_BLOCK_S:
            raise CommandRefused(f"a block lasts for up to {MAX_BLOCK_S:g} s; 300ms is a good one")
    if len(nicks) > 1 or len(words) - len(nicks) > 1:
        raise CommandRefused("/chaos block takes one time, as 300ms, and one nickname at most")
    chaos.nick = nicks[0] if nicks else ""
    return chaos


def _no_argument(name: str, command: AnyOperatorCommand) -> Callable[[list[str]], AnyOperatorCommand]:
    def check_empty(words: list[str]) -> AnyOperatorCommand:
        if words:
            raise CommandRefused(f"/{name} takes nothing after it")
        return command

    return check_empty


def _split_nick(name: str, words: list[str]) -> tuple[str, list[str]]:
    if not words:
        raise CommandRefused(f"/{name} takes a nickname, or #12 for a connection")
    return _strip_at(words[0]), words[1:]


def _parse_victim(word: str) -> str:
    return RANDOM_MEMBER if word.lower() == "random" else _strip_at(word)


def _strip_at(word: str) -> str:
    return word.removeprefix("@") or word


def _parse_number(word: str, sentence: str) -> float:
    try:
        number = float(word) if word.isascii() and "_" not in word else math.nan
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise CommandRefused(sentence)
    return number


def _parse_close(words: list[str]) -> AnyOperatorCommand:
    return Close(_join_bounded(words, MAX_REASON_CHARACTERS, "reason"))


def _join_bounded(words: list[str], limit: int, noun: str) -> str:
    text = " ".join(words)
    if len(text) > limit:
        raise CommandRefused(f"that {noun} has {len(text)} characters, and {limit} are allowed")
    return text


OPERATOR_COMMANDS = (
    _operator_command("model", "|".join(_MODELS), "run the room by another model", choices=_MODELS, parse=_parse_model),
    _operator_command("kick", "NICK [reason]", "send somebody away, who may come back", parse=_parse_kick),
    _operator_command(
        "ban", "NICK [minutes] [address]", "send somebody away for an hour, or for so long", parse=_parse_ban
    ),
    _operator_command("bans", "", "who is banned, and for how long", parse=_no_argument("bans", Bans())),
    _operator_command("unban", "NICK", "end a ban", parse=_one_nick("unban", Unban)),
    _operator_command("mute", "NICK [address]", "nobody hears them any more", parse=_parse_mute),
    _operator_command(
        "unmute", "NICK", "they are heard again", parse=_one_nick("unmute", lambda nick: Mute(nick, on=False))
    ),
    _operator_command("slow", "SECONDS|off", "everybody waits so long between two lines", parse=_parse_slow),
    _operator_command("quiet", "[off]", "only operators speak", parse=_parse_quiet),
    _operator_command("unquiet", "", "all may speak again", parse=_no_argument("unquiet", Quiet(on=False))),
    _operator_command("lock", "", "nobody new comes in", parse=_no_argument("lock", Lock())),
    _operator_command("unlock", "", "the room is open again", parse=_no_argument("unlock", Lock(on=False))),
    _operator_command("pin", "TEXT", "a line at the top of everybody's pane", parse=_parse_pin),
    _operator_command("unpin", "", "take the pinned line away", parse=_no_argument("unpin", Pin())),
    _operator_command(
        "clear-history",
        "",
        "newcomers are shown nothing of what was said so far",
        parse=_no_argument("clear-history", ClearHistory()),
    ),
    _operator_command("op", "NICK", "make somebody an operator too", parse=_one_nick("op", Op)),
    _operator_command(
        "deop", "NICK", "they are no operator any more", parse=_one_nick("deop", lambda nick: Op(nick, on=False))
    ),
    _operator_command("chaos", "FAULT …", f"break something: {', '.join(FAULTS)}", choices=FAULTS, parse=_parse_chaos),
    _operator_command("close", "[reason]", "end the room for everybody", parse=_parse_close),
)
"""The commands that only an operator may give, in the order in which the help shows them."""
OPERATOR_NAMES = frozenset(command.name for command in OPERATOR_COMMANDS)
