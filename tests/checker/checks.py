"""Checks: the properties that a history must have. Each is a pure function that describes its violations.

A check depends on the history alone, not on how it was recorded. `check` runs all of them.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from tests.checker.history import History
from tests.checker.limit_checks import (
    rate_limits_are_kept,
    resources_are_released,
    silent_connections_are_closed,
)
from tests.checker.line_checks import (
    acknowledged_lines_have_one_seq,
    all_lines_are_answered,
    only_said_lines_are_delivered,
    refused_lines_are_not_delivered,
    senders_keep_their_order,
)
from tests.checker.order_checks import (
    clients_pass_events_on_once,
    members_get_all_events,
    new_members_get_history,
    resumes_continue,
    there_is_one_order,
)
from tests.checker.people_checks import (
    all_lines_are_understood,
    last_roster_is_true,
    no_client_is_rejected,
    no_connection_is_dropped,
    room_settles,
    rosters_agree,
)
from tests.checker.plain_checks import plain_clients_get_the_order, plain_lines_are_delivered
from tests.checker.switch_checks import every_switch_is_answered, switches_are_short, switches_follow_each_other

Check = Callable[[History], Iterator[str]]
MAX_VIOLATIONS_EACH = 20
"""Violations reported for each property. One mistake can cause thousands."""


PROPERTIES: tuple[Check, ...] = (
    acknowledged_lines_have_one_seq,
    all_lines_are_answered,
    refused_lines_are_not_delivered,
    only_said_lines_are_delivered,
    senders_keep_their_order,
    there_is_one_order,
    members_get_all_events,
    resumes_continue,
    new_members_get_history,
    clients_pass_events_on_once,
    rosters_agree,
    last_roster_is_true,
    no_connection_is_dropped,
    no_client_is_rejected,
    all_lines_are_understood,
    room_settles,
    plain_clients_get_the_order,
    plain_lines_are_delivered,
    switches_follow_each_other,
    every_switch_is_answered,
    switches_are_short,
    rate_limits_are_kept,
    silent_connections_are_closed,
    resources_are_released,
)


class Violation(Struct, frozen=True):
    """A property that does not hold, and a sentence that says how."""

    property: str
    words: str


def check(history: History) -> list[Violation]:
    """Return the violations of all properties, at most MAX_VIOLATIONS_EACH of each."""
    found: list[Violation] = []
    for property in PROPERTIES:
        for count, words in enumerate(property(history)):
            if count < MAX_VIOLATIONS_EACH:
                found.append(Violation(property.__name__, words))
    return found
