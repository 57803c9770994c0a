"""chat-tui: joins a room, or opens one and joins it, on the full screen or in line mode.

Exit codes: 0 clean, 1 run-time failure, 2 bad usage or configuration, 69 if no room could be reached, 130 on Ctrl-C.
Each failure is one sentence on standard error; a traceback is a bug. Textual and prompt_toolkit are imported only when
a screen or a prompt is shown.
"""

import os
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import NoReturn

import click
from click.core import ParameterSource
from msgspec.structs import replace

from protocol import __version__
from protocol.messages import Model
from protocol.nicknames import NicknameRefused, check_nickname
from protocol.sanitize import sanitize
from three_chat_rooms import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE
from tui import stdio
from tui.address import Address, AddressRefused
from tui.hosting.hosted_server import ANY_FREE_PORT, CannotHost, HostedServer, HostOptions
from tui.settings import RememberedSettings, Settings, SettingsRefused, config_file, may_exist, read_config, recall
from tui.transcript.file import CannotSave
from tui.transcript.transcript import Transcript

LOCAL = Address("127.0.0.1")
SERVER_OPTIONS = ("motd", "history", "rate_limit", "max_clients", "max_per_ip", "ssh_host_key")
"""Options that are passed to a hosted server unchanged: the server checks them."""
HOST_OPTIONS = ("model", "bind", "invite_to", "log", "ssh_port", "no_ssh", *SERVER_OPTIONS)
COMMAND_LINE_ONLY = ("address", "port", "host", "invite_to", "config", "version", "help")
"""Options that cannot be set in the configuration file."""

EXAMPLES = f"""\b
Examples:
  chat-tui --host                     open a room for all on your network
  chat-tui --host --model thread      the same, with a thread for each
  chat-tui 192.0.2.7                  join a room; the port is 2000
  chat-tui room.example:2001 -n ada   join at another port, under a nickname
  chat-tui --plain 192.0.2.7          join in line mode
  echo hello | chat-tui --plain 192.0.2.7 -n bot
                                      say a line, and leave once it was heard

\b
Every option can also come from the environment, as CHAT_TUI_THEME for
--theme, and every one but --host and --config from a TOML file, as
theme = "nord". A flag beats the environment, which beats the file:
  {config_file()}

\b
Exit codes: 0 clean, 1 run-time failure, 2 bad usage or configuration,
69 no room could be reached, 130 on Ctrl-C.
"""


def _models(context: click.Context, option: click.Parameter, typed: str) -> list[str]:
    return [model for model in Model if model.startswith(typed)]


def _themes(context: click.Context, option: click.Parameter, typed: str) -> list[str]:
    from tui.themes import names

    return [name for name in names() if name.startswith(typed)]


def _read_config(context: click.Context, option: click.Parameter, path: str | None) -> str | None:
    """Make the values of the configuration file the defaults of the options. Raises SettingsRefused."""
    file = Path(path) if path else config_file()
    if not path and not may_exist(file):
        return path
    known = {name: one for one in context.command.params if (name := one.name) not in COMMAND_LINE_ONLY}
    values = {}
    for key, value in read_config(file).items():
        name = key.replace("-", "_")
        if name in COMMAND_LINE_ONLY:
            raise SettingsRefused(f"{key} in the configuration file {file}: that can be said only on the command line")
        one = known.get(name)
        if one is None or one.name is None:
            raise SettingsRefused(f"the configuration file {file} has a key chat-tui does not know: {key!r}")
        try:
            values[one.name] = _config_value(one, value)
        except ValueError as error:
            raise SettingsRefused(f"{key} in the configuration file {file} must be {error}") from None
    context.default_map = values
    return path


def _config_value(option: click.Parameter, value: object) -> object:
    """The value in the form click expects: text, a bool, or a list of texts. Raises ValueError that names this form."""
    if isinstance(option, click.Option) and option.multiple:
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(one, str) for one in texts):
            raise ValueError("text, or a list of texts")
        return texts
    wanted = bool if isinstance(option, click.Option) and option.is_flag else str
    if type(value) is int and wanted is str and value.bit_length() < 64:  # str() refuses thousands of digits.
        value = str(value)
    if type(value) is not wanted:
        raise ValueError("true or false" if wanted is bool else "text")
    return value


@click.command(
    epilog=EXAMPLES,
    context_settings={
        "auto_envvar_prefix": "CHAT_TUI",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.argument("address", metavar="[HOST[:PORT]", required=False, envvar=None)
@click.argument("port", metavar="| HOST PORT]", required=False, envvar=None)
@click.option("-n", "--nick", metavar="NICK", help="Your nickname. Default: the one you had the last time.")
@click.option("--host", is_flag=True, help="Open a room here and join it; it ends when you leave.")
@click.option(
    "--model",
    metavar="MODEL",
    shell_complete=_models,
    help="The model that runs it: process, thread or event (default).",
)
@click.option(
    "--bind",
    metavar="ADDR:PORT",
    multiple=True,
    help="Where it listens; may be given again. Default: everywhere, port 2000 or a free one.",
)
@click.option(
    "--address",
    "invite_to",
    metavar="HOST[:PORT]",
    allow_from_autoenv=False,
    help="Where guests reach it, for the card and its code. Default: this machine's most likely address.",
)
@click.option("--motd", metavar="FILE", type=click.Path(), help="Its message of the day, shown to each newcomer.")
@click.option("--history", metavar="N", help="Lines it shows a newcomer. Default 50.")
@click.option("--rate-limit", metavar="BURST/RATE", help="Lines at once, then lines a second; or off. Default 10/2.")
@click.option("--max-clients", metavar="N", help="Connections at once. Default: as many as the system allows.")
@click.option("--max-per-ip", metavar="N", help="Connections at once from one address. Default: no limit.")
@click.option("--ssh-port", metavar="PORT", help="Where guests come by ssh. Default: port 2022 or the next free one.")
@click.option("--no-ssh", is_flag=True, help="Guests cannot come by ssh.")
@click.option(
    "--ssh-host-key",
    metavar="FILE",
    type=click.Path(),
    help="The key that ssh clients remember; it is made if missing.",
)
@click.option("--log", metavar="FILE", type=click.Path(), help="Add its server's log to a file.")
@click.option(
    "--transcript",
    metavar="FILE",
    type=click.Path(),
    help="Record the room in a new file: JSON lines, or Markdown for FILE.md.",
)
@click.option("--plain", is_flag=True, help="Line mode; also without a terminal, as in a pipe.")
@click.option(
    "--theme", metavar="THEME", shell_complete=_themes, help="The colours of the screen; ^P in it shows them all."
)
@click.option("--mouse/--no-mouse", default=True, help="Take the mouse, or leave it to the terminal.")
@click.option("--bell/--no-bell", default=None, help="Ring when somebody names you, or never.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(),
    is_eager=True,
    callback=_read_config,
    help="The TOML file to read.",
)
@click.version_option(__version__, prog_name="chat-tui", message="%(prog)s %(version)s")
@click.pass_context
def command(
    context: click.Context,
    /,
    address: str | None,
    port: str | None,
    nick: str | None,
    host: bool,
    plain: bool,
    theme: str | None,
    mouse: bool,
    bell: bool | None,
    transcript: str | None,
    config: str | None,
    bind: tuple[str, ...],
    no_ssh: bool,
    **server_options: str | None,
) -> int:
    """Join a chat room, or open one with --host."""
    _refuse_contradictions(context, address, host)
    recalled = recall()
    given = {"theme": theme, "nick": nick and check_nickname(nick), "mouse": mouse, "bell": bell}
    settings = replace(recalled, **{name: value for name, value in given.items() if value is not None})
    options = host_options(server_options, bind, with_ssh=not no_ssh) if host else None
    room = None if host else choose_room(address, settings, port)
    events = Transcript(Path(transcript) if transcript else None)
    failure = ""
    try:
        if plain or not stdio.can_draw():
            from tui.line.run import run

            status = run(room, nick, options, settings, events)
        else:
            check_theme(theme)
            status = show_screen(room, nick, options, settings, events)
    finally:
        failure = events.close()
        if failure:
            fail(failure, EXIT_FAILURE)
    return status or (EXIT_FAILURE if failure else 0)


def _refuse_contradictions(context: click.Context, address: str | None, host: bool) -> None:
    if host and address:
        raise click.UsageError("--host opens a room of your own; HOST joins another: leave one of them out")
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if not host and given and option.name in HOST_OPTIONS:
            raise click.UsageError(f"{option.opts[0]} is for a room of your own: it goes with --host")


def host_options(given: dict[str, str | None], bind: tuple[str, ...] = (), *, with_ssh: bool = True) -> HostOptions:
    """The options for a hosted server. Raises click.UsageError for an unknown model or an invalid port."""
    model = given["model"]
    if model is not None and model not in list(Model):
        raise click.UsageError(f"there is no model {model!r}: it is process, thread or event")
    passed = [(f"--{name.replace('_', '-')}", value) for name in SERVER_OPTIONS if (value := given[name]) is not None]
    log = Path(given["log"]) if given["log"] else None
    ssh_port = ANY_FREE_PORT if given["ssh_port"] is None else _ssh_port(given["ssh_port"])
    words = tuple(word for pair in passed for word in pair)
    address = _guests_address(given["invite_to"]) if given["invite_to"] else None
    return HostOptions(model, bind, words, log, ssh_port if with_ssh else None, address)


def _guests_address(written: str) -> Address:
    try:
        return Address.parse(written, port=0)
    except AddressRefused as refused:
        raise click.UsageError(f"--address: {refused}") from None


def _ssh_port(written: str) -> int:
    try:
        return Address.parse_with_port(LOCAL.host, written).port
    except AddressRefused as refused:
        raise click.UsageError(f"--ssh-port: {refused}") from None


def choose_room(address: str | None, settings: Settings, port: str | None = None) -> Address:
    """The given address, else that of the room joined last, else LOCAL. Raises AddressRefused."""
    if address is not None:
        return Address.parse(address) if port is None else Address.parse_with_port(address, port)
    for room in settings.rooms:
        try:
            return Address.parse(room)
        except AddressRefused:
            continue  # The file was edited.
    return LOCAL


def check_theme(theme: str | None) -> None:
    """Raise SettingsRefused if the option names an unknown theme. A remembered theme is not checked."""
    from tui.themes import names

    if theme and theme not in names():
        raise SettingsRefused(f"there is no theme {theme!r}; there are {', '.join(names())}")


def show_screen(
    room: Address | None, nick: str | None, options: HostOptions | None, settings: Settings, transcript: Transcript
) -> int:
    """Run the full screen. Returns its exit code."""
    from tui.app import ChatApp
    from tui.client import RoomClient

    client = RoomClient(
        room,
        nick or "",
        transcript=transcript,
        hosted_server=HostedServer(options) if options is not None else None,
        settings=settings,
        remember=RememberedSettings(settings).save,
    )
    app = ChatApp(client)
    app.run(mouse=settings.mouse)
    return app.return_code or 0


def ignore_empty_no_color(environment: MutableMapping[str, str]) -> None:
    """Remove an empty NO_COLOR: it has a meaning only with a value (https://no-color.org), but Textual checks only
    whether it is set."""
    if environment.get("NO_COLOR") == "":
        del environment["NO_COLOR"]


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code; the console script calls it."""
    ignore_empty_no_color(os.environ)
    status = run_command(args)
    stdio.discard_unwritten()
    sys.exit(status)


def run_command(args: Sequence[str] | None) -> int:
    """Run the command, and write a failure to standard error. Returns the exit code."""
    try:
        status = command.main(args, prog_name="chat-tui", standalone_mode=False)
        return int(status or 0)
    except click.ClickException as error:
        return fail(f"{error.format_message()} (chat-tui --help lists the options)", EXIT_USAGE)
    except NicknameRefused as error:
        return fail(f"that nickname will not do: {error}", EXIT_USAGE)
    except (SettingsRefused, AddressRefused, CannotSave, CannotHost) as error:
        return fail(str(error), EXIT_USAGE)
    except OSError as error:  # The output cannot be written, or a resource of the system is exhausted.
        return fail(f"cannot go on: {error.strerror or error}", EXIT_FAILURE)
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED


def fail(sentence: str, status: int) -> int:
    """Write the sentence to standard error. Returns `status`."""
    stdio.print_error(f"chat-tui: {sanitize(sentence)}")
    return status
