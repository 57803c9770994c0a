"""`make torture`: all disturbances at once for a given time, and a report of the violations.

Exit codes: 0 without a violation, 1 with one.
"""

import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

import click

from protocol.messages import Model
from tests.checker.report import as_json, as_markdown, write_histories
from tests.checker.run import Run
from tests.checker.scenario import Scenario, few_are_kept


@click.command(context_settings={"show_default": True})
@click.option("--seconds", type=click.FloatRange(1), default=180.0, help="How long to disturb.")
@click.option("--people", type=click.IntRange(10), default=200, help="Participants; one in ten speaks plain.")
@click.option("--talk", type=click.FloatRange(0, min_open=True), default=40.0, help="Lines a second, all together.")
@click.option("--every", type=click.FloatRange(0, min_open=True), default=0.5, help="Seconds between disturbances.")
@click.option("--seed", type=int, help="The same number plans the same disturbances.  [default: a random one]")
@click.option("--model", type=click.Choice([model.value for model in Model]), default="event", help="To begin with.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), default=Path("build/torture.md"),
              help="Where to write the report; the same in JSON beside it.")  # fmt: skip
def main(seconds: float, people: int, talk: float, every: float, seed: int | None, model: str, report: Path) -> None:
    """Torture a server with every disturbance at once, and check what all participants saw."""
    chosen = secrets.randbelow(10**6) if seed is None else seed
    click.echo(f"seed {chosen}: {people} people, {seconds:g} s", err=True)
    scenario = Scenario(
        chosen,
        Model(model),
        people,
        seconds,
        talk,
        every,
        options=("--rate-limit", "20/10"),
        settle_within=60,
        kept=few_are_kept(chosen),
    )
    with tempfile.TemporaryDirectory() as folder:
        history, outcome = asyncio.run(Run(scenario, Path(folder)).play(lambda words: click.echo(words, err=True)))
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(as_markdown(outcome))
    report.with_suffix(".json").write_bytes(as_json(outcome))
    if outcome.violations:
        histories = report.with_name(f"{report.stem}-histories.jsonl")
        write_histories(history, histories)
        click.echo(f"seed {chosen}: what all participants did and saw is in {histories}", err=True)
    for violation in outcome.violations:
        click.echo(f"{violation.property}: {violation.words}", err=True)
    verdict = f"{len(outcome.violations)} violations" if outcome.violations else "nothing was violated"
    click.echo(f"seed {chosen}: {verdict}; {outcome.lines:,} lines, {outcome.observed:,} events; see {report}")
    sys.exit(bool(outcome.violations))


if __name__ == "__main__":
    main()
