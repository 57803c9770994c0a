"""The files of the server: configuration, message of the day, operators' key, and the saved state of the room.

A file that cannot be read raises SettingRefused. The saved state outlives a server that is killed: its file has two
slots, written in turn, each with a check sum. A process that is killed while it writes leaves the other slot whole. The
file is given as a descriptor, so it needs no name that other programs could open or replace.
"""

import logging
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from struct import Struct, error

from platformdirs import user_config_path

from protocol.files import KeyRefused, WrongEncoding, check_key_file, decode_text, parse_key
from protocol.sanitize import sanitize
from server.room import restart
from server.room.room import Room
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
MAX_FILE_BYTES = 64 * 1024
"""Bytes of any file that is read: configuration, message of the day, key."""
SLOT_BYTES = 16 * 2**20
_HEADER = Struct("<QII")
"""Revision, bytes of the state, CRC-32 of both and the state."""
_CHECKED = Struct("<QI")

log = logging.getLogger("chat.server")


def default_config() -> Path:
    """The file that is read if no other is named, and if it exists."""
    try:
        return user_config_path("chat-server") / "config.toml"
    except RuntimeError:  # There is neither HOME nor an entry in /etc/passwd, as in many containers.
        return SYSTEM_CONFIG


def load(config: str, flags: Values, environment: Mapping[str, str]) -> Settings:
    """The settings from all sources. `config` is the requested file, or empty. Raises SettingRefused."""
    asked = config or environment.get(CONFIG_VARIABLE, "")
    path = Path(asked) if asked else default_config()
    table: Values = {}
    if asked or _exists(path):
        table = from_toml(read_file(path, "configuration file"), str(path))
    return merge(table, from_environment(environment), from_flags(flags))


def _exists(path: Path) -> bool:
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
        text = decode_text(data)
    except WrongEncoding as error:
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
        with _open_for_reading(path, name) as descriptor:
            status = os.fstat(descriptor)
            check_key_file(path, status.st_mode, status.st_uid, os.geteuid())
            return parse_key(_read_all(descriptor, name), name)
    except KeyRefused as refused:
        raise SettingRefused(str(refused)) from None


def read_file(path: Path, kind: str) -> bytes:
    """All of a file. Raises SettingRefused, calling it a `kind`."""
    name = f"{kind} {path}"
    with _open_for_reading(path, name) as descriptor:
        # On SIGHUP the room waits for this: a pipe, or a device, could make it wait for ever.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SettingRefused(f"the {name} is not a regular file")
        return _read_all(descriptor, name)


@contextmanager
def _open_for_reading(path: Path | str, name: str) -> Iterator[int]:
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
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SettingRefused(f"the {name} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise SettingRefused(f"the {name} is larger than {MAX_FILE_BYTES // 1024} KiB")
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


class SlotFile:
    """The newest state in a file, and its place for the next one."""

    def __init__(self, descriptor: int) -> None:
        """Read the newest whole state. Raises OSError if the descriptor is not that of a regular file."""
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        self._descriptor = descriptor
        self._revision, self.state = max(self._read(0), self._read(1), key=lambda slot: slot[0])

    def write(self, state: bytes) -> None:
        """Write a state into the older slot. Raises OSError if that fails; the newer slot is not changed."""
        if len(state) > SLOT_BYTES - _HEADER.size:
            raise OSError(f"the state is larger than {SLOT_BYTES // 2**20} MiB")
        revision = self._revision + 1
        data = _HEADER.pack(revision, len(state), _checksum(revision, state)) + state
        offset = revision % 2 * SLOT_BYTES
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], offset + written)
        self._revision, self.state = revision, state

    def _read(self, slot: int) -> tuple[int, bytes]:
        """The revision and the state in a slot; revision 0 if the slot holds no whole state."""
        try:
            revision, size, checksum = _HEADER.unpack(os.pread(self._descriptor, _HEADER.size, slot * SLOT_BYTES))
        except error:
            return 0, b""
        state = os.pread(self._descriptor, min(size, SLOT_BYTES), slot * SLOT_BYTES + _HEADER.size)
        is_whole = len(state) == size and checksum == _checksum(revision, state)
        return (revision, state) if is_whole else (0, b"")


def keep_state(room: Room, descriptor: int) -> None:
    """Restore the state that an earlier server has left in a file, and keep the room's state there."""
    try:
        os.set_inheritable(descriptor, False)
        file = SlotFile(descriptor)
        if file.state:
            restart.restore(room, file.state)
        room.save_state = partial(restart.StateKeeper(file.write).save_if_due, room)
    except (OSError, ValueError) as error:
        log.error("the rules of the room before cannot be brought back: %s", error)


def _checksum(revision: int, state: bytes) -> int:
    return zlib.crc32(state, zlib.crc32(_CHECKED.pack(revision, len(state))))
