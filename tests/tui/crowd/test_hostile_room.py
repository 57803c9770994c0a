"""The crowd in a hostile room: it ends in time, without a traceback and with a correct report."""

import io
import json
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from random import Random
from selectors import DefaultSelector

import pytest
from rich.console import Console

from protocol.client import ClientConnection
from protocol.messages import MAX_COUNT, ModelSwitched
from tests.pace import is_within
from tests.running import ROOT
from tests.tui.flooding import FLOODS, WELCOME, FloodingServer
from tests.tui.hostile import CONTROLS, lines
from tui.crowd import crowd as crowd_module
from tui.crowd import loop, plot
from tui.crowd.checker import MAX_CACHED_BYTES, MAX_CONFLICTS, MAX_MISSING, SequenceChecker, SharedDecoder
from tui.crowd.crowd import MAX_REASONS, OTHER_REASONS, Crowd, Plan, count_reason
from tui.crowd.loop import MAX_DELAY_S, MemberSocket, Phase, Unreachable
from tui.crowd.measurements import Sample, SwitchMeasurement
from tui.crowd.member import MAX_FOREIGN_LINES, MAX_REASON_CHARACTERS, Member, ProtocolViolation, sanitized
from tui.crowd.operator import DirectionChooser
from tui.crowd.report import Report, as_json, progress_line, summary, switch_table

PLAN = Plan(people=3, seconds=0.3, talk=50.0, key=b"0123456789abcdef")
SEQUENCES = "".join(CONTROLS)
ANSWERS: dict[str, bytes] = {
    "closes at once": b"",
    "garbage": b"\xff\x00\x1b[2J" * 1000,
    "goodbyes": lines({"type": "goodbye", "code": "x", "reason": SEQUENCES * 50}),
    "greets and closes": SEQUENCES.encode() + b"\n",
    "kicks": lines(WELCOME) + lines({"type": "goodbye", "code": "kicked", "reason": SEQUENCES}),
    "absurd numbers": lines({**WELCOME, "seq": MAX_COUNT}) * 3
    + lines({**WELCOME, "seq": 5, "resumed": True, "missed": MAX_COUNT})
    + b'{"type":"said","seq":1e400,"nick":"x","text":"x","at":-1}\n',
    "events before the welcome": lines({"type": "said", "seq": 9, "nick": "x", "text": "x", "at": 0.0})
    + lines({"type": "operator"})
    + lines({"type": "challenge", "nonce": "n", "code": "x", "reason": "x"})
    + lines(WELCOME),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (
        ("REACH_TIMEOUT_S", 0.5),
        ("JOIN_TIMEOUT_S", 0.5),
        ("SETTLE_TIMEOUT_S", 0.3),
        ("LEAVE_TIMEOUT_S", 0.2),
    ):
        monkeypatch.setattr(crowd_module, name, seconds)
    monkeypatch.setattr(loop, "FIRST_DELAY_S", 0.02)


@pytest.fixture
def serve() -> Iterator[type[FloodingServer]]:
    """The FloodingServer class; its servers are closed after the test."""
    opened: list[FloodingServer] = []

    class Served(FloodingServer):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(*arguments, **more)  # type: ignore[arg-type]  # as they came
            opened.append(self)

    yield Served
    for server in opened:
        server.close()


def report_of(server: FloodingServer) -> Report | None:
    """Run a crowd and render its report in each format. Returns None if the room was unreachable."""
    host, _, port = server.address.partition(":")
    crowd = Crowd(host, int(port), PLAN)
    try:
        for progress in crowd.run():
            progress_line(progress)
    except Unreachable as reason:
        words = str(reason)
    else:
        words = ""
    assert "\x1b" not in words
    if words:
        return None
    report = crowd.report()
    assert "\x1b" not in json.dumps(json.loads(as_json(report)), ensure_ascii=False)
    console = Console(file=io.StringIO(), highlight=False)
    console.print(summary(report), switch_table(report))
    return report


@pytest.mark.parametrize("flood", ["lines", "switches", "gaps", "welcomes", "refusals", "presence"])
def test_crowd_in_a_flood_ends_with_a_report(serve: type[FloodingServer], flood: str) -> None:
    began = time.monotonic()
    report = report_of(serve(FLOODS[flood]))
    assert report is not None
    assert is_within(time.monotonic() - began, 5)
    assert report.said == 0 or report.violations or report.absent


@pytest.mark.parametrize("flood", ["nickname taken", "empty lines", "nested", "a line without an end"])
def test_crowd_rejected_by_the_room_is_unreachable(serve: type[FloodingServer], flood: str) -> None:
    assert report_of(serve(FLOODS[flood], welcomes=False)) is None


@pytest.mark.parametrize("answer", ANSWERS)
def test_crowd_with_a_server_that_closes_ends_in_time(serve: type[FloodingServer], answer: str) -> None:
    def make_block(seq: int) -> bytes:
        if seq:
            raise OSError  # Which closes the connection.
        return ANSWERS[answer]

    began = time.monotonic()
    report = report_of(serve(make_block, welcomes=False))
    assert (report is None) == (answer not in ("kicks", "absurd numbers", "events before the welcome"))
    assert is_within(time.monotonic() - began, 5)


def test_crowd_slowly_answered_ends_as_unreachable(serve: type[FloodingServer]) -> None:
    def make_block(seq: int) -> bytes:
        time.sleep(0.1)
        return b"x"

    assert report_of(serve(make_block, welcomes=False)) is None


def test_crowd_command_in_a_flood_obeys_ctrl_c(serve: type[FloodingServer]) -> None:
    """The first interrupt ends the talk, the second one the program."""
    command = [sys.executable, "-m", "tui.crowd", serve(FLOODS["lines"]).address, "--people", "20", "--for", "60"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as popen:
        assert popen.stderr is not None
        assert any("talking" in line for line in popen.stderr)
        began = time.monotonic()
        popen.send_signal(signal.SIGINT)
        assert any("settling" in line for line in popen.stderr)
        assert is_within(time.monotonic() - began, 1)
        began = time.monotonic()
        popen.send_signal(signal.SIGINT)
        assert popen.wait(20) == 130
        assert is_within(time.monotonic() - began, 1)
        assert "Traceback" not in popen.stderr.read()


# Parts


def test_directions_from_an_unknown_model_lead_to_a_known_one() -> None:
    directions = DirectionChooser()
    assert {directions.next("fiber") for _ in range(3)} == {"process", "thread", "event"}


def test_report_of_unknown_models_can_be_drawn(tmp_path: Path) -> None:
    seen = SwitchMeasurement(1.0, "fiber", "<b>&quantum", 0.1, 3)
    console = Console(file=io.StringIO(), width=200)
    report = Report(
        people=1, talk=1.0, seconds=2.0, joined_in=0.1, said=1, refused=0, deliveries=1, p50=0.1, p99=0.1, p999=0.1,
        longest=0.1, reconnects=0, endings={}, absent=0, reported_gaps=0, violations=Crowd("", 0, PLAN).violations(),
        switches=[seen], switches_failed=0, no_operator="", samples=[Sample(0.5, 1, 0.1, 0.1, 0.1)],
    )  # fmt: skip
    console.print(switch_table(report))
    assert "◌ fiber → ◌ <b>&quantum" in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    plot.write(report, tmp_path / "plot.svg")
    assert "fiber" in (tmp_path / "plot.svg").read_text()


def test_wire_with_a_model_of_control_sequences_is_sanitized() -> None:
    from tui.crowd.measurements import SwitchWatch

    watch = SwitchWatch()
    watch.on_switched(ModelSwitched(1, 0.0, "\x1b[2J" * 99, "\x1b[2J", 0.1, 1), 5.0, 0.0)
    watch.tick([], 50.0)
    assert "\x1b" not in watch.done[0].after + watch.done[0].before
    assert len(watch.done[0].after) == 20


def test_order_with_many_gaps_remembers_few_numbers() -> None:
    checker = SequenceChecker()
    for number in range(1, 100):
        checker.see(number * (MAX_MISSING - 1))
    assert checker.lost == 99 * (MAX_MISSING - 1) - 99
    assert len(checker._missing) <= MAX_MISSING
    for _ in range(9):
        checker.gap(MAX_COUNT)
    assert checker.last == MAX_COUNT


def test_wire_with_conflicts_without_an_end_keeps_few() -> None:
    decoder = SharedDecoder()
    for number in range(2000):
        decoder.decode_line(lines({"type": "said", "seq": 1, "nick": "x", "text": f"{number}", "at": 0.0})[:-1])
    assert (len(decoder.conflicts), decoder.conflict_count) == (MAX_CONFLICTS, 1999)


def test_wire_with_huge_lines_keeps_few_bytes() -> None:
    decoder = SharedDecoder()
    for number in range(1, 100):
        decoder.decode_chunk(lines({"type": "said", "seq": number, "nick": "x", "text": "x" * 2**20, "at": 0.0}))
    kept = {id(line): len(line) for line in (*decoder._line_of.values(), *decoder._line_cache, *decoder._chunk_cache)}
    assert sum(kept.values()) <= 3 * MAX_CACHED_BYTES + 3 * 2**20


def member() -> Member:
    member = Member(0, ClientConnection("ada", lambda: "id"), SharedDecoder(), is_checking=False)
    member.connected()
    return member


@pytest.mark.parametrize(
    "data", [b"x" * 2**20, b"\n" * (MAX_FOREIGN_LINES + 1), b'{"type":"said","text":"' + b"x" * 2**20]
)
def test_member_of_no_room_says_so(data: bytes) -> None:
    one = member()
    reads = [data] * 9
    with pytest.raises(ProtocolViolation):
        deque((one.receive(read, 0.0, lambda now, seconds: None) for read in reads), maxlen=0)
    one.disconnected()
    assert one._decoder.partial_bytes == 0


def test_seat_sent_away_at_once_waits_longer_each_time() -> None:
    with DefaultSelector() as selector:
        one = MemberSocket(member(), selector)
        waits = []
        for _ in range(12):
            one.phase = Phase.HERE
            one._here_since = time.monotonic()
            one.end("kicked")
            waits.append(max(one.wait(Random(chance)) for chance in range(50)))
        assert waits == sorted(waits)
        assert waits[-1] > MAX_DELAY_S / 2
        one.phase, one._here_since = Phase.HERE, time.monotonic() - loop.STABLE_AFTER_S - 1
        one.end("kicked")
        assert one.attempts == 1


def test_sanitized_keeps_no_control_sequence_and_is_short() -> None:
    assert sanitized("\x1b[2Jbye\n\u202e") == "␛[2Jbye␤"
    assert len(sanitized("x" * 10**6)) == MAX_REASON_CHARACTERS


def test_count_reason_of_many_different_ones_is_bounded() -> None:
    reasons: Counter[str] = Counter()
    for number in range(1000):
        count_reason(reasons, f"reason {number}")
        count_reason(reasons, "reason 0")
    assert len(reasons) == MAX_REASONS + 1
    assert reasons["reason 0"] == 1001
    assert reasons[OTHER_REASONS] == 1000 - MAX_REASONS
