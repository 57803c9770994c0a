"""chat-crowd against real servers: correct ones and one that loses lines. With its exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checker.host import KEY, Host
from tests.pace import allowed, is_within
from tests.peers import RichPeer
from tests.running import MISSING, PATIENCE, ROOT
from three_chat_rooms import EXIT_UNREACHABLE

CROWD = [sys.executable, "-m", "tui.crowd.cli"]
IMPATIENT = [
    sys.executable,
    "-c",
    "from tui.crowd import cli, crowd; crowd.SETTLE_WITHIN = 1.0; cli.main()",
]
"""The same, but it does not wait long for members that are away."""


@pytest.fixture
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Host]:
    """A server with the fault that the fixture's parameter names."""
    host = Host(tmp_path, "event", "--rate-limit", "off", mutant=getattr(request, "param", ""))
    host.start()
    yield host
    host.close()


def crowd(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CROWD, *options], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


def begun(host: Host, *options: str, command: list[str] = CROWD) -> subprocess.Popen[str]:
    """A running crowd."""
    command = [*command, f"127.0.0.1:{host.port}", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_of(popen: subprocess.Popen[str], phase: str) -> None:
    """Wait until it reports this phase."""
    assert popen.stderr is not None
    for line in popen.stderr:
        if phase in line:
            return
    raise AssertionError(f"it ended before {phase}")


def test_a_crowd_talks_and_nothing_is_lost(host: Host) -> None:
    told = crowd(f"127.0.0.1:{host.port}", "--people", "40", "--for", "2", "--talk", "30", "--json")

    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["deliveries"] > 20 * 40
    assert report["deliveries"] <= report["said"] * 40
    assert 0 < report["p50"] <= report["p99"] <= report["p999"] <= report["longest"]
    assert is_within(report["longest"], 5)
    assert (report["reconnects"], report["absent"], report["switches"]) == (0, 0, [])
    assert "joining" in told.stderr


@pytest.mark.parametrize("door", ["web", "mixed"])
def test_a_crowd_comes_as_browsers_do(host: Host, door: str) -> None:
    """All members get the same events, as checking members compare them."""
    told = crowd(
        f"127.0.0.1:{host.port}",
        "--people",
        "20",
        "--check",
        "20",
        "--for",
        "2",
        "--talk",
        "50",
        "--door",
        door,
        "--json",
    )
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    # Members leave at the end, some before the last lines.
    assert 20 * 20 < report["deliveries"] <= report["said"] * 20
    assert not any(report["violations"].values())
    assert (report["reconnects"], report["absent"]) == (0, 0)


@pytest.mark.parametrize("host", ["dropped_line"], indirect=True)
def test_a_lost_line_makes_browsers_fail(host: Host) -> None:
    told = crowd(f"127.0.0.1:{host.port}", "--people", "20", "--for", "2", "--talk", "50", "--door", "web", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["violations"]["lost"] > 0


def test_a_room_without_browsers_is_unreachable_for_them(tmp_path: Path) -> None:
    host = Host(tmp_path, "event", "--no-web")
    host.start()
    try:
        told = crowd(f"127.0.0.1:{host.port}", "--people", "2", "--for", "1", "--door", "web")
    finally:
        host.close()
    assert told.returncode == EXIT_UNREACHABLE
    assert "it opened no WebSocket: HTTP/1.1 400 Bad Request" in told.stderr


def test_a_rehearsal_switches_the_models_and_plots_them(host: Host, tmp_path: Path) -> None:
    key, plot = tmp_path / "operator", tmp_path / "plot.svg"
    key.write_text(f"  {KEY}\n")
    key.chmod(0o600)

    told = crowd(
        f"127.0.0.1:{host.port}", "--people", "20", "--for", "8", "--talk", "50", "--switch-every", "2.5",
        "--operator-key-file", str(key), "--plot", str(plot),
    )  # fmt: skip

    assert told.returncode == 0, told.stderr
    assert told.stdout.count("→") >= 1  # Two switches, if each takes less than a second.
    assert "deliveries a second" in told.stdout
    assert "▣ process" in plot.read_text()


def test_crowd_with_the_key_gets_into_a_locked_room(host: Host, tmp_path: Path) -> None:
    key = tmp_path / "operator"
    key.write_text(KEY)
    key.chmod(0o600)
    boss = RichPeer(host.address)
    boss.hello("boss")
    boss.prove(KEY)
    boss.command("lock")
    boss.expect("rules")

    told = crowd(f"127.0.0.1:{host.port}", "--people", "1", "--for", "0.5", "--operator-key-file", str(key), "--json")

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["no_operator"] == ""
    boss.close()


@pytest.mark.parametrize("host", ["dropped_line"], indirect=True)
def test_crowd_that_lost_a_line_exits_with_1(host: Host) -> None:
    told = crowd(f"127.0.0.1:{host.port}", "--people", "20", "--for", "2", "--talk", "30", "--json")

    assert told.returncode == 1
    assert json.loads(told.stdout)["violations"]["lost"] > 0


def test_members_come_back_when_the_server_does(host: Host) -> None:
    with begun(host, "--people", "20", "--for", "5", "--talk", "20", "--json") as popen:
        told_of(popen, "talking")
        host.end(signal.SIGKILL)
        host.start()
        told, errors = popen.communicate(timeout=PATIENCE)

    report = json.loads(told)
    assert popen.returncode == 0, (report["violations"], errors)
    assert report["reconnects"] == 20
    assert report["absent"] == 0


def test_crowd_without_a_server_at_the_end_exits_with_1(host: Host) -> None:
    with begun(host, "--people", "5", "--for", "1", "--talk", "20", "--json", command=IMPATIENT) as popen:
        told_of(popen, "talking")
        host.end(signal.SIGKILL)
        told, errors = popen.communicate(timeout=PATIENCE)

    assert popen.returncode == 1
    assert json.loads(told)["absent"] == 5
    assert "5 of 5 members were not in the room at the end" in errors


def test_new_rules_in_a_rehearsal_are_no_loss(host: Host) -> None:
    boss = RichPeer(host.address)
    with begun(host, "--people", "10", "--for", "2", "--talk", "20", "--json") as popen:
        told_of(popen, "talking")
        boss.hello("boss")
        boss.prove(KEY)
        for type, fields in (("pin", {"text": "hello"}), ("lock", {}), ("quiet", {}), ("slow", {"seconds": 1})):
            boss.command(type, **fields)
            boss.expect("rules")
        told, errors = popen.communicate(timeout=PATIENCE)
    boss.close()

    report = json.loads(told)
    assert popen.returncode == 0, (report["violations"], errors)
    assert not report["violations"]["lost"]


def test_crowd_requests_no_switch_too_late_to_measure(host: Host, tmp_path: Path) -> None:
    (tmp_path / "operator").write_text(KEY)
    (tmp_path / "operator").chmod(0o600)

    told = crowd(
        f"127.0.0.1:{host.port}", "--people", "5", "--for", "3", "--talk", "20", "--switch-every", "2", "--json",
        "--operator-key-file", str(tmp_path / "operator"),
    )  # fmt: skip

    assert json.loads(told.stdout)["switches"] == []


def test_interrupt_ends_the_talk_and_prints_the_report(host: Host) -> None:
    with begun(host, "--people", "5", "--for", "0", "--talk", "20", "--json") as popen:
        told_of(popen, "talking")
        popen.send_signal(signal.SIGINT)
        told, _ = popen.communicate(timeout=PATIENCE)

    assert popen.returncode == 0
    assert json.loads(told)["people"] == 5


def test_second_interrupt_ends_the_crowd_at_once(host: Host) -> None:
    with begun(host, "--people", "5", "--for", "0", "--talk", "20") as popen:
        told_of(popen, "talking")
        host.pause()  # The server does not answer, so the crowd would wait.
        popen.send_signal(signal.SIGINT)
        told_of(popen, "settling")
        popen.send_signal(signal.SIGINT)
        try:
            assert popen.wait(allowed(3)) == 130
        finally:
            host.go_on()


def test_an_interrupt_before_anybody_is_in_is_an_interrupt(host: Host) -> None:
    host.pause()
    try:
        with begun(host, "--people", "5") as popen:
            told_of(popen, "joining")
            popen.send_signal(signal.SIGINT)
            _, errors = popen.communicate(timeout=PATIENCE)
    finally:
        host.go_on()

    assert popen.returncode == 130
    assert "could not get into" not in errors


def test_on_a_terminal_progress_is_drawn(host: Host) -> None:
    ours, theirs = pty.openpty()
    popen = subprocess.Popen(
        [*CROWD, f"127.0.0.1:{host.port}", "--people", "5", "--for", "1", "--talk", "20"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    drawn = b""
    try:
        while data := os.read(ours, 1 << 16):
            drawn += data
    except OSError:  # Linux: the other side of the terminal is closed.
        pass
    os.close(ours)

    assert popen.wait(PATIENCE) == 0
    assert drawn.count(b"talking") > 2
    assert b"\x1b[" in drawn


def test_crowd_without_a_room_is_unavailable() -> None:
    told = crowd("127.0.0.1:1", "--people", "3", "--for", "1")

    assert told.returncode == 69
    assert "could not get into the room at 127.0.0.1:1: Connection refused" in told.stderr


def test_crowd_unknown_name_is_unavailable() -> None:
    told = crowd("no-such-host.invalid", "--for", "1")

    assert told.returncode == 69
    assert "no-such-host.invalid" in told.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["host:x"], "is no port"),
        (["host", "--people", "0"], "--people"),
        (["host", "--switch-every", "2"], "needs --operator-key-file"),
        (["host", "--operator-key-file", MISSING], f"{MISSING} cannot be read: No such"),
        (["host", "--operator-key-file", os.devnull], "/dev/null is not a regular file"),
        (["host", "--operator-key-file", "-"], "the operator's key on standard input is empty"),
        (["host", "--plot", "plot.jpeg"], "neither in .svg nor in .png"),
        (["host", "--plot", f"{MISSING}/plot.svg"], "there is no folder"),
        ([], "Missing argument"),
    ],
)
def test_bad_usage_is_reported_in_a_sentence(options: list[str], words: str) -> None:
    told = crowd(*options)

    assert told.returncode == 2
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_wrong_key_is_reported(host: Host, tmp_path: Path) -> None:
    key = tmp_path / "operator"
    key.write_text("another key, as long")
    key.chmod(0o600)

    told = crowd(
        f"127.0.0.1:{host.port}",
        "--people",
        "3",
        "--for",
        "2",
        "--switch-every",
        "0.5",
        "--operator-key-file",
        str(key),
    )

    assert told.returncode == 0
    assert "no operator: that proof is wrong" in told.stderr
