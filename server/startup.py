"""Startup: finds and reads the command's files, at the start and again on SIGHUP.

A file that cannot be read raises SettingRefused. `listening` opens the sockets.
"""

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_config_path

from protocol import file_text
from protocol.operator_key import KeyRefused, check_key_file, parse_key
from protocol.sanitize import sanitize
from server.settings import (
    PREFIX,
    STDIN,
    SettingRefused,
    Settings,
    Values,
    from_environment,
    from_flags,
    from_toml,
    merge,
)

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
SYSTEM_CONFIG = Path("/etc/chat-server/config.toml")
"""Read if the user has no home."""
STDIN_DESCRIPTOR = 0
KEY_ON_STDIN = "operator's key on standard input"
MAX_FILE = 64 * 1024
"""Bytes of any file that is read: configuration, message of the day, key."""


def default_config() -> Path:
    """The file that is read if no other is named, and if it exists."""
    try:
        return user_config_path("chat-server") / "config.toml"
    except RuntimeError:  # There is neither HOME nor an entry in /etc/passwd, as in many containers.
        return SYSTEM_CONFIG


def load(config: str, flags: Values, environment: Mapping[str, str]) -> Settings:
    """The settings from all sources. `config` is the file that was asked for, or empty. Raises SettingRefused."""
    asked = config or environment.get(CONFIG_VARIABLE, "")
    path = Path(asked) if asked else default_config()
    table: Values = {}
    if asked or _is_there(path):
        table = from_toml(read_file(path, "configuration file"), str(path))
    return merge(table, from_environment(environment), from_flags(flags))


def _is_there(path: Path) -> bool:
    """False only if there is no such file. If it cannot be examined, reading it raises the reason."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_motd(settings: Settings) -> str:
    """The message of the day, without control sequences for terminals. Raises SettingRefused."""
    if not settings.motd:
        return ""
    data = read_file(Path(settings.motd), "message of the day")
    try:
        text = file_text.decode(data)
    except file_text.WrongEncoding as error:
        raise SettingRefused(f"the message of the day {settings.motd} {error}") from None
    return sanitize(text.replace("\r\n", "\n").strip("\n"), lines=True)


def read_key(settings: Settings) -> bytes:
    """The operator's key, without the white space around it; empty if none is set. Raises SettingRefused."""
    path = settings.operator_key_file
    if not path:
        return b""
    try:
        if path == STDIN:
            return parse_key(_read_all(STDIN_DESCRIPTOR, KEY_ON_STDIN), KEY_ON_STDIN)
        name = f"operator's key file {path}"
        with _opened(path, name) as descriptor:
            status = os.fstat(descriptor)
            check_key_file(path, status.st_mode, status.st_uid, os.geteuid())
            return parse_key(_read_all(descriptor, name), name)
    except KeyRefused as refused:
        raise SettingRefused(str(refused)) from None


def read_file(path: Path, kind: str) -> bytes:
    """All of a file. Raises SettingRefused, calling it a `kind`."""
    name = f"{kind} {path}"
    with _opened(path, name) as descriptor:
        # On SIGHUP the room waits for this: a pipe, or a device, could make it wait for ever.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SettingRefused(f"the {name} is not a regular file")
        return _read_all(descriptor, name)


@contextmanager
def _opened(path: Path | str, name: str) -> Iterator[int]:
    """A descriptor to read from. Never waits: O_NONBLOCK opens a pipe that has no writer at once (open(2))."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise SettingRefused(f"the {name} cannot be read: {getattr(error, 'strerror', error)}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, name: str) -> bytes:
    try:
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise SettingRefused(f"the {name} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise SettingRefused(f"the {name} is larger than {MAX_FILE // 1024} KiB")
    return data


def occupy_standard_descriptors() -> None:
    """Open descriptors 0, 1 and 2 if they are closed. Otherwise the first connections would get these numbers, and the
    log."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def drop_unwritten_output() -> None:
    """Drop output that could not be written. Python would try again at its exit, fail, and exit with 120."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # The stream may also be closed, or None.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
