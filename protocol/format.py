"""Formats numbers, sizes and unknown commands as text for people. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches

from protocol.sanitize import sanitize

MAX_NAME_CHARACTERS = 24
"""A longer name is cut, and is compared with no command."""


def plural(number: float, one: str, more: str = "") -> str:
    """`1 line`, `12 lines`, `0.5 lines`. `more` is the plural if it is not `one` with an s."""
    return f"{number:.15g} {one if number == 1 else more or one + 's'}"


def format_bytes(amount: int) -> str:
    """`430 KiB`, `21.3 MiB`; `–` for 0."""
    if amount <= 0:
        return "–"
    return f"{amount / 1024:,.0f} KiB" if amount < 2**20 else f"{amount / 2**20:,.1f} MiB"


def unknown_command(name: str, known: Iterable[str]) -> str:
    """The answer to the unknown command `name`, with the most similar of the `known` commands if one is similar."""
    shown = name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…"
    near = get_close_matches(name.lower(), known, n=1) if shown == name else []
    meant = f"; did you mean /{near[0]}?" if near else ";"
    return f"there is no command /{sanitize(shown)}{meant} /help lists them, // says a line with a slash"
