"""The checker finds each deliberate mistake in a real server, by the property that it breaks."""

import asyncio
from pathlib import Path

import pytest

from tests.checker.mutants import MUTANTS
from tests.checker.plan import Kind
from tests.checker.run import Run
from tests.checker.scenario import Scenario
from tests.pace import allowed

FOUND_BY: dict[str, tuple[tuple[Kind, ...], set[str]]] = {
    "dropped_line+double_on_resume+stale_roster": (
        (Kind.FLOOD, Kind.CUT, Kind.TURNOVER),
        {"each_hears_all_of_it", "a_resume_continues", "the_last_roster_is_true"},
    ),
    "swapped_lines+forgotten_answers": (
        (Kind.FLOOD, Kind.CUT),
        {"each_hears_all_of_it", "acknowledged_means_one_seq"},
    ),
    "lost_half_line": ((Kind.SWITCH,), {"everything_is_answered"}),
    "lost_plain_line+lost_unsent+leak+refused_newcomers+no_history": (
        (Kind.SWITCH, Kind.CLOG, Kind.TURNOVER),
        {
            "plain_members_are_heard",
            "each_hears_all_of_it",
            "nothing_is_left_behind",
            "nobody_is_turned_away",
            "newcomers_are_shown_the_last_lines",
        },
    ),
    "new_allowance+no_deadline+slow_switch+ignored_switch+deaf_plain_members": (
        (Kind.SWITCH, Kind.FLOOD, Kind.SILENT),
        {
            "nobody_says_more_than_is_allowed",
            "the_silent_are_let_go",
            "switches_are_short",
            "every_switch_is_answered",
            "plain_members_read_the_order",
        },
    ),
}
"""Mistakes, several at once to save time, how they are provoked, and the property that each of them breaks."""


def play(folder: Path, mutant: str, kinds: tuple[Kind, ...], seed: int = 7) -> set[str]:
    scenario = Scenario(
        seed=seed,
        people=20,
        seconds=6.0 if Kind.SWITCH in kinds else 4.0,
        talk=40.0,
        every=0.3,
        kinds=kinds,
        options=("--rate-limit", "20/2" if "new_allowance" in mutant else "off"),
        mutant=mutant,
        settle_within=4.0,
        # So few are kept that only the memory of answers can tell that a line which comes again was said.
        kept=3 if "forgotten_answers" in mutant or not mutant else 10_000,
        join_timeout=1.0,
    )
    _, outcome = asyncio.run(Run(scenario, folder).play())
    return {violation.property for violation in outcome.violations}


@pytest.mark.timeout(allowed(240))
@pytest.mark.parametrize("mutants", FOUND_BY)
def test_the_checker_finds(mutants: str, tmp_path: Path) -> None:
    """Mistakes are rare and the machine may be busy: the run is repeated until each was found, up to four times."""
    kinds, properties = FOUND_BY[mutants]
    found: set[str] = set()
    for seed in range(7, 11):
        (folder := tmp_path / f"{seed}").mkdir()
        found |= play(folder, mutants, kinds, seed)
        if properties <= found:
            return
    pytest.fail(f"not found: {properties - found}")


def test_every_mutant_is_found() -> None:
    assert sorted(MUTANTS) == sorted(name for mutants in FOUND_BY for name in mutants.split("+"))


def test_the_checker_finds_nothing_in_a_server_without_a_mistake_treated_the_same(tmp_path: Path) -> None:
    kinds = tuple({kind: None for kinds, _ in FOUND_BY.values() for kind in kinds})

    assert play(tmp_path, "", kinds) == set()
