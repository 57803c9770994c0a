"""A short torture of each model with all disturbances at once. The long one is `make torture`."""

import asyncio
from pathlib import Path
from secrets import randbelow

import pytest

from protocol.messages import Model
from tests.checker.report import as_json, as_markdown, write_histories
from tests.checker.run import Run
from tests.checker.scenario import Scenario, few_are_kept


@pytest.mark.parametrize("model", list(Model))
def test_room_under_all_disturbances_loses_nothing(model: Model, tmp_path: Path) -> None:
    """No line is lost, doubled or out of order. The run ends when each disturbance happened once, within 20 s."""
    seed = randbelow(10**6)  # A new one for each run: `python -m tests.checker --seed` repeats its plan.
    print(f"seed {seed}")
    scenario = Scenario(
        seed,
        model,
        people=30,
        seconds=20.0,
        every=0.4,
        times_each=1,
        options=("--rate-limit", "20/10"),
        kept=few_are_kept(seed),
    )

    history, outcome = asyncio.run(Run(scenario, tmp_path).play())

    write_histories(history, tmp_path / "histories.jsonl")
    assert not outcome.violations, f"seed {seed}, histories in {tmp_path}:\n{as_markdown(outcome)}"
    assert outcome.acknowledged > 20
    assert len(outcome.done) > 12, outcome.done
    assert len(outcome.switches) == 6, outcome.switches
    assert outcome.carried_unsent, "no handover carried anything that was not sent"
    assert as_json(outcome)
    assert len(history.members) + len(history.plain) >= 30
