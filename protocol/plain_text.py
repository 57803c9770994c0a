"""The talk's dialect: a nickname line, then `nick: text`.

A line of the room itself begins with `*** `; only its greeting does not. A member's line begins with a nickname, and so
with a letter or a digit: no member can speak for the room. `/` begins a command, and `//` a line that begins with one
slash.
"""

from textwrap import wrap

from protocol.commands import MEMBER_COMMANDS, OPERATOR_COMMANDS, OPERATOR_NAMES, CommandRefused, TypedCommand
from protocol.format import (
    HISTORY_END,
    format_goodbye,
    format_history_start,
    format_names,
    format_people,
    format_refused,
    format_status,
    format_switched,
    format_welcome,
    format_welcome_notes,
    unknown_command,
)
from protocol.messages import (
    Event,
    Goodbye,
    Hello,
    ModelSwitched,
    Notice,
    People,
    Presence,
    Quit,
    Refused,
    RulesChanged,
    Said,
    Say,
    Status,
    Welcome,
)

_USAGES = [(command.usage, command.summary) for command in MEMBER_COMMANDS if command.name != "help"]
_MEMBER_HELP = "\n".join(
    f"***   {usage:12} {summary}" for usage, summary in [*_USAGES, ("//TEXT", "say a line that begins with a slash")]
)
_OPERATOR_HELP = "\n".join(
    f"***   {line}" for line in wrap(" ".join(f"/{name}" for name in sorted(OPERATOR_NAMES)), 70)
)
HELP = f"""\
*** type a line and everybody reads it; these are the commands:
{_MEMBER_HELP}
*** and for operators:
{_OPERATOR_HELP}
""".encode()
_BYTE_ORDER_MARK = "\ufeff"
"""Some programs write one before each text."""
_COMMANDS = {command.name: command for command in (*MEMBER_COMMANDS, *OPERATOR_COMMANDS)}
COMMAND_NAMES = (*(command.name for command in MEMBER_COMMANDS), *sorted(OPERATOR_NAMES))
MAX_LISTED_NICKNAMES = 5
"""Nicknames in a presence line; the others are counted."""

PlainCommand = Hello | TypedCommand


def decode_hello(line: bytes) -> Hello | Quit | Refused:
    """Decode the first line: a nickname, `/help` or `/quit`."""
    try:
        nick = line.decode().removeprefix(_BYTE_ORDER_MARK).strip()
    except UnicodeDecodeError:
        return Refused("bad-utf8", "that nickname is not UTF-8")
    match nick.lower():
        case "/quit":
            return Quit()
        case "/help":
            return Refused("help", "")
    return Hello(nick)


def decode_command(line: bytes) -> PlainCommand | Refused | None:
    """Decode a later line; None if it is blank."""
    try:
        text = line.decode().removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        return Refused("bad-utf8", "that line is not UTF-8, and was not said")
    if not text.strip():
        return None
    if text.startswith("//"):
        return Say("", text[1:])
    if text.startswith("/"):
        return _decode_slash(*text[1:].split(maxsplit=1))
    return Say("", text)


def _decode_slash(name: str = "", rest: str = "") -> PlainCommand | Refused:
    lowered = name.lower()
    command = _COMMANDS.get("model" if lowered == "switch" else lowered)
    if command is None:
        return Refused("bad-command", unknown_command(name, COMMAND_NAMES))
    try:
        # Any member may be an operator. The room refuses the command of one that is not.
        return command.parse(rest.strip()) or Refused("help", "")
    except CommandRefused as refused:
        return Refused("bad-command", str(refused))


def encode(event: Event) -> bytes:
    """The event as lines; empty for events that the plain dialect does not have."""
    match event:
        case Said():
            return _encode_said(event)
        case Refused(code="help"):
            return HELP
        case Welcome():
            return _encode_welcome(event)
        case _:
            return b"".join(map(_encode_notice, _notice_texts(event)))


def _encode_said(event: Said) -> bytes:
    start = f"* {event.nick} " if event.action else f"{event.nick}: "
    if "\n" not in event.text:
        return f"{start}{event.text}\n".encode()
    return "".join(f"{start}{line}\n" for line in event.text.split("\n")).encode()


def _encode_welcome(event: Welcome) -> bytes:
    # The client of the talk waits for the first line.
    parts = [b"Connected to chat server\n", *map(_encode_notice, format_welcome_notes(event))]
    if event.history:
        parts.append(_encode_notice(format_history_start(len(event.history))))
        parts += [encode(past) for past in event.history]
        parts.append(_encode_notice(HISTORY_END))
    return b"".join([*parts, _encode_notice(format_welcome(event))])


def _encode_notice(sentence: str) -> bytes:
    return f"*** {sentence}\n".encode()


def _notice_texts(event: Event) -> list[str]:
    match event:
        case Presence():
            return [
                *_presence_text(event.left, "left"),
                *(f"{before} is now {after}" for before, after in event.renamed),
                *_presence_text(event.joined, "joined"),
            ]
        case ModelSwitched():
            return [format_switched(event)]
        case Notice() | RulesChanged():
            return event.text.split("\n")
        case Refused():
            return [format_refused(event)]
        case Goodbye():
            return [format_goodbye(event)]
        case People():
            return [format_people(event.people)]
        case Status():
            return [format_status(event)]
    return []


def _presence_text(nicks: list[str], did: str) -> list[str]:
    return [f"{format_names(nicks, MAX_LISTED_NICKNAMES)} {did}"] if nicks else []
