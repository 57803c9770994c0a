"""HostedServer: the room that `chat-tui --host` opens.

It has the ServerProcess, the addresses, a generated operator key, the log file, and the reason of its end.
"""

import errno
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from msgspec import Struct

from protocol.sanitize import sanitize
from tui.address import DEFAULT_PORT, Address
from tui.hosting.invitation import SshEntrance, own_addresses
from tui.hosting.server_process import SIGNAL_EXIT_BASE, LogFile, ServerProcess, format_exit
from tui.hosting.server_process import CannotHost as CannotHost

EVERYWHERE = "0.0.0.0"
FIRST_SSH_PORT, SSH_PORT_ATTEMPTS = 2022, 20
"""The usual port for guests by ssh, and how many ports from there on are tried."""
ANY_FREE_PORT = 0
FAMILIES = {EVERYWHERE: (socket.AF_INET,), "::": (socket.AF_INET, socket.AF_INET6)}
"""Address families that reach a server which is bound to all interfaces."""


class HostOptions(Struct, frozen=True):
    """Options of the hosted server. None leaves the choice to the server's own configuration. Without `bind`, it
    listens on all interfaces at port 2000, or at a free port if that is in use."""

    model: str | None = None
    bind: tuple[str, ...] = ()
    server_options: tuple[str, ...] = ()
    """Further options for the server's command line, such as `--motd`, `FILE`."""
    log: Path | None = None
    """The file to which its log is appended."""
    ssh_port: int | None = None
    """The port for guests by ssh; 0 is port 2022 or the next free one, and None leaves ssh out."""
    address: Address | None = None
    """The address that guests use; its port 0 is the server's. None is the address that is most likely reached."""


class HostedServer:
    """A hosted room, from `start` to `stop`. It can be started again after it has ended."""

    def __init__(self, options: HostOptions | None = None) -> None:
        """Raises CannotHost if the log cannot be opened."""
        self.options = options or HostOptions()
        self.operator_key = secrets.token_urlsafe(32).encode()
        self.bound: tuple[Address, ...] = ()
        """The addresses of the server. The next start binds to them again, so that clients can reconnect."""
        self.end_reason = ""
        """A sentence that says why the server ended. Empty while it starts or runs, and after `stop`."""
        self.exit_code = 0
        """The exit code that matches `end_reason`: 0 without a failure, 2 for an invalid option, else 1."""
        log = self.options.log
        self._process = ServerProcess(LogFile(log).add if log is not None else lambda line: None)
        self._stopping = False
        self._preferred: Address | None = None
        self._ssh_port = self.options.ssh_port
        """As in the options, and a fixed port once one was chosen: clients remember the key of a host and a port."""
        self._state: IO[bytes] | None = None
        """The file in which the server stores the room's rules, for a server that is started after a crash."""

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    @property
    def ssh(self) -> SshEntrance | None:
        """Where guests come by ssh, once they can."""
        return self._process.ssh

    @property
    def invitations(self) -> list[Address]:
        """The addresses for others to join: the preferred one, else the most likely one, and then the others in turn.
        They are the `address` of the options, and this machine's addresses or the ones given by `bind`."""
        addresses = dict.fromkeys(address for bound in self.bound for address in _reached_by(bound))
        ranked = sorted(addresses, key=lambda address: address.is_loopback)
        if self.bound and (given := self.options.address) is not None:
            given = Address(given.host, given.port or self.bound[0].port)
            ranked = [given, *(address for address in ranked if address != given)]
        start = ranked.index(self._preferred) if self._preferred in ranked else 0
        return ranked[start:] + ranked[:start]

    def prefer(self, address: Address) -> None:
        """Put one of the `invitations` first from now on."""
        self._preferred = address

    async def start(self) -> Address:
        """Start the server and wait until it listens. Returns the address to join. Raises CannotHost."""
        self.end_reason, self.exit_code, self._stopping = "", 0, False
        if self._state is None:
            self._state = open_state_file()
        arguments, descriptors = self._arguments(), []
        if self._state is not None:
            descriptors = [self._state.fileno()]
            arguments += ["--state-descriptor", str(descriptors[0])]
        self.bound = await self._process.start(arguments, self.operator_key, descriptors=descriptors)
        return self.bound[0].from_here()

    async def run_until_ended(self, opened: Callable[[Address], None]) -> None:
        """Start the server, call `opened` with the address to join, and wait until the server has ended. Then
        `end_reason` and `exit_code` have the reason."""
        try:
            address = await self.start()
        except CannotHost as failure:
            self.end_reason = f"The room could not be opened: {sanitize(str(failure))}"
            self.exit_code = failure.exit_code
            return
        opened(address)
        code = await self.wait()
        if not self._stopping:
            self.end_reason = "The room is closed." if code == 0 else self._failure(code)
            self.exit_code = int(code != 0)

    def _failure(self, code: int) -> str:
        # The log does not say which signal ended the server.
        words = self._process.error_sentence if code <= SIGNAL_EXIT_BASE else ""
        return f"The room's server {format_exit(code)}{': ' if words else ''}{words or '.'}"

    async def wait(self) -> int:
        """Wait until the server has ended and its log is read. Returns its exit code, or 128 + N after signal N."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the server: SIGTERM, on which it says goodbye to all clients, and SIGKILL after 5 seconds. Idempotent."""
        self._stopping = True
        await self._process.stop()
        if self._state is not None:
            self._state.close()
            self._state = None

    def _arguments(self) -> list[str]:
        default = f"{EVERYWHERE}:{DEFAULT_PORT if _is_free(DEFAULT_PORT) else 0}"
        bind = [word for one in self.bound or self.options.bind or (default,) for word in ("--bind", str(one))]
        model = ["--model", self.options.model] if self.options.model else []
        common = ["--no-console", *bind, "--operator-key-file", "-"]
        if self._ssh_port == ANY_FREE_PORT:
            self._ssh_port = _first_free(range(FIRST_SSH_PORT, FIRST_SSH_PORT + SSH_PORT_ATTEMPTS))
        ssh = ["--ssh", str(self._ssh_port)] if self._ssh_port is not None else []
        # A browser may use the name only if the server knows it.
        given = self.options.address
        name = ["--web-name", given.host] if given is not None and given.is_name else []
        return [*common, *ssh, *model, *name, *self.options.server_options]


def _reached_by(bound: Address) -> list[Address]:
    """The addresses that lead to a server which is bound to `bound`."""
    if bound.host not in FAMILIES:
        return [bound]
    hosts = [host for family in FAMILIES[bound.host] for host in own_addresses(family)]
    return [Address(host, bound.port) for host in hosts] or [bound.from_here()]


def open_state_file() -> IO[bytes] | None:
    """Open a file without a name, which no other process can open and which ends with this one. None if that fails."""
    try:
        if hasattr(os, "memfd_create"):  # Linux: in memory, so a full disk does not matter.
            return os.fdopen(os.memfd_create("chat-rules"), "r+b", buffering=0)
        return TemporaryFile(buffering=0)
    except OSError:
        return None


def _first_free(ports: Iterable[int]) -> int:
    """The first of these ports that is free; 0 for any free one if none of them is."""
    return next(filter(_is_free, ports), 0)


def _is_free(port: int) -> bool:
    """Whether the port is free. If another process takes it first, the server reports that and ends."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((EVERYWHERE, port))
        except OSError as error:
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True
