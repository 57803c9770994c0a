"""The settings of the configuration file and the remembered ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.running import ROOT
from tui.address import Address
from tui.settings import (
    MAX_FILE_BYTES,
    MAX_ROOMS,
    RememberedSettings,
    Settings,
    SettingsRefused,
    config_file,
    read_config,
    recall,
    remember,
    remembered_file,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return remembered_file().parent


def test_both_files_stand_in_the_users_configuration_folder(folder: Path, tmp_path: Path) -> None:
    assert config_file().parent == remembered_file().parent == folder
    assert tmp_path in folder.parents


def test_at_first_nothing_is_remembered() -> None:
    assert recall() == Settings()


def test_changes_are_remembered_with_the_latest_room_first() -> None:
    began = Settings()
    now = replace(began, theme="nord", nick="ada", bell=False)
    assert remember(began, now.with_room(Address("a")).with_room(Address("b", 2001)).with_room(Address("a")))
    assert recall() == Settings(theme="nord", nick="ada", bell=False, rooms=("a:2000", "b:2001"))


def test_a_flag_given_once_does_not_stay_but_the_nickname_does() -> None:
    began = Settings(theme="nord", bell=False, nick="ada")  # As if they came from flags.
    remember(began, replace(began, times=False))
    assert recall() == Settings(nick="ada", times=False)


def test_setting_changed_back_is_saved() -> None:
    remember(Settings(), Settings(theme="nord"))
    began = recall()
    memory = RememberedSettings(began)
    for now in (replace(began, bell=False), began, replace(began, theme="room-dark"), began):
        assert memory.save(now)
        assert recall() == now


def test_failed_write_is_made_up_with_the_next_change(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    memory = RememberedSettings(Settings())
    assert not memory.save(Settings(bell=False))
    folder.unlink()
    assert memory.save(Settings(bell=False, times=False))
    assert recall() == Settings(bell=False, times=False)


def test_remembered_file_that_is_a_link_stays_one(folder: Path, tmp_path: Path) -> None:
    dotfile = tmp_path / "dotfiles" / "remembered.toml"
    remembered_file().parent.mkdir(parents=True)
    remembered_file().symlink_to(dotfile)
    assert remember(Settings(), Settings(nick="ida"))
    assert remembered_file().is_symlink()
    assert "ida" in dotfile.read_text()


def test_the_mouse_is_set_for_one_time_only() -> None:
    remember(Settings(), Settings(mouse=False))
    assert recall().mouse


def test_two_clients_keep_each_others_changes() -> None:
    began = recall()
    remember(began, replace(began, theme="nord"))
    remember(began, replace(began, times=False))
    assert recall() == Settings(theme="nord", times=False)


def test_only_the_last_rooms_are_kept() -> None:
    settings = Settings()
    for number in range(3 * MAX_ROOMS):
        settings = settings.with_room(Address(f"room{number}"))
    assert len(settings.rooms) == MAX_ROOMS
    assert settings.rooms[0] == f"room{3 * MAX_ROOMS - 1}:2000"


def test_remembered_settings_may_have_any_text() -> None:
    nick = 'q"\\\n\x7f\u2028é李'
    remember(Settings(), Settings(nick=nick))
    assert recall().nick == nick


@pytest.mark.parametrize(
    "broken",
    [b"", b"\xff\xfe", b"theme = ", b"theme = 3", b'rooms = "a"', b"x" * (MAX_FILE_BYTES + 1), b"[theme]\na = 1"],
)
def test_a_broken_memory_is_no_memory_and_is_written_anew(folder: Path, broken: bytes) -> None:
    folder.mkdir(parents=True)
    remembered_file().write_bytes(broken)
    assert recall() == Settings()
    assert remember(Settings(), Settings(nick="ada"))
    assert recall().nick == "ada"


def test_recall_ignores_keys_of_a_newer_version(folder: Path) -> None:
    folder.mkdir(parents=True)
    remembered_file().write_text('nick = "ada"\nfuture = [1, 2]\n')
    assert recall().nick == "ada"


def test_failed_write_raises_nothing(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    assert not remember(Settings(), Settings(nick="ada"))
    assert recall() == Settings()


def test_writing_leaves_no_other_file_behind(folder: Path) -> None:
    remember(Settings(), Settings(nick="ada"))
    assert [path.name for path in folder.iterdir()] == [remembered_file().name]


def test_remember_on_a_full_disk_keeps_the_file_and_leaves_no_other(folder: Path) -> None:
    """For a program, a limit on the size of files is the same as a full disk."""
    remember(Settings(), Settings(nick="ada"))
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4));"
        "from tui.settings import Settings, remember; print(remember(Settings(), Settings(nick='bob')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert recall().nick == "ada"
    assert [path.name for path in folder.iterdir()] == [remembered_file().name]


def test_a_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chat.toml"
    path.write_text('theme = "nord"\nbell = false\n')
    assert read_config(path) == {"theme": "nord", "bell": False}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"theme = ", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b"a" * (MAX_FILE_BYTES + 1), "has more than 64 KiB"),
        (b"a = " + b"[" * 5000, "is not TOML"),
        (b"history = " + b"9" * 5000, "too many digits"),
    ],
    ids=["half a line", "no UTF-8", "too long", "too deep", "too many digits"],
)
def test_invalid_configuration_is_reported_with_its_place(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "chat.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsRefused, match=rf"chat\.toml.* {reason}"):
        read_config(path)


def test_missing_configuration_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="cannot be read"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(SettingsRefused, match="is not a regular file"):
        read_config(tmp_path)


def test_read_config_of_a_pipe_is_refused_and_never_waits(tmp_path: Path) -> None:
    path = tmp_path / "chat.toml"
    os.mkfifo(path)
    with pytest.raises(SettingsRefused, match=r"chat\.toml is not a regular file"):
        read_config(path)


def test_recall_of_a_pipe_gives_the_defaults(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(remembered_file())
    assert recall() == Settings()
