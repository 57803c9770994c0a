"""Settings: what a person sets in a file, and what chat-tui remembers by itself from one time to the next.

Two TOML files in one folder, platformdirs' for the user's configuration: `config.toml` is the person's, and only read;
`remembered.toml` is ours, and read leniently: if it is gone or broken, nothing is remembered. A flag beats the
environment, which beats `config.toml`, which beats what was remembered; the first three are click's business, in `cli`.
"""

import tomllib
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
import tomli_w
from msgspec import Struct
from msgspec.structs import asdict, replace
from platformdirs import user_config_path

from protocol import file_text
from tui.address import Address

MAX_ROOMS = 8
MAX_FILE_BYTES = 64 * 1024
"""Bytes of a file that are read; more is no configuration."""


class SettingsRefused(ValueError):
    """The configuration will not do; the message is a sentence that names the place."""


class Settings(Struct, frozen=True, kw_only=True):
    """How the clients look and behave. `theme` is one of Textual's, empty for ours."""

    theme: str = ""
    nick: str = ""
    mouse: bool = True
    bell: bool = True
    """Ring when somebody names me."""
    times: bool = True
    """Show when things were said."""
    rooms: tuple[str, ...] = ()
    """The last rooms joined, the latest first."""

    def with_room(self, address: Address) -> "Settings":
        """The same, with `address` as the latest room."""
        others = [room for room in self.rooms if room != str(address)]
        return replace(self, rooms=(str(address), *others)[:MAX_ROOMS])


REMEMBERED = ("theme", "nick", "bell", "times", "rooms")
ALWAYS_REMEMBERED = ("nick", "rooms")
"""Also where they came from a flag: who joins as ada wants to be asked as ada the next time."""


def _config_folder() -> Path:
    try:
        return user_config_path("chat-tui")
    except RuntimeError:  # There is neither HOME nor an entry in /etc/passwd, as in many containers.
        return Path("/etc/chat-tui")


def config_file() -> Path:
    """Where a person's settings are read from unless told otherwise."""
    return _config_folder() / "config.toml"


def remembered_file() -> Path:
    """Where chat-tui keeps what it remembers."""
    return _config_folder() / "remembered.toml"


def is_there(path: Path) -> bool:
    """False only where there is no such file. Where we may not look, reading it says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_config(path: Path) -> dict[str, object]:
    """The keys and values of a person's TOML file. Raises SettingsRefused."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise SettingsRefused(f"the configuration file {path} has more than {MAX_FILE_BYTES // 1024} KiB")
        return tomllib.loads(file_text.decode(data))
    except OSError as error:
        raise SettingsRefused(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except file_text.WrongEncoding as error:
        raise SettingsRefused(f"the configuration file {path} {error}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsRefused(f"the configuration file {path} is not TOML: {error}") from None
    except ValueError:  # int() refuses what would take it long.
        raise SettingsRefused(
            f"the configuration file {path} will not do: a number in it has too many digits"
        ) from None


def recall() -> Settings:
    """What was remembered, and the defaults for the rest."""
    try:
        values = read_config(remembered_file())
        return msgspec.convert({name: values[name] for name in REMEMBERED if name in values}, Settings)
    except (SettingsRefused, msgspec.ValidationError):
        return Settings()


def remember(began: Settings, now: Settings) -> bool:
    """Keep for the next time what has changed since `began`, so that a flag given once does not stay.

    Returns False where that could not be written. Two clients that write at once leave one whole file.
    """
    values = asdict(now)
    changed = {name: values[name] for name in REMEMBERED if values[name] != getattr(began, name)}
    used = {name: values[name] for name in ALWAYS_REMEMBERED if values[name]}
    kept = asdict(replace(recall(), **(changed | used)))
    try:
        path = remembered_file().resolve()  # It may be a link into a folder of dotfiles, and stays one.
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, tomli_w.dumps({name: kept[name] for name in REMEMBERED}).encode())
    except OSError:
        return False
    return True


def _replace(path: Path, data: bytes) -> None:
    """Have a file hold these bytes, or what it held before. Raises OSError, and leaves no other file behind."""
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
    """The sentence that tells that `remember` has failed."""
    return f"your settings cannot be written to {remembered_file()}, and are forgotten when you leave"


class Memory:
    """Remembers what changes while one client runs: each time what has changed since it was last kept, so that what is
    changed back is remembered too."""

    def __init__(self, began: Settings) -> None:
        self._kept = began

    def keep(self, now: Settings) -> bool:
        """Keep `now` for the next time, as `remember` does. What could not be written is tried again with the next."""
        written = remember(self._kept, now)
        if written:
            self._kept = now
        return written
