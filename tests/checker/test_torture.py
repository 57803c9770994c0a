"""A short torture of each model with all disturbances at once. The long one is `make torture`."""

import asyncio
from pathlib import Path
from secrets import randbelow

import pytest

from protocol.messages import Model
from tests.checker.report import as_json, as_markdown, write_histories
from tests.checker.run import Run
from tests.checker.scenario import Scenario, few_are_kept

SECONDS = 20.0


@pytest.mark.parametrize("model", list(Model))
def test_nothing_is_lost_doubled_or_disordered_whatever_disturbs(model: Model, tmp_path: Path) -> None:
    seed = randbelow(10**6)  # Another one each time: `python -m tests.checker --seed` plays one again.
    print(f"seed {seed}")
    scenario = Scenario(
        seed,
        model,
        people=30,
        seconds=SECONDS,
        every=0.4,
        options=("--rate-limit", "20/10"),
        kept=few_are_kept(seed),
    )

    history, outcome = asyncio.run(Run(scenario, tmp_path).play())

    write_histories(history, tmp_path / "histories.jsonl")
    assert not outcome.violations, f"seed {seed}, histories in {tmp_path}:\n{as_markdown(outcome)}"
    assert outcome.acknowledged > SECONDS
    assert len(outcome.done) > 8, outcome.done
    assert len(outcome.switches) == 6, outcome.switches
    assert outcome.carried_unsent, "no handover carried anything that was not sent"
    assert as_json(outcome)
    assert len(history.members) + len(history.plain) >= 30
