"""The clients read the operator's key from a file."""

import os
from pathlib import Path

import pytest

from protocol.files import KeyRefused
from tui.console.console import read_key
from tui.files import read_key_file

KEY = b"the key of the tests"


def test_read_key_file_of_ones_own_returns_the_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b" " + KEY + b"\n")
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    assert read_key_file(path) == read_key_file(tmp_path / "link") == KEY


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "cannot be read: No such file"),
        ("open", "is open to others; close it with: chmod 600"),
        ("fifo", "is not a regular file"),
        ("folder", "is not a regular file"),
        ("short", "holds fewer than 16 characters"),
    ],
)
def test_read_key_file_that_will_not_do_is_refused(tmp_path: Path, kind: str, told: str) -> None:
    """A pipe without a writer is refused at once, too. The console is then no operator."""
    path = tmp_path / "key"
    match kind:
        case "open" | "short":
            path.write_bytes(KEY if kind == "open" else b"sesame")
            path.chmod(0o640 if kind == "open" else 0o600)
        case "fifo":
            os.mkfifo(path, 0o600)
        case "folder":
            path.mkdir(0o700)
    with pytest.raises(KeyRefused, match=told):
        read_key_file(path)
    assert read_key(path) == b""
