"""A process that hosts a server reaps orphans as the first process of a container. The log file of the hosted server is
private.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import PATIENCE
from tui.hosting.server_process import CannotHost, LogFile

REAPS = """
import os, time
from tui.hosting.server_process import reap_orphans
own, orphan = (os.spawnv(os.P_NOWAIT, "/bin/sh", ["sh", "-c", f"exit {code}"]) for code in (7, 0))
os.waitid(os.P_PID, own, os.WEXITED | os.WNOWAIT)
reap_orphans(own)
print(os.waitstatus_to_exitcode(os.waitpid(own, 0)[1]))
reap_orphans(own)
while True:
    try:
        os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        break
    reap_orphans(own)
print("reaped")
"""


def test_reap_orphans_leaves_own_child_and_reaps_the_others(root: Path) -> None:
    """Runs in a separate process, because it reaps all children."""
    done = subprocess.run([sys.executable, "-c", REAPS], cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("7\nreaped\n", "")


def test_log_file_is_private_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "room.log"
    path.write_text("before\n")
    path.chmod(0o644)
    LogFile(path).add("after")
    assert path.read_text() == "before\nafter\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_log_file_refuses_a_fifo_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with pytest.raises(CannotHost, match="it is not a regular file"):
        LogFile(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(CannotHost, match="it is not a regular file"):
            LogFile(path)
    finally:
        os.close(reader)


def test_log_file_refuses_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(CannotHost, match="it is a symbolic link"):
        LogFile(tmp_path / "link")
    assert not target.exists()


def test_log_file_refuses_a_file_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(CannotHost, match="it belongs to another user"):
        LogFile(tmp_path / "room.log")
