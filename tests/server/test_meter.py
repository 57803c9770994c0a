import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from server.meter import CPU_INTERVAL_S, Meter


@pytest.fixture
def worker() -> Iterator[int]:
    """The pid of a process that waits."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_processor_time_asked_again_at_once_is_the_same() -> None:
    meter = Meter()
    meter([0])
    began = time.monotonic()
    burn(CPU_INTERVAL_S + 0.1)
    first = meter([0]).cpu
    passed = time.monotonic() - began
    assert first > (CPU_INTERVAL_S + 0.1) / passed * 0.7
    assert meter([0]).cpu == first


def test_processor_time_is_since_the_last_measurement() -> None:
    meter = Meter()
    meter([0])
    burn(CPU_INTERVAL_S + 0.05)
    busy = meter([0]).cpu
    time.sleep(CPU_INTERVAL_S + 0.05)  # Idle: that is what is measured.
    assert meter([0]).cpu < busy / 4


def test_meter_without_proc_stat_measures_all_processes(worker: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """ProcSubset=pid of systemd: /proc has the processes only."""

    def no_proc_stat(self: psutil.Process) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/proc/stat")

    monkeypatch.setattr(psutil.Process, "parent", no_proc_stat)
    cost = Meter()([worker])
    assert cost.processes == 3
    assert cost.memory > cost.memory_each > 0


def test_meter_without_proc_counts_processes_and_knows_no_memory(
    worker: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_proc(*_: object) -> None:
        raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(psutil, "Process", no_proc)
    meter = Meter()
    assert "as /proc cannot be read" in caplog.text
    assert (meter([0, 0]).processes, meter([0]).memory) == (1, 0)
    cost = meter([worker] * 3)
    assert (cost.processes, cost.memory, cost.memory_each) == (5, 0, 0)


def test_meter_that_fails_under_another_model_repeats_no_memory(worker: int, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter()
    measured = meter([0])

    def fails(self: psutil.Process) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(psutil.Process, "memory_full_info", fails)
    assert meter([0]).memory == measured.memory > 0
    assert meter([worker]).memory == 0
