"""A fork server for this test only."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from server.models.support.process import fork_server_handle
from server.models.support.process.fork_server_handle import ForkServer
from tests.peers import wait_until


@pytest.fixture
def forkserver() -> Iterator[ForkServer]:
    started = ForkServer()
    yield started
    wait_until(started.has_ended, "it has ended")


def test_fork_server_after_its_warm_up_keeps_nothing_of_it(forkserver: ForkServer) -> None:
    process = psutil.Process(forkserver._process.pid)
    assert process.children() == []
    assert process.num_fds() == 4, "standard input, output and errors, and the way to the master"


def test_it_ends_when_it_is_needed_no_more() -> None:
    forkserver = ForkServer()
    process = psutil.Process(forkserver._process.pid)
    wait_until(forkserver.has_ended, "it has ended")
    assert not process.is_running()


def test_fork_server_imports_nothing_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("server", "heapq", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is not ours')")
    monkeypatch.chdir(tmp_path)
    wait_until(ForkServer().has_ended, "it has ended")


def kill_as_they_start(monkeypatch: pytest.MonkeyPatch, count: int) -> list[int]:
    """Kill the next `count` fork servers before they are ready. Returns the pids of all fork servers, as they start."""
    started: list[int] = []

    class Struck(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]  # Handed on as they came.
            started.append(self.pid)
            if len(started) <= count:
                self.kill()

    monkeypatch.setattr(fork_server_handle.subprocess, "Popen", Struck)
    return started


def test_fork_server_killed_during_its_start_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    started = kill_as_they_start(monkeypatch, 1)
    forkserver = ForkServer()
    assert [psutil.pid_exists(pid) for pid in started] == [False, True]
    wait_until(forkserver.has_ended, "it has ended")


def test_there_is_no_third(monkeypatch: pytest.MonkeyPatch) -> None:
    started = kill_as_they_start(monkeypatch, 3)
    with pytest.raises(OSError, match="gone or stuck"):
        ForkServer()
    assert len(started) == 2


def test_fork_on_a_machine_that_is_too_slow_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    forkserver = ForkServer()
    monkeypatch.setattr(fork_server_handle, "ANSWER_TIMEOUT", 1e-9)
    peer, ours = socket.socketpair()
    pid, channel = forkserver.fork(ours.fileno())
    assert psutil.pid_exists(pid)
    for one in (peer, ours, channel):
        one.close()
    wait_until(forkserver.has_ended, "it has ended")
