"""The log file of the hosted server."""

import os
import stat
from pathlib import Path

import pytest

from tui.hosting.log_file import LogFile
from tui.hosting.server_process import CannotHost


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
