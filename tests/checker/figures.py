"""Figures: what happens when you switch, measured, as a table for the README.

    python -m tests.checker.figures [--runs 20] [--people 1000] [--talk 100] [--plot FILE.svg]

Each run fills a room by chat-crowd and switches it in all six directions while the crowd talks. Then fifty switches in
a row, and what the server takes before and after. The crowd runs on the same machine as the server, and takes its share
of it. Nothing else should run meanwhile.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

import click
from msgspec import Struct

from tests.running import OPERATOR_KEY, Facts, Server, start, wait_until

PAUSE_LIMITS = {"event": 0.25, "thread": 0.25, "process": 1.5}
"""Seconds that a switch into this model may pause deliveries of a thousand connections."""
LEAK_LIMIT = 0.10
BETWEEN = 4.0
"""Seconds between two switches: what a switch delays has come by then."""
SIGNS = {"process": "▣", "thread": "≋", "event": "↻"}


class Direction(Struct):
    """One of the six directions, over all runs. Seconds, and counts."""

    pauses: list[float] = []
    took: list[float] = []
    dropped: int = 0


class Total(Struct):
    """All runs together."""

    runs: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    reconnects: int = 0
    deliveries: int = 0
    failed: int = 0


@click.command(context_settings={"show_default": True})
@click.option("--runs", default=20, help="Runs of six switches.")
@click.option("--people", default=1000, help="Connections.")
@click.option("--talk", default=100.0, help="Lines a second, all together.")
@click.option("--switches", default=50, help="Switches in a row, for what may leak.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="The last run, over time (.svg or .png).")
def main(runs: int, people: int, talk: float, switches: int, plot: Path | None) -> None:
    """Measure, and print tables in Markdown."""
    directions: defaultdict[tuple[str, str], Direction] = defaultdict(Direction)
    total = Total()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(runs):
            server = start("event", folder, "--rate-limit", "10/2")
            try:
                report = run_crowd(server, people, talk, plot if number == runs - 1 else None)
            finally:
                server.close()
            count(report, directions, total)
            click.echo(f"run {number + 1}: {told(report)}", err=True)
        if runs:
            click.echo(switch_table(directions, total, people, talk))
        if switches:
            click.echo(leak_table(*measure_leaks(folder, people, switches), switches))


def run_crowd(server: Server, people: int, talk: float, plot: Path | None, seconds: float = 9 * BETWEEN) -> dict:  # type: ignore[type-arg]
    """One crowd's report."""
    command = [sys.executable, "-m", "tui.crowd.cli", f"127.0.0.1:{server.address[1]}", "--json"]
    command += ["--people", str(people), "--talk", str(talk), "--for", str(seconds), "--switch-every", str(BETWEEN)]
    command += ["--operator-key-file", "-", *(["--plot", str(plot)] if plot else [])]
    done = subprocess.run(command, input=OPERATOR_KEY, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def count(report: dict, directions: dict[tuple[str, str], Direction], total: Total) -> None:  # type: ignore[type-arg]
    """Add a run."""
    for switch in report["switches"]:
        direction = directions[switch["before"], switch["after"]]
        direction.pauses.append(switch["pause"])
        direction.took.append(switch["took"])
        direction.dropped += switch["dropped"]
    total.runs += 1
    total.lost += report["violations"]["lost"]
    total.doubled += report["violations"]["doubled"]
    total.out_of_order += report["violations"]["out_of_order"]
    total.reconnects += report["reconnects"]
    total.deliveries += report["deliveries"]
    total.failed += report["switches_failed"]


def told(report: dict) -> str:  # type: ignore[type-arg]
    """A run in a line."""
    pauses = ", ".join(f"{SIGNS[s['before']]}→{SIGNS[s['after']]} {s['pause'] * 1000:.0f}" for s in report["switches"])
    violations = {name: value for name, value in report["violations"].items() if value}
    return f"pauses in ms: {pauses}; {report['reconnects']} reconnects; {violations or 'nothing lost'}"


def switch_table(directions: dict[tuple[str, str], Direction], total: Total, people: int, talk: float) -> str:
    """The table of pauses."""
    lines = [
        f"{people:,} connections, {talk:g} lines a second, {total.runs} runs of six switches, {total.deliveries:,} "
        f"deliveries: {total.reconnects} connections dropped, {total.lost} lines lost, {total.doubled} doubled, "
        f"{total.out_of_order} out of order, {total.failed} switches failed.",
        "",
        "| switch | longest pause: median run | worst run | may be | all of it took |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for (before, after), direction in sorted(directions.items(), key=lambda item: item[0][1]):
        way = f"{SIGNS[before]} {before} → {SIGNS[after]} {after}"
        worst, limit = max(direction.pauses), PAUSE_LIMITS[after]
        lines.append(
            f"| {way} | {ms(median(direction.pauses))} | {ms(worst)}{' **over**' if worst > limit else ''} | "
            f"{ms(limit)} | {ms(median(direction.took))} |"
        )
    return "\n".join(lines) + "\n"


def measure_leaks(folder: Path, people: int, switches: int) -> tuple[Facts, Facts]:
    """What a server with so many connections takes before and after so many switches, in the event model each time."""
    server = start("event", folder, "--rate-limit", "off")
    try:
        for number in range(people - 1):
            server.rich(f"m{number}")
        operator = server.operator()
        operator.expect_presence(joined=["boss"])
        before = server.facts()
        order = ["process", "thread", "event", "thread", "process", "event"]
        for number in range(switches):
            left = switches - number
            operator.switch(order[number % 6] if left > 1 else "event")
        wait_until(lambda: not server.children(), "no worker is left")
        return before, server.facts()
    finally:
        server.close()


def leak_table(before: Facts, after: Facts, switches: int) -> str:
    """The table of what may leak."""
    lines = [f"| | before | after {switches} switches | |", "| --- | ---: | ---: | ---: |"]
    for name in Facts._fields:
        first, last = getattr(before, name), getattr(after, name)
        change = (last - first) / first if first else float(last)
        over = " **over**" if abs(change) > LEAK_LIMIT else ""
        shown = [f"{value / 2**20:.1f} MiB" if name == "memory" else f"{value:,}" for value in (first, last)]
        lines.append(
            f"| {'file descriptors' if name == 'fds' else name} | {shown[0]} | {shown[1]} | {change:+.1%}{over} |"
        )
    return "\n".join(lines) + "\n"


def ms(seconds: float) -> str:
    """Milliseconds."""
    return f"{seconds * 1000:,.0f} ms"


if __name__ == "__main__":
    main()
