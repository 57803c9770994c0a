"""Fixtures for all tests: an environment without the settings of the caller, and no process left behind."""

import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests.pace import allowed

ROOT = Path(__file__).parent.parent
SWAYS_OUR_PROGRAMS = ("CHAT_", "TEXTUAL", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH", "PYTHONHOME")
SNAPSHOT_REPORT = "TEXTUAL_SNAPSHOT_TEMPDIR"
"""The folder in which pytest-textual-snapshot gathers its report, for its workers."""
TEST_TIMEOUT_S = allowed(120)
"""Far longer than any wait in a test: a wait in vain fails with its own message first."""
os.environ.setdefault("PYTEST_TIMEOUT", f"{TEST_TIMEOUT_S:.0f}")
MARK, RUN = "THREE_CHAT_ROOMS_TESTS", uuid.uuid4().hex

# The time of one example is no criterion on a machine that runs other programs too.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs` if a program that it names is not on PATH."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def callers_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of the caller. The tests run without its options and configuration."""
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        for name in before:
            if name.startswith(SWAYS_OUR_PROGRAMS) and name != SNAPSHOT_REPORT:
                patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("CHAT_TUI_NO_SSH", "1")  # A test of the ssh door asks for it: another process in each hosted room.
        patch.setenv(MARK, RUN)
        yield before


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> None:
    """Reset SIGINT: a shell makes its background jobs ignore it, and our programs would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def nothing_left_running(callers_environment: dict[str, str]) -> Iterator[None]:
    """Fail if a process outlives the tests. A mark in its environment finds it even without its parent."""
    yield
    _, alive = psutil.wait_procs(started_by_us(), timeout=allowed(20))
    told = []
    for process in alive:
        try:
            told.append(f"{process.pid} {process.status()} {process.cmdline()}")
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=allowed(20))
    assert not told, f"left running: {told}"


def started_by_us() -> list[psutil.Process]:
    found = set(psutil.Process().children(recursive=True))
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == RUN:
                found.add(process)
        except (psutil.Error, OSError):  # another user's, or gone meanwhile
            continue
    return sorted(found, key=lambda process: process.pid)
