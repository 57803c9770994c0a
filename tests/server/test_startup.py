import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from server import startup
from server.settings import SettingRefused, Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "chat-server"


# The settings


def test_without_a_file_the_defaults_hold(folder: Path) -> None:
    assert startup.load("", {}, {}) == Settings()


def test_a_file_in_the_place_of_the_folder_is_no_configuration(folder: Path) -> None:
    folder.write_text("something else")
    assert startup.load("", {}, {}) == Settings()


def test_a_folder_that_may_not_be_looked_into_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **how: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr("server.startup.os.open", refuse)  # To root, every folder is open.
    with pytest.raises(SettingRefused) as told:
        startup.load("", {}, {})
    assert str(told.value) == f"the configuration file {folder}/config.toml cannot be read: Permission denied"


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    for config, environment in (("gone.toml", {}), ("", {"CHAT_SERVER_CONFIG": "gone.toml"})):
        with pytest.raises(SettingRefused, match=r"the configuration file gone\.toml cannot be read: No such file"):
            startup.load(config, {}, environment)


# Other files


@pytest.mark.parametrize(
    ("content", "told"), [(b"caf\xe9", "is not UTF-8"), (b"x" * (startup.MAX_FILE + 1), "is larger than 64 KiB")]
)
def test_a_message_of_the_day_that_will_not_do_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "motd").write_bytes(content)
    with pytest.raises(SettingRefused, match=told):
        startup.read_motd(Settings(motd=str(tmp_path / "motd")))


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
        startup.read_key(Settings(operator_key_file=str(path)))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_files_of_another_kind_are_refused_at_once(tmp_path: Path, make: Callable[[Path, int], None]) -> None:
    """Opening a pipe would wait for a writer."""
    make(tmp_path / "other", 0o700)
    with pytest.raises(SettingRefused, match=r"the operator's key file .* is not a regular file"):
        startup.read_key(Settings(operator_key_file=str(tmp_path / "other")))
    with pytest.raises(SettingRefused, match=r"the message of the day .* is not a regular file"):
        startup.read_motd(Settings(motd=str(tmp_path / "other")))


# A home, and byte order marks


def test_default_config_without_a_home_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(startup, "user_config_path", refuse)
    assert startup.default_config() == startup.SYSTEM_CONFIG


def test_files_with_a_byte_order_mark_are_read_without_it(tmp_path: Path) -> None:
    for name, text in (("key", "sesame, and open"), ("motd", "hello"), ("config.toml", "max-line = 8192")):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        (tmp_path / name).chmod(0o600)
    assert startup.read_key(Settings(operator_key_file=str(tmp_path / "key"))) == b"sesame, and open"
    assert startup.read_motd(Settings(motd=str(tmp_path / "motd"))) == "hello"
    assert startup.load(str(tmp_path / "config.toml"), {}, {}).max_line == 8192
