"""The files of the server, and files that are none."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server import files
from server.files import SLOT_BYTES, SlotFile
from server.settings import SettingRefused, Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "chat-server"


# The settings


def test_without_a_file_the_defaults_hold(folder: Path) -> None:
    assert files.load("", {}, {}) == Settings()


def test_a_file_in_the_place_of_the_folder_is_no_configuration(folder: Path) -> None:
    folder.write_text("something else")
    assert files.load("", {}, {}) == Settings()


def test_a_folder_that_may_not_be_looked_into_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **how: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr("server.files.os.open", refuse)  # To root, every folder is open.
    with pytest.raises(SettingRefused) as told:
        files.load("", {}, {})
    assert str(told.value) == f"the configuration file {folder}/config.toml cannot be read: Permission denied"


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    for config, environment in (("gone.toml", {}), ("", {"CHAT_SERVER_CONFIG": "gone.toml"})):
        with pytest.raises(SettingRefused, match=r"the configuration file gone\.toml cannot be read: No such file"):
            files.load(config, {}, environment)


# Other files


@pytest.mark.parametrize(
    ("content", "told"), [(b"caf\xe9", "is not UTF-8"), (b"x" * (files.MAX_FILE_BYTES + 1), "is larger than 64 KiB")]
)
def test_a_message_of_the_day_that_will_not_do_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "motd").write_bytes(content)
    with pytest.raises(SettingRefused, match=told):
        files.read_motd(Settings(motd=str(tmp_path / "motd")))


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (" \n", 0o600, "the operator's key file {} is empty"),
        ("sesame", 0o600, "the operator's key file {} holds fewer than 16 characters"),
        ("sesame, and open", 0o644, "the operator's key file {0} is open to others; close it with: chmod 600 {0}"),
    ],
)
def test_read_key_of_a_file_that_will_not_do_is_refused(tmp_path: Path, content: str, mode: int, told: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(SettingRefused, match=re.escape(told.format(path))):
        files.read_key(Settings(operator_key_file=str(path)))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_files_of_another_kind_are_refused_at_once(tmp_path: Path, make: Callable[[Path, int], None]) -> None:
    """Opening a pipe would wait for a writer."""
    make(tmp_path / "other", 0o700)
    with pytest.raises(SettingRefused, match=r"the operator's key file .* is not a regular file"):
        files.read_key(Settings(operator_key_file=str(tmp_path / "other")))
    with pytest.raises(SettingRefused, match=r"the message of the day .* is not a regular file"):
        files.read_motd(Settings(motd=str(tmp_path / "other")))


# A home, and byte order marks


def test_default_config_without_a_home_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(files, "user_config_path", refuse)
    assert files.default_config() == files.SYSTEM_CONFIG


def test_files_with_a_byte_order_mark_are_read_without_it(tmp_path: Path) -> None:
    for name, text in (("key", "sesame, and open"), ("motd", "hello"), ("config.toml", "max-line = 8192")):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        (tmp_path / name).chmod(0o600)
    assert files.read_key(Settings(operator_key_file=str(tmp_path / "key"))) == b"sesame, and open"
    assert files.read_motd(Settings(motd=str(tmp_path / "motd"))) == "hello"
    assert files.load(str(tmp_path / "config.toml"), {}, {}).max_line == 8192


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "state", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def test_slot_file_that_is_empty_holds_no_state(descriptor: int) -> None:
    assert SlotFile(descriptor).state == b""


def test_slot_file_returns_the_newest_state(descriptor: int) -> None:
    file = SlotFile(descriptor)
    for state in (b"a long state", b"another", b"", b"four"):
        file.write(state)
        assert SlotFile(descriptor).state == state == file.state


@pytest.mark.parametrize("written", [0, 3, 16, 18])
def test_slot_file_of_a_killed_writer_holds_the_state_before(descriptor: int, written: int) -> None:
    file = SlotFile(descriptor)
    for state in (b"first", b"second", b"third"):
        file.write(state)
    whole = os.pread(descriptor, 30, SLOT_BYTES)
    os.pwrite(descriptor, b"\0" * 30, SLOT_BYTES)
    os.pwrite(descriptor, whole[:written], SLOT_BYTES)
    again = SlotFile(descriptor)
    assert again.state == b"second"
    again.write(b"fourth")
    assert SlotFile(descriptor).state == b"fourth"


def test_slot_file_of_any_bytes_holds_no_state(descriptor: int) -> None:
    os.pwrite(descriptor, b"\xff" * 64, 0)
    os.pwrite(descriptor, os.urandom(64), SLOT_BYTES)
    assert SlotFile(descriptor).state == b""


def test_slot_file_that_cannot_be_written_keeps_its_state(descriptor: int, tmp_path: Path) -> None:
    file = SlotFile(descriptor)
    file.write(b"kept")
    reading = os.open(tmp_path / "state", os.O_RDONLY)
    with pytest.raises(OSError, match="Bad file descriptor"):
        SlotFile(reading).write(b"new")
    os.close(reading)
    with pytest.raises(OSError, match="larger than 16 MiB"):
        file.write(b"x" * SLOT_BYTES)
    assert SlotFile(descriptor).state == b"kept"


def test_slot_file_of_a_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    with pytest.raises(OSError, match="not a regular file"):
        SlotFile(reading)
    os.close(reading)
    os.close(writing)
