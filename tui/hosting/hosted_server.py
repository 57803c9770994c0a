"""HostedServer: the room that `chat-tui --host` opens, from its opening to its end: a ServerProcess, where it listens,
the key of its operator, which is made here, its log, and the sentence that says why it ended.
"""

import errno
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from msgspec import Struct

from protocol.sanitize import sanitize
from tui.address import DEFAULT_PORT, Address
from tui.hosting.invitation import is_loopback
from tui.hosting.log_file import LogFile
from tui.hosting.network_addresses import own_addresses
from tui.hosting.server_process import SIGNAL_EXIT_BASE, ServerProcess, address_to_join, format_exit
from tui.hosting.server_process import CannotHost as CannotHost

EVERYWHERE = "0.0.0.0"
FAMILIES = {EVERYWHERE: (socket.AF_INET,), "::": (socket.AF_INET, socket.AF_INET6)}
"""What reaches a server that is bound to every interface."""


class HostOptions(Struct, frozen=True):
    """What the hosted server is told. None leaves the choice to the server's own configuration; without `bind` it is
    all interfaces at port 2000, or a free port where that is taken."""

    model: str | None = None
    bind: tuple[str, ...] = ()
    server_options: tuple[str, ...] = ()
    """Further options for the server's command line, as `--motd`, `FILE`."""
    log: Path | None = None
    """A file to add its log to."""


class HostedServer:
    """A room of our own, from `start` to `stop`. It can be started again after it has ended."""

    def __init__(self, options: HostOptions | None = None) -> None:
        """Raises CannotHost where the log cannot be opened."""
        self.options = options or HostOptions()
        self.operator_key = secrets.token_urlsafe(32).encode()
        self.bound: tuple[Address, ...] = ()
        """What the server listens on; kept for the next start, so that whoever was there finds the room again."""
        self.ended = ""
        """Why the room is gone, in a sentence; empty while it stands or opens, and where it was we who ended it."""
        self.exit_code = 0
        """What `ended` is to a shell: 0 where nothing failed, 2 where an option will not do, else 1."""
        log = self.options.log
        self._process = ServerProcess(LogFile(log).add if log is not None else lambda line: None)
        self._stopping = False
        self._state: IO[bytes] | None = None
        """Where the server keeps the rules, for the server that is started when it has died."""

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._process.pid

    @property
    def invitations(self) -> list[Address]:
        """The addresses to tell others, best first: those of the network, or the ones that were asked for."""
        addresses = dict.fromkeys(address for bound in self.bound for address in _reached_by(bound))
        return sorted(addresses, key=lambda address: is_loopback(address.host))

    async def start(self) -> Address:
        """Start the server and wait until it listens. Returns the address to join. Raises CannotHost."""
        self.ended, self.exit_code, self._stopping = "", 0, False
        if self._state is None:
            self._state = open_state_file()
        arguments, descriptors = self._arguments(), []
        if self._state is not None:
            descriptors = [self._state.fileno()]
            arguments += ["--state-descriptor", str(descriptors[0])]
        self.bound = await self._process.start(arguments, self.operator_key, descriptors=descriptors)
        return address_to_join(self.bound[0])

    async def run_until_ended(self, opened: Callable[[Address], None]) -> None:
        """Start it, call `opened` with the address to join, and wait until it has ended; `ended` and `exit_code` say
        why."""
        try:
            address = await self.start()
        except CannotHost as failure:
            self.ended, self.exit_code = f"The room could not be opened: {sanitize(str(failure))}", failure.exit_code
            return
        opened(address)
        code = await self.wait()
        if not self._stopping:
            self.ended = "The room is closed." if code == 0 else self._failure(code)
            self.exit_code = int(code != 0)

    def _failure(self, code: int) -> str:
        # Of what ended it from outside, its log knows nothing.
        words = self._process.error_sentence if code <= SIGNAL_EXIT_BASE else ""
        return f"The room's server {format_exit(code)}{': ' if words else ''}{words or '.'}"

    async def wait(self) -> int:
        """Wait until the server has ended. Returns its exit code, 128 + N where signal N ended it. Its log is read."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the server, with everybody told: SIGTERM, SIGKILL after 5 seconds. Harmless to call twice."""
        self._stopping = True
        await self._process.stop()
        if self._state is not None:
            self._state.close()
            self._state = None

    def _arguments(self) -> list[str]:
        usual = f"{EVERYWHERE}:{DEFAULT_PORT if _is_free(DEFAULT_PORT) else 0}"
        bind = [word for one in self.bound or self.options.bind or (usual,) for word in ("--bind", str(one))]
        model = ["--model", self.options.model] if self.options.model else []
        ours = ["--no-console", *bind, "--operator-key-file", "-"]
        return [*ours, *model, *self.options.server_options]


def _reached_by(bound: Address) -> list[Address]:
    """The addresses that lead to a server that listens there."""
    if bound.host not in FAMILIES:
        return [bound]
    hosts = [host for family in FAMILIES[bound.host] for host in own_addresses(family)]
    return [Address(host, bound.port) for host in hosts] or [address_to_join(bound)]


def open_state_file() -> IO[bytes] | None:
    """A file without a name, which nobody else can open and which ends with us; None where there is no place for it."""
    try:
        if hasattr(os, "memfd_create"):  # Linux: no disk that could be full.
            return os.fdopen(os.memfd_create("chat-rules"), "r+b", buffering=0)
        return TemporaryFile(buffering=0)
    except OSError:
        return None


def _is_free(port: int) -> bool:
    """Whether we could listen there. Another may be faster before the server does: then it says so, and ends."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((EVERYWHERE, port))
        except OSError as error:
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True
