"""What a person can type: the commands, and how a typed line is understood. Pure.

Full screen and line mode share this table, their help is drawn from it, and completion offers what is in it.
"""

from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from protocol import operator_commands
from protocol.format import unknown_command
from protocol.messages import FAULTS, Model, OperatorCommand
from protocol.sentences import format_incomplete


class Command(Struct, frozen=True):
    """Something that begins with a slash."""

    name: str
    argument: str
    """What follows, as help shows it; empty for nothing."""
    summary: str
    required: bool = False
    operator: bool = False
    """Only operators may: whoever hosts the room, and whom they have made one."""
    screen: bool = False
    """Means something in the full screen only."""
    here: bool = False
    """Done without the room: it need not be there."""

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.argument}".rstrip()


COMMANDS = (
    Command("help", "", "the keys and the commands", here=True),
    Command("me", "TEXT", "say what you do: /me waves", required=True),
    Command("nick", "NAME", "take another nickname", required=True),
    Command("who", "", "who is here"),
    Command("status", "", "what runs the room, and what that costs"),
    Command("find", "TEXT", "search what was said", screen=True, here=True),
    Command("times", "", "show or hide when things were said", screen=True, here=True),
    Command("bell", "", "ring, or do not, when somebody names you", screen=True, here=True),
    Command("clear", "", "empty your own pane", screen=True, here=True),
    Command("where", "", "what serves you, and what that costs"),
    Command("save", "[FILE]", "write down what was said: JSON lines, or Markdown where FILE ends in .md", here=True),
    Command("quit", "", "leave the room", here=True),
    Command("model", "|".join(Model), "run the room by another model", operator=True),
    Command("kick", "NICK [reason]", "send somebody away, who may come back", operator=True),
    Command("ban", "NICK [minutes] [address]", "send somebody away for an hour, or for so long", operator=True),
    Command("bans", "", "who is banned, and for how long", operator=True),
    Command("unban", "NICK", "let in again who was banned", operator=True),
    Command("mute", "NICK [address]", "nobody hears them any more", operator=True),
    Command("unmute", "NICK", "they are heard again", operator=True),
    Command("slow", "SECONDS|off", "everybody waits so long between two lines", operator=True),
    Command("quiet", "[off]", "only operators speak", operator=True),
    Command("unquiet", "", "all may speak again", operator=True),
    Command("lock", "", "nobody new comes in", operator=True),
    Command("unlock", "", "the room is open again", operator=True),
    Command("pin", "TEXT", "a line at the top of everybody's pane", operator=True),
    Command("unpin", "", "take the pinned line away", operator=True),
    Command("clear-history", "", "newcomers are shown nothing of what was said so far", operator=True),
    Command("op", "NICK", "make somebody an operator too", operator=True),
    Command("deop", "NICK", "they are no operator any more", operator=True),
    Command("chaos", "FAULT …", f"break something: {', '.join(FAULTS)}", operator=True),
    Command("close", "[reason]", "end the room for everybody", operator=True),
)
QUIT_HOSTING = "end the room for everybody"
_BY_NAME = {command.name: command for command in COMMANDS}


class ChatLine(Struct, frozen=True):
    """A line for the room."""

    text: str
    action: bool = False


class ParsedCommand(Struct, frozen=True):
    """A command, by its name, with its argument. `order` is what it asks of the room, where only operators may."""

    name: str
    argument: str = ""
    order: OperatorCommand | None = None


class ParseError(Struct, frozen=True):
    """What is wrong with the line, in a sentence."""

    sentence: str


def available(*, operator: bool, screen: bool = True, hosts: bool = False) -> list[Command]:
    """The commands for an operator or anybody, in the full screen or in line mode. Whoever `hosts` the room ends it by
    leaving."""
    found = [one for one in COMMANDS if (operator or not one.operator) and (screen or not one.screen)]
    return [replace(one, summary=QUIT_HOSTING) if hosts and one.name == "quit" else one for one in found]


def needs_room(asked: ParsedCommand) -> bool:
    """Whether it is for the room to do."""
    return not _BY_NAME[asked.name].here


def unsent(what: str) -> str:
    """That the room is away and was not asked for `what`, in a sentence."""
    return f"not connected, so not sent: {what}"


def parse(line: str, *, screen: bool = True) -> ChatLine | ParsedCommand | ParseError | None:
    """What `line` asks for; None where it is blank. Two slashes say a line that begins with one."""
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
    if command is None or (command.screen and not screen):
        return ParseError(unknown_command(head, [one.name for one in COMMANDS if screen or not one.screen]))
    if command.required and not argument:
        return ParseError(format_incomplete(command.usage))
    if command.name == "me":
        return ChatLine(argument, action=True)
    if command.name not in operator_commands.NAMES:
        return ParsedCommand(command.name, argument)
    try:
        return ParsedCommand(command.name, argument, operator_commands.understand(command.name, argument))
    except operator_commands.CommandRefused as refused:
        return ParseError(str(refused))
