"""Report: an outcome as Markdown for people and as JSON for programs."""

from pathlib import Path

import msgspec

from tests.checker.checks import PROPERTIES
from tests.checker.history import History
from tests.checker.scenario import Outcome

LOG_LINES = 40


def as_json(outcome: Outcome) -> bytes:
    """Encode the whole outcome."""
    return msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n"


def write_histories(history: History, path: Path) -> None:
    """Write a line of JSON with the data of the run, and one for each participant, the rich ones first."""
    rest = msgspec.structs.replace(history, members=[], plain=[])
    with path.open("wb") as file:
        for part in (rest, *history.members, *history.plain):
            file.write(msgspec.json.encode(part) + b"\n")


def as_markdown(outcome: Outcome) -> str:
    """Format the disturbances, the checks and the violations."""
    scenario = outcome.scenario
    verdict = "nothing was violated" if not outcome.violations else f"{len(outcome.violations)} violations"
    lines = [
        f"# Torture: {verdict}",
        "",
        f"Seed {scenario.seed}, {scenario.people} people, {scenario.seconds:g} s of disturbance, "
        f"{scenario.talk:g} lines a second, begun with the {scenario.model} model.",
        "",
        "| | |",
        "| --- | ---: |",
        f"| lines said | {outcome.lines:,} |",
        f"| acknowledged | {outcome.acknowledged:,} |",
        f"| refused | {outcome.refused:,} |",
        f"| events observed | {outcome.observed:,} |",
        f"| connections that were welcomed | {outcome.stays:,} |",
        f"| starts of the server | {outcome.epochs:,} |",
        f"| handovers with unsent output | {outcome.carried_unsent:,} |",
        f"| gaps told to members that came back | {outcome.reported_gaps:,} |",
        f"| at rest again after | {outcome.settled_after_s:.1f} s |",
        "",
        "## What was done to it",
        "",
        "| disturbance | times |",
        "| --- | ---: |",
        *(f"| {kind} | {count} |" for kind, count in sorted(outcome.done.items())),
        *(f"| {way} | {count} |" for way, count in sorted(outcome.switches.items())),
        "",
        "## What was checked",
        "",
    ]
    for property in PROPERTIES:
        found = [violation.words for violation in outcome.violations if violation.property == property.__name__]
        summary = (property.__doc__ or "").strip()
        lines.append(f"- {'FAILED' if found else 'holds'}: {summary}")
        lines += [f"  - {words}" for words in found]
    if outcome.violations or outcome.log:
        lines += ["", "## What the server logged", "", "```", *outcome.log.splitlines()[-LOG_LINES:], "```"]
    return "\n".join(lines) + "\n"
