"""Settings: the values of the user's configuration file, and those that chat-tui remembers between two runs.

There are two TOML files in the folder that platformdirs names for configuration. The user writes `config.toml`;
chat-tui only reads it. chat-tui writes `remembered.toml`; if that is missing or broken, the defaults apply. A flag
precedes the environment, then `config.toml`, then the remembered values. click handles the first three, in `cli`.
"""

import os
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
import tomli_w
from msgspec import Struct
from msgspec.structs import asdict, replace
from platformdirs import user_config_path

from protocol.files import WrongEncoding, decode_text
from tui.address import Address
from tui.files import open_to_read, read_at_most

MAX_ROOMS = 8
MAX_FILE_BYTES = 64 * 1024
"""A larger file is refused."""


class SettingsRefused(ValueError):
    """The configuration is invalid; the message is a sentence with the file and the key."""


class Settings(Struct, frozen=True, kw_only=True):
    """How the clients look and behave. `theme` is the name of a theme; the default is ours."""

    theme: str = ""
    nick: str = ""
    mouse: bool = True
    bell: bool = True
    """Whether the bell rings when a line names me."""
    times: bool = True
    """Whether the pane shows the time of each line."""
    rooms: tuple[str, ...] = ()
    """The rooms joined last, the latest first."""

    def with_room(self, address: Address) -> "Settings":
        """These settings with `address` as the latest room."""
        others = [room for room in self.rooms if room != str(address)]
        return replace(self, rooms=(str(address), *others)[:MAX_ROOMS])


REMEMBERED = ("theme", "nick", "bell", "times", "rooms")
ALWAYS_REMEMBERED = ("nick", "rooms")
"""These are kept also if they came from a flag: a nickname given once is suggested the next time."""


def _config_folder() -> Path:
    try:
        return user_config_path("chat-tui")
    except RuntimeError:  # There is neither HOME nor an entry in /etc/passwd, as in many containers.
        return Path("/etc/chat-tui")


def config_file() -> Path:
    """The path of the configuration file unless `--config` gives another."""
    return _config_folder() / "config.toml"


def remembered_file() -> Path:
    """The path of the file with the remembered settings."""
    return _config_folder() / "remembered.toml"


def may_exist(path: Path) -> bool:
    """Whether the file exists. Also True if that cannot be found out; reading it then fails with the reason."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_config(path: Path) -> dict[str, object]:
    """The keys and values of a TOML file. Never waits. Raises SettingsRefused."""
    try:
        data = _read_regular_file(path)
    except OSError as error:
        raise SettingsRefused(f"the configuration file {path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise SettingsRefused(f"the configuration file {path} has more than {MAX_FILE_BYTES // 1024} KiB")
    try:
        return tomllib.loads(decode_text(data))
    except WrongEncoding as error:
        raise SettingsRefused(f"the configuration file {path} {error}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsRefused(f"the configuration file {path} is not TOML: {error}") from None
    except ValueError:  # int() refuses a number with thousands of digits.
        raise SettingsRefused(
            f"the configuration file {path} will not do: a number in it has too many digits"
        ) from None


def _read_regular_file(path: Path) -> bytes:
    """At most MAX_FILE_BYTES + 1 bytes of a file. Raises OSError; and SettingsRefused for a pipe or a device, from
    which a read may wait for ever."""
    with open_to_read(path) as descriptor:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SettingsRefused(f"the configuration file {path} is not a regular file")
        return read_at_most(descriptor, MAX_FILE_BYTES + 1)


def recall() -> Settings:
    """The remembered settings, and the defaults for all others."""
    try:
        values = read_config(remembered_file())
        return msgspec.convert({name: values[name] for name in REMEMBERED if name in values}, Settings)
    except (SettingsRefused, msgspec.ValidationError):
        return Settings()


def remember(began: Settings, now: Settings) -> bool:
    """Write the settings that have changed since `began` to the file. So a flag given once does not stay.

    Returns False if the file could not be written. Two clients that write at once leave one complete file.
    """
    values = asdict(now)
    changed = {name: values[name] for name in REMEMBERED if values[name] != getattr(began, name)}
    used = {name: values[name] for name in ALWAYS_REMEMBERED if values[name]}
    kept = asdict(replace(recall(), **(changed | used)))
    try:
        path = remembered_file().resolve()  # The file may be a symbolic link, which is kept.
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, tomli_w.dumps({name: kept[name] for name in REMEMBERED}).encode())
    except OSError:
        return False
    return True


def _replace(path: Path, data: bytes) -> None:
    """Replace the content of a file atomically. On OSError the old content stays, and no temporary file is left."""
    file = NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.stem}-", delete=False)  # noqa: SIM115
    try:
        with file:
            file.write(data)
        Path(file.name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(file.name).unlink()
        raise


def not_remembered() -> str:
    """The message for the user after `remember` has failed."""
    return f"your settings cannot be written to {remembered_file()}, and are forgotten when you leave"


class RememberedSettings:
    """Writes the settings of a running client after each change. It compares with the settings written last, so a value
    that is changed back is written too."""

    def __init__(self, began: Settings) -> None:
        self._saved = began

    def save(self, now: Settings) -> bool:
        """Write the changes, as `remember` does. After a failure they are written again with the next change."""
        written = remember(self._saved, now)
        if written:
            self._saved = now
        return written
