"""The command chat-crowd: parses the options, runs a crowd, and prints its report.

Exit codes: 0 if all is well; 1 if anything was lost, doubled or out of order, or a member was not in the room at the
end; 2 for wrong usage; 69 (EX_UNAVAILABLE of sysexits.h) if no room could be reached; 130 if Ctrl-C ended it before
there was anything to report.
"""

import resource
import signal
import sys
from pathlib import Path
from secrets import randbelow
from time import monotonic
from types import FrameType

import click
from rich.console import Console
from rich.live import Live

from protocol.files import MAX_KEY_FILE_BYTES, KeyRefused, parse_key
from three_chat_rooms import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_UNREACHABLE
from tui.address import Address, AddressRefused
from tui.crowd.crowd import Crowd, Plan
from tui.crowd.loop import Unreachable
from tui.crowd.report import Progress, Report, as_json, progress_line, summary, switch_table
from tui.files import read_key_file

SPARE_DESCRIPTORS = 64
"""File descriptors reserved for other purposes than the members' sockets."""
PROGRESS_INTERVAL_S = 10.0
"""Interval of the progress lines without a terminal."""


def _parse_address(ctx: click.Context, param: click.Parameter, written: str) -> Address:
    try:
        return Address.parse(written)
    except AddressRefused as refused:
        raise click.BadParameter(str(refused)) from None


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("address", callback=_parse_address, metavar="HOST[:PORT]")
@click.option("--people", type=click.IntRange(1, 50_000), default=100, show_default=True, help="Members of the crowd.")
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds to talk, once everybody is in; 0 talks until Ctrl-C.",
)
@click.option(
    "--talk",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Lines a second, of the whole crowd together.",
)
@click.option(
    "--check",
    "checks",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Members that check everything, their roster too. The others check the order of events only, and cost little.",
)
@click.option(
    "--switch-every",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Switch the model every so often, in all six directions. Needs the operator's key.",
)
@click.option(
    "--operator-key-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The file with the operator's key; - reads it from standard input.",
)
@click.option("--json", "json", is_flag=True, help="Write the report as JSON to standard output, without tables.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw latency over time, with the switches marked, into this file (.svg or .png).",
)
@click.option(
    "--door",
    type=click.Choice(("tcp", "web", "mixed")),
    default="tcp",
    show_default=True,
    help="How the members come: as programs do, as browsers do (in a WebSocket), or in turn.",
)
@click.option(
    "--seed",
    default=lambda: randbelow(10**9),
    show_default="a random number",
    help="The same number repeats all lines and their times.",
)
def main(
    address: Address,
    people: int,
    seconds: float,
    talk: float,
    checks: int,
    switch_every: float | None,
    operator_key_file: Path | None,
    json: bool,
    plot: Path | None,
    door: str,
    seed: int,
) -> None:
    """Fill the room at HOST[:PORT] with a crowd that talks, and check that each member gets each line.

    Exits with 1 if anything was lost, doubled or out of order, or a member was not in the room at the end, and with 69
    if the room could not be reached. Ctrl-C ends the talk, and the report follows; a second Ctrl-C ends all at once,
    with 130.
    """
    if switch_every and operator_key_file is None:
        raise click.UsageError("--switch-every needs --operator-key-file: only an operator can switch the model")
    if plot is not None:
        _check_plot(plot)
    _allow_files(people)
    key = _read_key(operator_key_file) if operator_key_file else b""
    plan = Plan(people, seconds, talk, checks, switch_every or 0.0, key, seed, door)
    crowd = Crowd(address.host, address.port, plan)
    _listen_for_interrupts(crowd)
    screen = Console(stderr=True)
    try:
        _run(crowd, screen)
    except Unreachable as reason:
        if crowd.interrupted:
            sys.exit(EXIT_INTERRUPTED)
        click.echo(f"chat-crowd: could not get into the room at {address}: {reason}", err=True)
        sys.exit(EXIT_UNREACHABLE)
    report = crowd.report()
    if json:
        click.echo(as_json(report))
    else:
        _print_report(report)
    _print_faults(report, screen, bool(switch_every))
    if plot is not None:
        _draw(report, plot)
    sys.exit(EXIT_FAILURE if report.violations or report.absent else 0)


def _listen_for_interrupts(crowd: Crowd) -> None:
    """The first interrupt ends the talk, the second one the program."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if crowd.interrupted:
            sys.exit(EXIT_INTERRUPTED)
        crowd.interrupt()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _check_plot(path: Path) -> None:
    from tui.crowd.plot import CannotDraw, check  # They load leather: only for a plot.

    try:
        check(path)
    except CannotDraw as reason:
        raise click.UsageError(str(reason)) from None
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"there is no folder {path.absolute().parent} to draw {path.name} in")


def _read_key(path: Path) -> bytes:
    """The key without surrounding white space."""
    try:
        if str(path) == "-":
            return parse_key(sys.stdin.buffer.read(MAX_KEY_FILE_BYTES + 1), "operator's key on standard input")
        return read_key_file(path)
    except KeyRefused as refused:
        raise click.UsageError(str(refused)) from None


def _allow_files(people: int) -> None:
    """Raise the limit of open files, since each member needs a file descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = people + SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise click.UsageError(f"the system allows {hard} open files (ulimit -Hn), and {people} members need {wanted}")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError) as error:  # macOS reports "unlimited" and allows less.
        raise click.UsageError(f"the system does not allow {wanted} open files: {error}") from None


def _run(crowd: Crowd, screen: Console) -> None:
    """Run the crowd. Progress is one live line on a terminal, and otherwise a line at intervals."""
    if screen.is_terminal:
        with Live(console=screen, auto_refresh=False, transient=True) as live:
            for progress in crowd.run():
                live.update(progress_line(progress), refresh=True)
        return
    printed_at, phase = 0.0, ""
    for progress in crowd.run():
        if progress.phase != phase or monotonic() >= printed_at + PROGRESS_INTERVAL_S:
            printed_at, phase = monotonic(), progress.phase
            _print_progress(progress)


def _print_progress(progress: Progress) -> None:
    click.echo(progress_line(progress).plain.rstrip(), err=True)


def _print_report(report: Report) -> None:
    console = Console(highlight=False)
    console.print(summary(report))
    if report.switches:
        console.print()
        console.print(switch_table(report))


def _print_faults(report: Report, screen: Console, wanted_switches: bool) -> None:
    """Print faults and warnings in words."""
    for words in report.violations.wrong[:10]:
        screen.print(f"wrong: {words}", style="red", markup=False, highlight=False)
    for reason, count in report.endings.items():
        ended = "1 connection" if count == 1 else f"{count} connections"
        screen.print(f"{ended} ended: {reason}", style="yellow", markup=False, highlight=False)
    if report.absent:
        were = "member was" if report.people == 1 else "members were"
        words = f"{report.absent} of {report.people} {were} not in the room at the end"
        screen.print(words, style="red", highlight=False)
    if report.no_operator:
        screen.print(f"no operator: {report.no_operator}", style="yellow", markup=False, highlight=False)
    elif wanted_switches and not report.switches:
        screen.print("no switch happened", style="yellow")


def _draw(report: Report, path: Path) -> None:
    from tui.crowd.plot import CannotDraw, write

    try:
        write(report, path)
    except (CannotDraw, OSError) as error:
        click.echo(f"chat-crowd: no plot: {error}", err=True)


if __name__ == "__main__":
    main()
