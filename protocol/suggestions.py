"""A sentence for a command that does not exist, which names the one that was meant. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches

from protocol.text import harmless

MAX_NAME_CHARACTERS = 24
"""A longer name is cut short, and resembles no command."""


def unknown_command(name: str, known: Iterable[str]) -> str:
    """That there is no command `name`, with the nearest of those that are `known`, if one is near."""
    shown = name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"
    near = get_close_matches(name.lower(), known, n=1) if shown == name else []
    meant = f"; did you mean /{near[0]}?" if near else ";"
    return f"there is no command /{harmless(shown)}{meant} /help lists them, // says a line with a slash"
