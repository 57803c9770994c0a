"""Completion: the texts that Tab offers while a line is typed, in the full screen and in line mode. Pure.

A slash at the start of the line begins a command, `/model ` wants a model, `/chaos ` a fault, and any other word a
nickname, with or without `@`. The last speaker comes first, as a line often answers that person.
"""

import re
from collections.abc import Collection, Sequence
from unicodedata import normalize

from msgspec import Struct

from protocol.client import Received
from protocol.messages import Presence, Said
from tui.commands.parse import available_commands

MAX_COMPLETIONS = 50
_LAST_WORD = re.compile(r"@?[^\s@]*$")


class Completion(Struct, frozen=True):
    """Replaces the text from `start` to the cursor."""

    start: int
    text: str


class RecentSpeakers:
    """The nicknames of the last MAX_SPEAKERS people that have spoken."""

    MAX_SPEAKERS = 1000

    def __init__(self) -> None:
        self._nicks: dict[str, None] = {}

    def record(self, events: Sequence[Received]) -> None:
        """Add the speakers of these events, and apply their changes of names."""
        for event in events:
            match event:
                case Said():
                    self._nicks.pop(event.nick, None)
                    self._nicks[event.nick] = None
                    if len(self._nicks) > self.MAX_SPEAKERS:
                        del self._nicks[next(iter(self._nicks))]
                case Presence() if event.renamed:
                    renamed = dict(event.renamed)
                    self._nicks = {renamed.get(nick, nick): None for nick in self._nicks}

    @property
    def latest_first(self) -> list[str]:
        return list(reversed(self._nicks))


def complete(
    text: str,
    cursor: int,
    *,
    people: Collection[str],
    speakers: Sequence[str],
    me: str,
    operator: bool = False,
    screen: bool = True,
) -> list[Completion]:
    """The possible completions before the cursor, the likeliest first. `speakers` begins with the latest."""
    before = text[:cursor]
    if before.startswith("/") and not before.startswith("//") and "\n" not in before:
        head, space, argument = before[1:].partition(" ")
        commands = {command.name: command for command in available_commands(operator=operator, screen=screen)}
        if not space:
            return [Completion(0, f"/{name} ") for name in commands if name.startswith(head.lower())]
        command = commands.get(head.lower())
        if command is not None and command.choices and " " not in argument:
            start = cursor - len(argument)
            return [Completion(start, word) for word in command.choices if word.startswith(argument.lower())]
        if operator and head.lower() == "chaos":
            return _nicknames(before, [*_by_likelihood(people, speakers, me), "random"])
    return _nicknames(before, _by_likelihood(people, speakers, me))


def _nicknames(before: str, nicks: Sequence[str]) -> list[Completion]:
    match = _LAST_WORD.search(before)
    word = match[0] if match else ""
    at, typed = ("@", word[1:]) if word.startswith("@") else ("", word)
    if not word:
        return []
    start = len(before) - len(word)
    # A nickname at the start of a line addresses the line.
    after = ": " if start == 0 and not at else " "
    begun = _fold(typed)
    found = [nick for nick in nicks if _fold(nick).startswith(begun)]
    return [Completion(start, f"{at}{nick}{after}") for nick in found[:MAX_COMPLETIONS]]


def _fold(text: str) -> str:
    """`text` for a comparison that ignores case and Unicode normalization."""
    return normalize("NFC", text).casefold()


def _by_likelihood(people: Collection[str], speakers: Sequence[str], me: str) -> list[str]:
    present = set(people)
    spoke = [nick for nick in speakers if nick in present]
    silent = sorted(present.difference(spoke), key=str.casefold)
    return [nick for nick in [*spoke, *silent] if nick != me]
