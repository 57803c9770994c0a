"""Checks of limits and resources: rate limits, deadlines, and leaks. Pure."""

from collections.abc import Iterator
from itertools import pairwise

from protocol.messages import Said
from tests.checker.history import History, ServerResources, Stay

MAX_QUEUE_DELAY_S = 1.5
"""Seconds for which received lines may wait for the room. Those lines then get the same time."""
MAX_EARLY_S, MAX_LATE_S = 0.2, 3.0
"""Seconds before and after a deadline that are tolerated: clocks differ, and the server may be stopped or busy."""


def rate_limits_are_kept(history: History) -> Iterator[str]:
    """No connection delivers more lines than its burst and its rate allow, also over switches."""
    orders = history.orders()
    for member in history.members:
        for stay, after in pairwise([*member.stays, None]):
            until = after.welcome_seq if after and after.epoch == stay.epoch else max(orders[stay.epoch], default=0)
            events = [orders[stay.epoch].get(seq) for seq in range(stay.welcome_seq + 1, until + 1)]
            said = [event for event in events if isinstance(event, Said) and event.id in member.operations]
            if stay.rate and (excess := _excess(stay, said)) > 0:
                yield f"epoch {stay.epoch}: {member.name} said {excess:.0f} lines more than its allowance"


def _excess(stay: Stay, said: list[Said]) -> float:
    """Return by how many lines the fastest moment exceeded the rate limit."""
    saved = lowest = float(stay.burst)
    before = said[0].at if said else 0.0
    for line in said:
        saved = min(float(stay.burst), saved + (line.at - before) * stay.rate) - 1
        lowest, before = min(lowest, saved), line.at
    return -lowest - 1 - MAX_QUEUE_DELAY_S * stay.rate


def silent_connections_are_closed(history: History) -> Iterator[str]:
    """A connection without a nickname is closed at its deadline and not before, also over switches."""
    for silence in history.silent_connections:
        if silence.closed is None and silence.watched > history.join_timeout + MAX_LATE_S:
            yield f"epoch {silence.epoch}: a silent connection was still open after {silence.watched:.1f} s"
        elif silence.closed is not None and silence.closed < history.join_timeout - MAX_EARLY_S:
            yield f"epoch {silence.epoch}: a silent connection was closed after {silence.closed:.1f} s"


def resources_are_released(history: History) -> Iterator[str]:
    """At rest the server has as many descriptors, threads and children as before the disturbances."""
    before, after = history.before, history.after
    if before is None or after is None:
        return
    for name, first, last in zip(("descriptors", "threads", "children"), _own(before), _own(after), strict=True):
        if last > first:
            yield f"besides its connections the server had {first} {name} at first, and has {last} at the end"


def _own(taken: ServerResources) -> tuple[int, int, int]:
    return taken.fds - taken.connections, taken.threads, taken.children
