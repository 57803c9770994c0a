"""Formats numbers, sizes and events as text: one wording for the plain dialect, line mode and the full screen. Pure.

A sentence begins with a small letter and has no full stop. Each front end puts its own sign before it.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from protocol.messages import Goodbye, ModelSwitched, Refused, Status, Welcome
from protocol.sanitize import sanitize

MAX_NAME_CHARACTERS = 24
"""A longer name is cut, and is compared with no command."""
NOW_SERVED = {
    "process": "now a process each",
    "thread": "now a thread each",
    "event": "now one event loop for all",
}
MAX_PAUSE_S = 1e6
"""A longer pause is shown as 0: the server is wrong."""
HISTORY_END = "that was before; from here on it is live"


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


def format_history_start(count: int) -> str:
    """The line before the history, so that neither a person nor a bot takes it for live."""
    return f"the last {plural(count, 'line')}, from before you came:"


def format_welcome(event: Welcome) -> str:
    """The last line of a welcome: the nickname, the number of other members, and where the help is."""
    company = f"with {format_others(event.people - 1)}" if event.people > 1 else "and alone so far"
    return f"you are in the room, as {event.you}, {company}; /help lists the commands"


def format_welcome_notes(event: Welcome) -> list[str]:
    """The first lines of a welcome: the message of the day, a nickname that was not requested, the pinned line."""
    notes = [line for line in event.motd.splitlines() if line]
    if event.asked:
        notes.append(f"{event.asked} is taken, so you are {event.you}; /nick NAME changes it")
    if event.rules.pin:
        notes.append(f"pinned: {event.rules.pin}")
    return notes


def format_names(names: Sequence[str], max_named: int) -> str:
    """`ada`, `ada and bob`, `ada, bob and 23 others`. Of more than `max_named` names, the last are counted."""
    if len(names) > max_named:
        shown = max(1, max_named - 1)
        names = [*names[:shown], format_others(len(names) - shown)]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def format_others(count: int) -> str:
    """`1 other`, `1,000 others`."""
    return f"{count:,} {'other' if count == 1 else 'others'}"


def format_switched(event: ModelSwitched) -> str:
    """The model that runs the room now."""
    now = NOW_SERVED.get(event.model, f"now run by {event.model}")
    pause = event.pause * 1000 if 0 <= event.pause < MAX_PAUSE_S else 0.0
    return f"{now}: {event.carried:,} carried over in {pause:.0f} ms"


def format_gap(missed: int | None) -> str:
    """The loss of `missed` events; None if the server was restarted and does not know this client."""
    if missed is None:
        return "this room does not know you: it was opened anew, and what was said meanwhile may be lost"
    things = "1 thing that happened here is" if missed == 1 else f"{missed:,} things that happened here are"
    return f"{things} lost"


def format_refused(event: Refused) -> str:
    """The reason of a refusal, and a free nickname if there is one."""
    return f"{event.reason}; {event.suggestion} is free" if event.suggestion else event.reason


def format_goodbye(event: Goodbye) -> str:
    """The reason for the end of a connection."""
    return f"goodbye: {event.reason}"


def format_people(nicks: Sequence[str], max_named: int | None = None) -> str:
    """The members: all of them, or `max_named` and the number of the others."""
    named = list(nicks[:max_named])
    rest = f" and {format_others(len(nicks) - len(named))}" if len(nicks) > len(named) else ""
    return f"{len(nicks):,} here: {', '.join(named)}{rest}"


def format_status(event: Status) -> str:
    """The running model and its cost."""
    return (
        f"model {event.model}, {event.connections:,} connected, you: {event.served_by}; "
        f"{plural(event.processes, 'process', 'processes')}, {plural(event.threads, 'thread')}, "
        f"{format_bytes(event.memory)}, {format_bytes(event.memory_each)} a connection"
    )


def format_incomplete(usage: str) -> str:
    """The refusal of a command without its argument."""
    return f"{usage.split()[0]} takes a word after it: {usage}"


def format_too_long(used: int, allowed: int, unit: str) -> str:
    """The refusal of a text above a limit."""
    return f"that is too long: it has {used:,} {unit}, and {allowed:,} are allowed"
