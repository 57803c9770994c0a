import os
import stat
from pathlib import Path

import asyncssh
import pytest

from tests.running import MISSING
from tui.ssh import host_key
from tui.ssh.host_key import HostKeyRefused, default_file, fingerprint, load_or_make


def test_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "key"
    key = load_or_make(path)
    assert key.get_algorithm() == "ssh-ed25519"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    again = load_or_make(path)
    assert fingerprint(again) == fingerprint(key)
    assert fingerprint(key).startswith("SHA256:")


def test_key_that_another_server_makes_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    host_key._make(path)
    theirs = path.read_bytes()
    host_key._make(path)
    assert path.read_bytes() == theirs
    assert list(tmp_path.iterdir()) == [path]


def test_key_of_another_kind_is_used(tmp_path: Path) -> None:
    path = tmp_path / "key"
    asyncssh.generate_private_key("ecdsa-sha2-nistp256").write_private_key(path)
    path.chmod(0o600)
    assert load_or_make(path).get_algorithm() == "ecdsa-sha2-nistp256"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_or_make(path)
    path.chmod(mode)
    with pytest.raises(HostKeyRefused, match=f"is open to others; chmod 600 {path}"):
        load_or_make(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"rubbish", "cannot be used: Invalid"), (b"\xff" * 100_000, "cannot be used: Invalid")],
)
def test_file_without_a_key_is_refused_and_kept(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(HostKeyRefused, match=reason):
        load_or_make(path)
    assert path.read_bytes() == content


def test_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key("pkcs8-pem", passphrase="x"))
    path.chmod(0o600)
    with pytest.raises(HostKeyRefused, match="cannot be used: Passphrase must be specified"):
        load_or_make(path)


def test_key_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRefused, match=f"{tmp_path} cannot be used: Is a directory"):
        load_or_make(tmp_path)


def test_key_that_is_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(HostKeyRefused, match="is not a regular file"):
        load_or_make(tmp_path / "pipe")


def test_key_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostKeyRefused, match="cannot be used: Not a directory"):
        load_or_make(tmp_path / "file" / "key")


def test_default_file_is_in_the_folder_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", MISSING)
    assert default_file() == Path(MISSING) / "chat-server" / "ssh_host_ed25519_key"


def test_default_file_without_a_home_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(name: str) -> Path:
        raise RuntimeError

    monkeypatch.setattr(host_key, "user_data_path", no_home)
    with pytest.raises(HostKeyRefused, match="--ssh-host-key FILE"):
        default_file()
