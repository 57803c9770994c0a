"""Checks: the properties that a history must have. Each is a pure function that describes its violations.

A check depends on the history alone, not on how it was recorded. `check` runs all of them.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from tests.checker.history import History
from tests.checker.limit_checks import (
    nobody_says_more_than_is_allowed,
    nothing_is_left_behind,
    the_silent_are_let_go,
)
from tests.checker.line_checks import (
    acknowledged_means_one_seq,
    everything_is_answered,
    nothing_unsaid_is_told,
    refused_is_never_said,
    senders_keep_their_order,
)
from tests.checker.order_checks import (
    a_resume_continues,
    clients_pass_everything_on_once,
    each_hears_all_of_it,
    newcomers_are_shown_the_last_lines,
    there_is_one_order,
)
from tests.checker.people_checks import (
    every_line_is_understood,
    everything_settles,
    nobody_is_dropped,
    nobody_is_turned_away,
    rosters_agree,
    the_last_roster_is_true,
)
from tests.checker.plain_checks import plain_members_are_heard, plain_members_read_the_order
from tests.checker.switch_checks import every_switch_is_answered, switches_are_short, switches_follow_each_other

Check = Callable[[History], Iterator[str]]
MOST_TOLD = 20
"""Violations reported for each property. One mistake can cause thousands."""


PROPERTIES: tuple[Check, ...] = (
    acknowledged_means_one_seq,
    everything_is_answered,
    refused_is_never_said,
    nothing_unsaid_is_told,
    senders_keep_their_order,
    there_is_one_order,
    each_hears_all_of_it,
    a_resume_continues,
    newcomers_are_shown_the_last_lines,
    clients_pass_everything_on_once,
    rosters_agree,
    the_last_roster_is_true,
    nobody_is_dropped,
    nobody_is_turned_away,
    every_line_is_understood,
    everything_settles,
    plain_members_read_the_order,
    plain_members_are_heard,
    switches_follow_each_other,
    every_switch_is_answered,
    switches_are_short,
    nobody_says_more_than_is_allowed,
    the_silent_are_let_go,
    nothing_is_left_behind,
)


class Violation(Struct, frozen=True):
    """A property that does not hold, and a sentence that says how."""

    property: str
    words: str


def check(history: History) -> list[Violation]:
    """Return the violations of all properties, at most MOST_TOLD of each."""
    found: list[Violation] = []
    for property in PROPERTIES:
        for count, words in enumerate(property(history)):
            if count < MOST_TOLD:
                found.append(Violation(property.__name__, words))
    return found
