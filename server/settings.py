"""Settings: the server's options, merged from flags, environment and a TOML file. Pure.

A flag beats the environment, which beats the file. This module opens no file and reads no environment: the command
passes the values in. A wrong value raises SettingRefused, with one sentence that names its place.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, fields, replace

from protocol.files import WrongEncoding, decode_text
from protocol.messages import Limits, Model

PREFIX = "CHAT_SERVER_"
"""Begins the name of each variable: `--max-line` is CHAT_SERVER_MAX_LINE."""
OFF = "off"


class SettingRefused(ValueError):
    """A setting is wrong; the message is a sentence with its place and the values that are allowed."""


class Address(Struct, frozen=True):
    """Where to listen. An empty host is every interface; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class SshListener(Struct, frozen=True):
    """Where guests come by ssh. An empty host is every interface; None stands for the hosts of `bind`."""

    host: str | None
    port: int


class RateLimit(Struct, frozen=True):
    """`burst` lines at once, then `rate` a second; a rate of 0 is no limit."""

    burst: int
    rate: float


Count = Annotated[int, Meta(ge=0, le=1_000_000, description="a whole number up to 1000000, 0 for no limit")]
HostName = Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$", max_length=253)]
File = Annotated[str, Meta(min_length=1, description="the name of a file")]


class Settings(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Every setting with its default, in the order of `--help`. The descriptions complete "must be ..."."""

    model: Annotated[Model, Meta(description="process, thread or event")] = Model.EVENT
    bind: Annotated[
        tuple[Address, ...],
        Meta(min_length=1, description="HOST:PORT, with an IPv6 host in brackets and a port up to 65535"),
    ] = (Address("127.0.0.1", 2000),)
    motd: File = ""
    history: Annotated[int, Meta(ge=0, le=1000, description="a number of lines up to 1000")] = 50
    keep: Annotated[int, Meta(ge=0, le=100_000, description="a number of events up to 100000")] = 10_000
    max_clients: Count = 0
    max_per_ip: Count = 0
    rate_limit: Annotated[RateLimit, Meta(description="BURST/RATE, like 10/2 and neither above 999999, or off")] = (
        RateLimit(10, 2.0)
    )
    max_line: Annotated[int, Meta(ge=256, le=1_048_576, description="a number of bytes from 256 to 1048576")] = 4096
    join_timeout: Annotated[float, Meta(ge=0.1, le=86_400, description="a number of seconds from 0.1 to 86400")] = 10.0
    idle_timeout: Annotated[
        float, Meta(ge=0, le=31_536_000, description="a number of seconds up to 31536000, or off")
    ] = 0.0
    operator_key_file: File = ""
    ssh: Annotated[SshListener | None, Meta(description="PORT or HOST:PORT, with an IPv6 host in brackets")] = None
    ssh_host_key: File = ""
    log_format: Annotated[Literal["text", "json"], Meta(description="text or json")] = "text"
    verbose: Annotated[int, Meta(ge=0, le=2, description="0, 1 or 2")] = 0
    quiet: Annotated[bool, Meta(description="true or false")] = False
    no_console: Annotated[bool, Meta(description="true or false")] = False
    no_web: Annotated[bool, Meta(description="true or false")] = False
    web_name: Annotated[tuple[HostName, ...], Meta(description="a name of this host, such as chat.example.org")] = ()

    def limits(self) -> Limits:
        """The limits of each connection, as `welcome` sends them."""
        return Limits(
            line=self.max_line,
            burst=self.rate_limit.burst,
            rate=self.rate_limit.rate,
            join_timeout=self.join_timeout,
            idle_timeout=self.idle_timeout,
        )


FIELDS: dict[str, FieldInfo] = {field.encode_name: field for field in fields(Settings)}
"""Each setting by its name, as flags (behind `--`) and the file write it."""
PATHS = ("motd", "operator-key-file", "ssh-host-key")
STDIN = "-"
"""In the place of a file's name: standard input."""

Values = dict[str, object]
"""Settings that one source gives, by name, as they should be in Settings."""


def from_flags(flags: Mapping[str, object]) -> Values:
    """The flags that were given, by name; a tuple if a flag was given several times. Raises SettingRefused."""
    return {name: _converted(name, value, f"--{name}", strict=False) for name, value in flags.items()}


def from_environment(environment: Mapping[str, str]) -> Values:
    """The settings from the environment. Raises SettingRefused.

    An empty variable counts as not set. Unknown variables with the prefix are ignored: a container network sets
    CHAT_SERVER_PORT and others for a service named chat-server.
    """
    variables = {name: PREFIX + name.upper().replace("-", "_") for name in FIELDS}
    return {
        name: _converted(name, environment[variable], variable, strict=False)
        for name, variable in variables.items()
        if environment.get(variable)
    }


def from_toml(data: bytes, file: str) -> Values:
    """The settings from the TOML file called `file`; relative paths start at its folder. Raises SettingRefused."""
    try:
        table = tomllib.loads(decode_text(data))
    except WrongEncoding as error:
        raise SettingRefused(f"the configuration file {file} {error}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingRefused(f"the configuration file {file} is not TOML: {error}") from None
    except ValueError:  # int() refuses a number with thousands of digits.
        raise SettingRefused(f"the configuration file {file} will not do: a number in it has too many digits") from None
    values: Values = {}
    for key, value in table.items():
        if key not in FIELDS:
            like = get_close_matches(key.replace("_", "-"), FIELDS, n=1)
            hint = f"; is it {like[0]}?" if like else ""
            raise SettingRefused(
                f"the configuration file {file} has a key chat-server does not know: {_shown(key)}{hint}"
            )
        values[key] = _converted(key, value, f"{key} in the configuration file {file}", strict=True)
        if key in PATHS and values[key] != STDIN:
            values[key] = str(PurePath(file).parent / str(value))
    return values


def merge(*sources: Values) -> Settings:
    """The settings from several sources, the weakest first. Raises SettingRefused."""
    values: Values = {}
    for source in sources:
        if source.keys() & {"verbose", "quiet"}:
            # These two set the same thing: the stronger source replaces both.
            values = {name: value for name, value in values.items() if name not in ("verbose", "quiet")}
        values |= source
    if values.get("verbose") and values.get("quiet"):
        raise SettingRefused("the log cannot be verbose and quiet at once; choose one of the two")
    return replace(Settings(), **{FIELDS[name].name: value for name, value in values.items()})


def parse_address(text: str) -> Address:
    """HOST:PORT, an IPv6 host in brackets. Raises ValueError."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:\[\]]*)):([0-9]{1,5})", text, re.ASCII)
    if match is None or not text.isprintable() or int(match[3]) > 65_535:
        raise ValueError
    return Address(match[1] or match[2] or "", int(match[3]))


def parse_addresses(text: str) -> tuple[Address, ...]:
    """One address, or several with white space between. Raises ValueError."""
    return tuple(map(parse_address, text.split() or [text]))


def parse_ssh_listener(text: str) -> SshListener:
    """PORT or HOST:PORT. Raises ValueError."""
    if ":" not in text:
        return SshListener(None, parse_address(f":{text}").port)
    address = parse_address(text)
    return SshListener(address.host, address.port)


def parse_rate_limit(text: str) -> RateLimit:
    """BURST/RATE, in lines and lines a second, or `off`. Raises ValueError."""
    if text == OFF:
        return RateLimit(1, 0.0)
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6}(?:\.[0-9]{1,6})?)", text, re.ASCII)
    if match is None or int(match[1]) < 1 or float(match[2]) <= 0:
        raise ValueError
    return RateLimit(int(match[1]), float(match[2]))


def parse_idle_timeout(text: str) -> float:
    """Seconds, or `off`. Raises ValueError."""
    return 0.0 if text == OFF else float(text)


def parse_name(text: str) -> str:
    """The name of a host. Raises ValueError."""
    return msgspec.convert(text, HostName)


def parse_names(text: str) -> tuple[str, ...]:
    """One name of a host, or several with white space between. Raises ValueError."""
    return tuple(map(parse_name, text.split() or [text]))


SEVERAL: dict[str, Callable[[str], object]] = {"bind": parse_address, "web-name": parse_name}
"""Settings that may be given several times, or as a list, with the parser of one."""
PARSERS: dict[str, Callable[[str], object]] = {
    "bind": parse_addresses,
    "web-name": parse_names,
    "rate-limit": parse_rate_limit,
    "idle-timeout": parse_idle_timeout,
    "ssh": parse_ssh_listener,
}


def _converted(name: str, value: object, place: str, *, strict: bool) -> object:
    """The value in its setting's type. Where `strict` is false, text may stand for a number or a truth value."""
    field = FIELDS[name]
    if name in SEVERAL and isinstance(value, list | tuple) and value:
        return tuple(_one_of_several(name, one, place) for one in value)
    if name == "ssh" and type(value) is int:
        value = str(value)  # TOML: `ssh = 2022`.
    try:
        parsed = PARSERS[name](value) if isinstance(value, str) and name in PARSERS else value
        return msgspec.convert(parsed, field.type, strict=strict)
    except (ValueError, msgspec.ValidationError):
        raise _refusal(name, value, place) from None


def _one_of_several(name: str, value: object, place: str) -> object:
    try:
        return SEVERAL[name](value if isinstance(value, str) else "")
    except ValueError:
        raise _refusal(name, value, place) from None


def _refusal(name: str, value: object, place: str) -> SettingRefused:
    description = FIELDS[name].type.__metadata__[0].description
    return SettingRefused(f"{place} must be {description}, and is {_shown(value)}")


def _shown(value: object) -> str:
    """A value as it can be put into a sentence."""
    try:
        text = repr(value) if not isinstance(value, bool) else str(value).lower()
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
