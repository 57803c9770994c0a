"""What the room tells, in words: one wording for the plain dialect, line mode and the full screen. Pure.

A sentence begins with a small letter and has no full stop. Each front end puts its own sign before it.
"""

from collections.abc import Sequence

from protocol.format import format_bytes, plural
from protocol.messages import Goodbye, ModelSwitched, Refused, Status, Welcome

NOW_SERVED = {
    "process": "now a process each",
    "thread": "now a thread each",
    "event": "now one event loop for all",
}
MAX_PAUSE_S = 1e6
"""A longer pause is not believed."""
HISTORY_END = "that was before; from here on it is live"


def format_history_start(count: int) -> str:
    """What stands before so many lines of the past: a bot must not answer them."""
    return f"the last {plural(count, 'line')}, from before you came:"


def format_welcome(event: Welcome) -> str:
    """The last words to a newcomer: who it is, how many others are here, and where to go on."""
    company = f"with {counted_others(event.people - 1)}" if event.people > 1 else "and alone so far"
    return f"you are in the room, as {event.you}, {company}; /help lists the commands"


def format_welcome_notes(event: Welcome) -> list[str]:
    """What a newcomer is told besides: the message of the day, another nickname than it asked for, the pinned line."""
    notes = [line for line in event.motd.splitlines() if line]
    if event.asked:
        notes.append(f"{event.asked} is taken, so you are {event.you}; /nick NAME changes it")
    if event.rules.pin:
        notes.append(f"pinned: {event.rules.pin}")
    return notes


def format_names(names: Sequence[str], max_named: int) -> str:
    """`ada`, `ada and bob`, `ada, bob and 23 others`: so many names at most, or one less and how many others."""
    if len(names) > max_named:
        shown = max(1, max_named - 1)
        names = [*names[:shown], counted_others(len(names) - shown)]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def counted_others(count: int) -> str:
    """`1 other`, `1,000 others`."""
    return f"{count:,} {'other' if count == 1 else 'others'}"


def format_switched(event: ModelSwitched) -> str:
    """That another model runs the room."""
    now = NOW_SERVED.get(event.model, f"now run by {event.model}")
    pause = event.pause * 1000 if 0 <= event.pause < MAX_PAUSE_S else 0.0
    return f"{now}: {event.carried:,} carried over in {pause:.0f} ms"


def format_gap(missed: int | None) -> str:
    """That so many events are lost; None where the room does not know this client."""
    if missed is None:
        return "this room does not know you: it was opened anew, and what was said meanwhile may be lost"
    things = "1 thing that happened here is" if missed == 1 else f"{missed:,} things that happened here are"
    return f"{things} lost"


def format_refused(event: Refused) -> str:
    """Why something was not done, and a nickname that is free instead."""
    return f"{event.reason}; {event.suggestion} is free" if event.suggestion else event.reason


def format_goodbye(event: Goodbye) -> str:
    """Why a connection ends."""
    return f"goodbye: {event.reason}"


def format_people(nicks: Sequence[str], max_named: int | None = None) -> str:
    """Who is here: all of them, or so many and how many others."""
    named = list(nicks[:max_named])
    rest = f" and {counted_others(len(nicks) - len(named))}" if len(nicks) > len(named) else ""
    return f"{len(nicks):,} here: {', '.join(named)}{rest}"


def format_status(event: Status) -> str:
    """What runs the room, and what that costs."""
    return (
        f"model {event.model}, {event.connections:,} connected, you: {event.served_by}; "
        f"{plural(event.processes, 'process', 'processes')}, {plural(event.threads, 'thread')}, "
        f"{format_bytes(event.memory)}, {format_bytes(event.memory_each)} a connection"
    )


def format_incomplete(usage: str) -> str:
    """That a command, which is used like this, wants something after it."""
    return f"{usage.split()[0]} takes a word after it: {usage}"


def format_too_long(used: int, allowed: int, unit: str) -> str:
    """That a text does not fit into one line of the room."""
    return f"that is too long: it has {used:,} {unit}, and {allowed:,} are allowed"
