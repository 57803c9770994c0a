"""chat-server: opens a room, and runs it until a signal or an operator ends it.

Exit codes: 0 clean, 1 run-time failure, 2 bad usage or configuration, 130 on Ctrl-C. An error is reported as a
sentence on standard error; a traceback means a bug.
"""

import gc
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, time
from typing import NoReturn

import click

import three_chat_rooms
from protocol import __version__
from protocol.sanitize import sanitize
from server import files, handover, logs
from server.control import ServerControl, Signals
from server.fault_clients import FaultClients
from server.files import drop_unwritten_output, keep_state, occupy_standard_descriptors
from server.listener import Listener
from server.meter import Meter
from server.room.operators import Operators
from server.room.room import Room
from server.settings import STDIN, Address, SettingRefused, Settings, Values
from server.sockets import CannotListen, Source, open_listeners
from server.ssh_door import SshDoor
from server.web_site import WebSite
from three_chat_rooms import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE, raise_file_limit

LOG_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
STDIN_DESCRIPTOR, STDOUT_DESCRIPTOR = 0, 1
DUMB_TERMS = ("", "dumb", "unknown")
"""Values of TERM for terminals that cannot redraw a line."""
FIXED = (
    "model",
    "bind",
    "history",
    "keep",
    "operator_key_file",
    "ssh",
    "ssh_host_key",
    "log_format",
    "verbose",
    "quiet",
    "no_console",
    "no_web",
    "web_name",
)
"""Settings that a running server does not change."""

log = logging.getLogger("chat.server")

EXAMPLES = f"""\b
Examples:
  chat-server                                      a room on this machine
  chat-server --model thread --bind 0.0.0.0:2000   for all on the network
  chat-server --bind '[::]:0'                      IPv4, IPv6, and a free port
  chat-server --rate-limit 20/5 --max-per-ip 50    for a lively audience
  nc 127.0.0.1 2000                                join: first your nickname

\b
On a terminal there is a line for operator commands below the log: /help
lists them.

\b
Every option can also come from the environment, as CHAT_SERVER_MAX_LINE for
--max-line, and from a TOML file, as max-line = 8192. A flag beats the
environment, and the environment beats the file, which is
  {files.default_config()}
unless --config names another.

\b
SIGHUP reads the message of the day and the limits again, for connections
from then on.
Exit codes: 0 clean, 1 run-time failure, 2 bad usage or configuration,
130 on Ctrl-C.
"""


class Failed(Exception):
    """The server failed by a bug while it served. The log has the traceback; the message is a sentence."""


@click.command(epilog=EXAMPLES, context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]})
@click.option(
    "--model",
    metavar="MODEL",
    help="The model: a process or a thread for each connection, or one event loop (event, the default).",
)
@click.option(
    "--bind",
    metavar="HOST:PORT",
    multiple=True,
    help="The address to listen on; port 0 picks a free one. May be repeated. Default 127.0.0.1:2000.",
)
@click.option("--motd", metavar="FILE", help="The message of the day, shown to each newcomer.")
@click.option("--history", metavar="N", help="Lines a newcomer is shown, up to 1000. Default 50.")
@click.option("--keep", metavar="N", help="Events kept for those who come back, up to 100000. Default 10000.")
@click.option("--max-clients", metavar="N", help="Connections at once. Default: as many as the system allows.")
@click.option("--max-per-ip", metavar="N", help="Connections at once from one address. Default: no limit.")
@click.option("--rate-limit", metavar="BURST/RATE", help="Lines at once, then lines a second; or off. Default 10/2.")
@click.option("--max-line", metavar="BYTES", help="The longest accepted line, 256 to 1048576. Default 4096.")
@click.option("--join-timeout", metavar="SECONDS", help="How long to wait for a nickname. Default 10.")
@click.option("--idle-timeout", metavar="SECONDS", help="How long a member may say nothing; or off (default).")
@click.option(
    "--operator-key-file",
    metavar="FILE",
    help="The operators' secret, in a private file; - is standard input.",
)
@click.option("--ssh", metavar="[HOST:]PORT", help="Let guests come by ssh, too. Without HOST: the hosts of --bind.")
@click.option(
    "--ssh-host-key",
    metavar="FILE",
    help="The key that ssh clients remember, in a private file; it is made if missing.",
)
@click.option("--log-format", metavar="FORMAT", help="text (default) or json, on standard error.")
@click.option("-v", "--verbose", count=True, help="Log what the server does; -vv also each connection.")
@click.option("-q", "--quiet", is_flag=True, help="Log only failures.")
@click.option("--no-console", is_flag=True, help="On a terminal too, show only the log, without a line for commands.")
@click.option("--no-web", is_flag=True, help="Serve no browsers. Otherwise http://HOST:PORT opens the room in one.")
@click.option(
    "--web-name",
    metavar="NAME",
    multiple=True,
    help="A name of this host for browsers, besides its addresses and NAME.local. May be given again.",
)
@click.option("--config", metavar="FILE", default="", help="The TOML file to read instead of your own.")
@click.option("--state-descriptor", type=int, hidden=True)
@click.version_option(__version__, prog_name="chat-server", message="%(prog)s %(version)s")
@click.pass_obj
def command(
    args: Sequence[str],
    /,
    config: str,
    verbose: int,
    state_descriptor: int | None,
    **options: str | bool | tuple[str, ...] | None,
) -> int:
    """Open a chat room that nc, telnet and chat-tui can join."""
    given = {**options, "verbose": min(verbose, len(LOG_LEVELS) - 1)}
    flags: Values = {name.replace("_", "-"): value for name, value in given.items() if value not in (None, 0, ())}
    occupy_standard_descriptors()
    settings = files.load(config, flags, os.environ)
    if wants_console(settings):
        exec_console(args, settings)
    level = logging.ERROR if settings.quiet else LOG_LEVELS[settings.verbose]
    logs.set_up(settings.log_format, level)
    return run(settings, lambda: files.load(config, flags, os.environ), state_descriptor)


def run(settings: Settings, load: Callable[[], Settings], state_descriptor: int | None = None) -> int:
    """Serve with these settings until the server is asked to end; returns the exit code. `load` reads the settings
    again. The room restores its state from the file behind `state_descriptor`, and keeps it there."""
    raise_file_limit()
    control = ServerControl()
    fault_clients = FaultClients()
    room = make_room(settings, control, fault_clients)
    if state_descriptor is not None:
        keep_state(room, state_descriptor)
    sockets = open_listeners(settings.bind)
    site = open_web_site(settings)
    door = open_ssh_door(settings, site)
    listener = make_listener(settings, [*sockets] if door is None else [*sockets, door], control, room, site)
    if door is not None:
        listener.on_tick = door.tend
    signals = Signals(control, partial(reload, load, settings, listener, room), fault_clients.reap)
    addresses = [Address(*sock.getsockname()[:2]) for sock in sockets]
    fault_clients.address = (addresses[0].host, addresses[0].port)
    print_line(ready_line(addresses, room.model))
    gc.collect()
    gc.freeze()  # These objects stay: the garbage collector does not go through them again while all members wait.
    try:
        serve(listener, room, control)
    finally:
        fault_clients.end()
        if door is not None:
            door.close()
    return EXIT_INTERRUPTED if signals.interrupted else 0


def make_room(settings: Settings, control: ServerControl, fault_clients: FaultClients) -> Room:
    """The room with these settings, the operators' key and the message of the day. Raises SettingRefused."""
    return Room(
        settings.limits(),
        model=settings.model,
        keep=settings.keep,
        history=settings.history,
        motd=files.read_motd(settings),
        operators=Operators(files.read_key(settings), control.switch, control.close, fault_clients),
        make_token=lambda: secrets.token_urlsafe(16),
        measure=Meter(),
        audit_log=logging.getLogger("chat.room").warning,
        log_join=logging.getLogger("chat.room").info,
        wall_clock_offset=lambda: time() - monotonic(),
    )


def open_web_site(settings: Settings) -> WebSite | None:
    """The page for browsers, unless it is not wanted."""
    return None if settings.no_web else WebSite.load((*settings.web_name, *(one.host for one in settings.bind)))


def make_listener(
    settings: Settings, sources: Sequence[Source], control: ServerControl, room: Room, site: WebSite | None
) -> Listener:
    """The listener on these sources, which reports to the room."""
    listener = Listener(sources, room.limits, settings.max_clients, settings.max_per_ip, control.stop.wait, room, site)
    listener.on_reserved = room.reserved.add
    listener.dialects = room.dialects
    listener.on_rejected = room.stats.count_rejected
    listener.on_flood = lambda what, group: room.floods.count(what, group, monotonic())
    return listener


def open_ssh_door(settings: Settings, site: WebSite | None) -> SshDoor | None:
    """Listen for guests by ssh, if that is asked for; the `site` says so. Raises SettingRefused and CannotListen."""
    if settings.ssh is None:
        return None
    asked = settings.ssh
    hosts = [asked.host] if asked.host is not None else [address.host for address in settings.bind]
    sockets = open_listeners([Address(host, asked.port) for host in hosts], "--ssh [HOST:]PORT")
    addresses = [Address(*sock.getsockname()[:2]) for sock in sockets]

    def on_ready(fingerprint: str) -> None:
        # A warning, as the actions of operators are: the log has it at any level.
        log.warning("guests can come by ssh to %s; the host key is %s", ", ".join(map(str, addresses)), fingerprint)
        print_line(ssh_line(addresses, fingerprint))
        if site is not None:
            site.show_ssh(addresses[0].port, fingerprint)

    return SshDoor(sockets, settings.ssh_host_key, on_ready)


def ssh_line(addresses: Sequence[Address], fingerprint: str) -> str:
    """The line that tells the program that started the server where guests come by ssh, once they can."""
    return f"ssh on {', '.join(map(str, addresses))} (host key {fingerprint})"


def ready_line(addresses: Sequence[Address], model: str) -> str:
    """The line that tells the program that started the server where it listens."""
    first, *others = map(str, addresses)
    also = f", and on {', '.join(others)}" if others else ""
    return f"listening on {first} (model {model}, pid {os.getpid()}){also}"


def serve(listener: Listener, room: Room, control: ServerControl) -> None:
    """Serve until the server is asked to end. Raises CannotStart, or Failed."""
    try:
        handover.serve(listener, room, control)
    except handover.CannotStart:
        raise
    except Exception as error:
        log.exception("the server has failed; this is a bug")
        raise Failed("the server has failed because of a bug, and all connections have ended; see the log") from error


def reload(load: Callable[[], Settings], started_with: Settings, listener: Listener, room: Room) -> None:
    """Read the message of the day and the limits again, from the environment and the files."""
    try:
        settings = load()
        motd = files.read_motd(settings)
    except SettingRefused as error:
        log.error("nothing has changed: %s", error)
        return
    except Exception:  # A signal handler calls this: an exception would end the model and all connections.
        log.exception("nothing has changed: the settings could not be read again, because of a bug in the server")
        return
    limits = settings.limits()
    if (limits.burst, limits.rate) != (room.limits.burst, room.limits.rate):
        room.line_limits.change(limits)
    room.motd, room.limits, listener.limits = motd, limits, limits
    listener.max_clients, listener.max_per_ip = settings.max_clients, settings.max_per_ip
    log.info("the message of the day and the limits were read again")
    if waiting := [name for name in FIXED if getattr(settings, name) != getattr(started_with, name)]:
        names = ", ".join(name.replace("_", "-") for name in waiting)
        log.warning("changes of %s take effect at the next start", names)


def print_line(line: str) -> None:
    """Print a line for the program that started the server. That program need not read it."""
    try:
        os.write(STDOUT_DESCRIPTOR, f"{line}\n".encode())
    except OSError as error:
        log.warning("standard output cannot be written (%s): %s", error.strerror, line)


def wants_console(settings: Settings) -> bool:
    """Whether all standard streams are a terminal in which the user can type commands."""
    if settings.no_console or settings.operator_key_file == STDIN:
        return False
    return os.environ.get("TERM", "") not in DUMB_TERMS and _in_foreground()


def _in_foreground() -> bool:
    try:
        on_terminal = os.isatty(STDIN_DESCRIPTOR) and os.isatty(STDOUT_DESCRIPTOR)
        # A background job (`chat-server &`) would be stopped when it reads the first key.
        return on_terminal and os.tcgetpgrp(STDIN_DESCRIPTOR) == os.getpgrp()
    except OSError:
        return False  # It is not the terminal of this session.


def exec_console(args: Sequence[str], settings: Settings) -> NoReturn:
    """Replace this process by the console (`tui.console`), which keeps the pid.

    The console starts a server with the command line `args` as its child, without a terminal. So the server never
    imports code for a screen. The console reads the operator's key where the server would read it, and makes one if
    there is none.
    """
    program = three_chat_rooms.command_line("tui.console", settings.operator_key_file, *args)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # An ignored signal would stay ignored in the new program.
    os.execv(sys.executable, program)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command, and exit with its code."""
    status = run_command(args)
    drop_unwritten_output()
    sys.exit(status)


def run_command(args: Sequence[str] | None) -> int:
    """Run the command; returns its exit code. An error has been printed by then."""
    words = list(sys.argv[1:] if args is None else args)
    try:
        status = command.main(words, prog_name="chat-server", standalone_mode=False, obj=words)
        return int(status or 0)
    except click.ClickException as error:
        return print_error(f"{error.format_message()} (chat-server --help lists the options)", EXIT_USAGE)
    except SettingRefused as error:
        return print_error(str(error), EXIT_USAGE)
    except (CannotListen, handover.CannotStart, Failed) as error:
        return print_error(str(error), EXIT_FAILURE)
    except OSError as error:  # The output of --help cannot be written, or the system has no resources left.
        return print_error(f"cannot go on: {error.strerror or error}", EXIT_FAILURE)
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except Exception:
        log.exception("the server could not start; this is a bug")
        return print_error("the server could not start, because of a bug; see the log", EXIT_FAILURE)


def print_error(sentence: str, status: int) -> int:
    """Print the error, and return the exit code."""
    try:
        click.echo(f"chat-server: {sanitize(sentence)}", err=True)
    except OSError:
        pass  # Standard error cannot be written. The exit code still shows the failure.
    return status
