"""The commands that a member can type: name, arguments and summary. Pure.

The plain dialect, line mode and the full screen take their parsing, help and completion from this table and from the
table of `protocol.operator_commands`.
"""

from msgspec import Struct


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

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.arguments}".rstrip()


MEMBER_COMMANDS = (
    SlashCommand("help", "", "the keys and the commands"),
    SlashCommand("me", "TEXT", "say what you do: /me waves", needs_argument=True),
    SlashCommand("nick", "NAME", "take another nickname", needs_argument=True),
    SlashCommand("who", "", "who is here"),
    SlashCommand("status", "", "what runs the room, and what that costs"),
    SlashCommand("where", "", "what serves you, and what that costs"),
    SlashCommand("quit", "", "leave the room"),
)
"""The commands of every member, in the order in which the help shows them."""
