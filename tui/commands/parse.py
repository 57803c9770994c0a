"""Parses a typed line: text for the room, or a command. Checks whether the room would take it. Pure.

`COMMANDS` has the commands of the room and those of the client. The help and the completion of the full screen and of
line mode are made from it.
"""

from collections.abc import Iterable
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from protocol import json_lines
from protocol.commands import MEMBER_COMMANDS, OPERATOR_COMMANDS, CommandRefused, SlashCommand
from protocol.format import format_too_long, unknown_command
from protocol.messages import Command, Limits, Quit, Refused, Say
from protocol.nicknames import MAX_NICKNAME, NicknameRefused, check_nickname

SCREEN_COMMANDS = (
    SlashCommand("find", "TEXT", "search what was said"),
    SlashCommand("times", "", "show or hide when things were said"),
    SlashCommand("bell", "", "ring, or do not, when somebody names you"),
    SlashCommand("clear", "", "empty your own pane"),
)
"""The commands that only the full screen has."""
SAVE = SlashCommand("save", "[FILE]", "write down what was said: JSON lines, or Markdown where FILE ends in .md")
*_SENT, _QUIT = MEMBER_COMMANDS
COMMANDS: tuple[SlashCommand, ...] = (*_SENT, *SCREEN_COMMANDS, SAVE, _QUIT, *OPERATOR_COMMANDS)
QUIT_HOSTING = "end the room for everybody"
_BY_NAME = {command.name: command for command in COMMANDS}
_SCREEN_NAMES = frozenset(command.name for command in SCREEN_COMMANDS)
ID = "x" * 16
"""An id of the same length as those of `tui.link.room_link`."""


class ChatLine(Struct, frozen=True):
    """A line for the room."""

    text: str
    action: bool = False


class ParsedCommand(Struct, frozen=True):
    """The name of a command, its argument, and its message to the room. None if the client runs it."""

    name: str
    argument: str = ""
    message: Command | None = None


class ParseError(Struct, frozen=True):
    """The reason why the line is no command, as a sentence."""

    sentence: str


def available_commands(*, operator: bool, screen: bool = True, hosts: bool = False) -> list[SlashCommand]:
    """The commands of an operator or of another member, in the full screen or in line mode. With `hosts`, leaving ends
    the room, and the summary of `/quit` says so."""
    found = [one for one in COMMANDS if (operator or not one.for_operators) and _exists(one, screen)]
    return [replace(one, summary=QUIT_HOSTING) if hosts and one.name == "quit" else one for one in found]


def _exists(command: SlashCommand, screen: bool) -> bool:
    return screen or command.name not in _SCREEN_NAMES


def format_unsent(what: str) -> str:
    """The message that `what` was not sent because there is no connection to the room."""
    return f"not connected, so not sent: {what}"


def parse(line: str, *, screen: bool = True) -> ChatLine | ParsedCommand | ParseError | None:
    """Parse a typed line; None if it is blank. A text that begins with a slash is typed with two."""
    line = normalize("NFC", line)  # A file name from macOS has each accent in a character of its own.
    if not line.strip():
        return None
    if line.startswith("//"):
        return ChatLine(line[1:])
    if not line.startswith("/"):
        return ChatLine(line)
    head, _, rest = line[1:].partition(" ")
    argument = rest.strip()
    command = _BY_NAME.get(head.lower())
    if command is None or not _exists(command, screen):
        return ParseError(unknown_command(head, [one.name for one in COMMANDS if _exists(one, screen)]))
    try:
        message = command.parse(argument)
    except CommandRefused as refused:
        return ParseError(str(refused))
    if isinstance(message, Say):
        return ChatLine(message.text, message.action)
    # The client leaves by itself, also without a connection to the room.
    return ParsedCommand(command.name, argument, None if isinstance(message, Quit) else message)


class LengthCheck(Struct, frozen=True):
    """The limit of which the text uses the largest part: `used` of `allowed`, in `unit`."""

    used: int
    allowed: int
    unit: str

    @property
    def is_too_long(self) -> bool:
        return self.used > self.allowed

    @property
    def sentence(self) -> str:
        """The message for a text that is too long."""
        return format_too_long(self.used, self.allowed, self.unit)

    @property
    def is_near_limit(self) -> bool:
        """Whether more than 80 % of the limit is used, so that the count is shown."""
        return self.used > 0.8 * self.allowed


def check_length(text: str, limits: Limits, *, action: bool = False) -> LengthCheck:
    """Compare `text` with the limits. Bytes are counted in JSON: a quote takes two, a non-ASCII letter up to four."""
    size = len(json_lines.encode(Say(ID, text, action))) - 1
    counts = (
        LengthCheck(len(text), limits.text, "characters"),
        LengthCheck(text.count("\n") + 1, limits.lines, "lines"),
        LengthCheck(size, limits.line, "bytes"),
    )
    return max(counts, key=lambda one: one.used / max(one.allowed, 1))


def refuse_long_lines(lines: Iterable[Say], limits: Limits) -> list[Refused]:
    """The refusals of those lines that exceed the limits."""
    checked = [(line.id, check_length(line.text, limits, action=line.action)) for line in lines]
    return [Refused("text-too-long", length.sentence, id) for id, length in checked if length.is_too_long]


def check_input(parsed: ChatLine | ParsedCommand | ParseError | None, limits: Limits, *, in_room: bool) -> str:
    """The reason why an input cannot be sent now, as a sentence; empty if it can."""
    match parsed:
        case ParseError(sentence):
            return sentence
        case ChatLine(text, action):
            length = check_length(text, limits, action=action)
            return length.sentence if length.is_too_long else ""
        case ParsedCommand() if parsed.message is not None and not in_room:
            return format_unsent(f"/{parsed.name}")
        case ParsedCommand("nick", nick):
            return nickname_problem(nick, limits.nick)
    return ""


def nickname_problem(nick: str, limit: int = MAX_NICKNAME) -> str:
    """The reason why the room would refuse this nickname, as a sentence; empty if it would not."""
    try:
        check_nickname(nick, limit)
    except NicknameRefused as refused:
        return str(refused)
    return ""
