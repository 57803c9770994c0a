"""What the room tells, in words: one wording for the plain dialect, line mode and the full screen. Pure.

A sentence begins with a small letter and has no full stop. Each front end puts its own sign before it.
"""

from protocol.messages import Welcome
from protocol.text import counted

HISTORY_END = "that was before; from here on it is live"


def format_history_start(count: int) -> str:
    """What stands before so many lines of the past: a bot must not answer them."""
    return f"the last {counted(count, 'line')}, from before you came:"


def format_welcome(event: Welcome) -> str:
    """The last words to a newcomer: who it is, how many others are here, and where to go on."""
    others = event.people - 1
    company = f"with {others:,} {'other' if others == 1 else 'others'}" if others > 0 else "and alone so far"
    return f"you are in the room, as {event.you}, {company}; /help lists the commands"


def format_welcome_notes(event: Welcome) -> list[str]:
    """What a newcomer is told besides: the message of the day, another nickname than it asked for, the pinned line."""
    notes = [line for line in event.motd.splitlines() if line]
    if event.asked:
        notes.append(f"{event.asked} is taken, so you are {event.you}; /nick NAME changes it")
    if event.rules.pin:
        notes.append(f"pinned: {event.rules.pin}")
    return notes
