"""What typed commands do in the full screen, one short case each."""

from typing import TYPE_CHECKING

from protocol.nicknames import NicknameRefused, check_nickname
from protocol.sentences import format_people
from tui.commands.parse import ParsedCommand, needs_room
from tui.transcript.saving import save_minutes

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

ABOUT_THE_PANE = frozenset({"find", "times", "clear"})
"""Commands that are answered by what the pane shows, wherever one is in it."""
NAMED = 50
"""People named by /who; the others are counted."""


def carry_out(screen: "ChatScreen", asked: ParsedCommand) -> None:
    """Do what was asked for."""
    if needs_room(asked) and not screen.link.client.in_room:
        screen.say_unsent(f"/{asked.name}")
        return
    match asked.name:
        case "help":
            screen.chat.action_help()
        case "nick":
            _rename(screen, asked.argument)
        case "who":
            screen.transcript.note(who(screen.link.client.people))
            if screen.operator:
                screen.link.who(nameless=True)
        case "status":
            screen.status_asked = True
            screen.link.ask_status()
        case "where":
            screen.link.where()
        case "save":
            screen.run_worker(_save(screen, asked.argument), name="save")
        case "quit":
            screen.chat.leave_asked(0)
        case _ if asked.order is not None:
            screen.link.order(asked.order)
        case _:
            _change_pane(screen, asked)


def _change_pane(screen: "ChatScreen", asked: ParsedCommand) -> None:
    match asked.name:
        case "find":
            screen.action_find(asked.argument)
        case "times":
            screen.action_times()
        case "bell":
            screen.action_bell()
        case "clear":
            screen.transcript.clear()


async def _save(screen: "ChatScreen", name: str) -> None:
    screen.transcript.note(*await save_minutes(screen.chat.minutes, name, screen.chat.now()))


def _rename(screen: "ChatScreen", nick: str) -> None:
    try:
        screen.link.rename(check_nickname(nick, screen.link.client.limits.nick))
    except NicknameRefused as refused:
        screen.refuse(str(refused))


def who(people: set[str]) -> str:
    """Who is here, in a sentence."""
    return format_people(sorted(people, key=str.casefold), NAMED)
