"""Runs typed commands in the full screen."""

from typing import TYPE_CHECKING

from protocol.format import format_people
from protocol.nicknames import NicknameRefused, check_nickname
from tui.commands.parse import ParsedCommand, needs_room
from tui.transcript.transcript import save_transcript

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

LOCAL_COMMANDS = frozenset({"find", "times", "clear"})
"""Commands that do not scroll the pane to its end: they show nothing there."""
MAX_NAMED_PEOPLE = 50
"""People that /who names; the others are counted."""


def run(screen: "ChatScreen", command: ParsedCommand) -> None:
    """Run a command. One that needs the room is reported as not sent while the room is away."""
    if needs_room(command) and not screen.link.client.in_room:
        screen.report_unsent(f"/{command.name}")
        return
    match command.name:
        case "help":
            screen.chat_app.action_help()
        case "nick":
            _rename(screen, command.argument)
        case "who":
            screen.pane.note(format_who(screen.link.client.people))
            if screen.is_operator:
                screen.link.who(nameless=True)
        case "status":
            screen.awaits_status = True
            screen.link.ask_status()
        case "where":
            screen.link.where()
        case "save":
            screen.run_worker(_save(screen, command.argument), name="save")
        case "quit":
            screen.chat_app.request_leave(0)
        case _ if command.order is not None:
            screen.link.order(command.order)
        case _:
            _change_pane(screen, command)


def _change_pane(screen: "ChatScreen", command: ParsedCommand) -> None:
    match command.name:
        case "find":
            screen.action_find(command.argument)
        case "times":
            screen.action_times()
        case "bell":
            screen.action_bell()
        case "clear":
            screen.pane.clear()


async def _save(screen: "ChatScreen", name: str) -> None:
    screen.pane.note(*await save_transcript(screen.chat_app.transcript, name, screen.chat_app.now()))


def _rename(screen: "ChatScreen", nick: str) -> None:
    try:
        screen.link.rename(check_nickname(nick, screen.link.client.limits.nick))
    except NicknameRefused as refused:
        screen.show_refusal(str(refused))


def format_who(people: set[str]) -> str:
    """The people in the room, as a sentence."""
    return format_people(sorted(people, key=str.casefold), MAX_NAMED_PEOPLE)
