"""The checker can fail: each deliberate mistake in a real server is found, by the property that it breaks."""

import asyncio
from pathlib import Path

import pytest

from tests.checker.mutants import MUTANTS
from tests.checker.plan import Kind
from tests.checker.run import Run, Scenario

FOUND_BY: dict[str, tuple[tuple[Kind, ...], str]] = {
    "dropped_line": ((Kind.FLOOD,), "each_hears_all_of_it"),
    "swapped_lines": ((Kind.FLOOD,), "each_hears_all_of_it"),
    "double_on_resume": ((Kind.CUT,), "a_resume_continues"),
    "forgotten_answers": ((Kind.CUT,), "acknowledged_means_one_seq"),
    "lost_half_line": ((Kind.SWITCH,), "everything_is_answered"),
    "stale_roster": ((Kind.TURNOVER,), "the_last_roster_is_true"),
}
"""How each mistake is provoked, and which property it breaks at least."""


def play(folder: Path, mutant: str, kinds: tuple[Kind, ...]) -> set[str]:
    scenario = Scenario(
        seed=7,
        people=16,
        seconds=4.0,
        talk=40.0,
        every=0.3,
        kinds=kinds,
        options=("--rate-limit", "off"),
        mutant=mutant,
        settle_within=4.0,
        # So few are kept that only the memory of answers can tell that a line which comes again was said.
        kept=3 if mutant in ("forgotten_answers", "") else 10_000,
    )
    _, outcome = asyncio.run(Run(scenario, folder).play())
    return {violation.property for violation in outcome.violations}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_checker_finds(mutant: str, tmp_path: Path) -> None:
    kinds, property = FOUND_BY[mutant]

    assert property in play(tmp_path, mutant, kinds)


def test_the_checker_finds_nothing_in_a_server_without_a_mistake_treated_the_same(tmp_path: Path) -> None:
    kinds = tuple({kind: None for kinds, _ in FOUND_BY.values() for kind in kinds})

    assert play(tmp_path, "", kinds) == set()
