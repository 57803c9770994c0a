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
        {"members_get_all_events", "resumes_continue", "last_roster_is_true"},
    ),
    "swapped_lines+forgotten_answers": (
        (Kind.FLOOD, Kind.CUT),
        {"members_get_all_events", "acknowledged_lines_have_one_seq"},
    ),
    "lost_half_line": ((Kind.SWITCH,), {"all_lines_are_answered"}),
    "lost_plain_line+lost_unsent+leak+refused_newcomers+no_history": (
        (Kind.SWITCH, Kind.CLOG, Kind.TURNOVER),
        {
            "plain_lines_are_delivered",
            "members_get_all_events",
            "resources_are_released",
            "no_client_is_rejected",
            "new_members_get_history",
        },
    ),
    "new_allowance+no_deadline+deaf_plain_members": (
        (Kind.SWITCH, Kind.FLOOD, Kind.SILENT),
        {"rate_limits_are_kept", "silent_connections_are_closed", "plain_clients_get_the_order"},
    ),
    "slow_switch+ignored_switch": ((Kind.SWITCH,), {"switches_are_short", "every_switch_is_answered"}),
}
"""Mutants, several in one server to save time, the disturbances that provoke them, and the properties they violate."""


async def play(folder: Path, mutant: str, kinds: tuple[Kind, ...], seed: int = 7) -> set[str]:
    """Run a scenario; returns the properties that were violated."""
    scenario = Scenario(
        seed=seed,
        people=20,
        seconds=4.0,
        talk=40.0,
        every=0.3,
        kinds=kinds,
        options=("--rate-limit", "20/2" if "new_allowance" in mutant else "off"),
        mutant=mutant,
        settle_within=2.0,
        rest_within=3.5,
        switch_within=4.0,
        answer_within=3.0 if mutant else 8.0,
        # With so few events only the memory of answers shows that a repeated line was said before.
        kept=3 if "forgotten_answers" in mutant or not mutant else 10_000,
        join_timeout=1.0,
    )
    _, outcome = await Run(scenario, folder).play()
    return {violation.property for violation in outcome.violations}


async def find(mutants: str, folder: Path, turn: asyncio.Semaphore) -> set[str]:
    """Repeat a run, up to four times, until each mistake was found; returns the properties that always held.

    Mistakes are rare, and the machine may be busy.
    """
    kinds, properties = FOUND_BY[mutants]
    missing = set(properties)
    for seed in range(7, 11):
        (subfolder := folder / f"{mutants[:20]}{seed}").mkdir()
        async with turn:
            missing -= await play(subfolder, mutants, kinds, seed)
        if not missing:
            break
    return missing


@pytest.mark.timeout(allowed(240))
async def test_checker_with_mutants_finds_all(tmp_path: Path) -> None:
    """Three groups run at a time, as a run mostly waits."""
    turn = asyncio.Semaphore(3)
    missing = await asyncio.gather(*(find(mutants, tmp_path, turn) for mutants in FOUND_BY))

    assert not any(missing), dict(zip(FOUND_BY, missing, strict=True))


def test_list_of_mutants_has_each_one_once() -> None:
    assert sorted(MUTANTS) == sorted(name for mutants in FOUND_BY for name in mutants.split("+"))


async def test_checker_without_mutant_finds_nothing(tmp_path: Path) -> None:
    """A correct server gets the same disturbances as the mutants."""
    kinds = tuple({kind: None for kinds, _ in FOUND_BY.values() for kind in kinds})

    assert await play(tmp_path, "", kinds) == set()
