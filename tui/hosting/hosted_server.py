"""HostedServer: the room that `chat-tui --host` opens: a ServerProcess, where it listens, and the key of
its operator, which is made here."""

import errno
import secrets
import socket

from msgspec import Struct

from tui.address import DEFAULT_PORT, Address
from tui.hosting.reach import own_addresses
from tui.hosting.server_process import LOG_LINES as LOG_LINES
from tui.hosting.server_process import CannotHost as CannotHost
from tui.hosting.server_process import ServerProcess, to_join

EVERYWHERE = "0.0.0.0"


class HostOptions(Struct, frozen=True):
    """What the hosted server is told. None leaves the choice to the server's own configuration; without `bind` it is
    all interfaces at port 2000, or a free port where that is taken."""

    model: str | None = None
    bind: str | None = None
    server_options: tuple[str, ...] = ()
    """Further options for the server's command line, as `--motd`, `FILE`."""


class HostedServer:
    """A room of our own, from `start` to `stop`. It can be started again after it has ended."""

    def __init__(self, options: HostOptions | None = None) -> None:
        self.options = options or HostOptions()
        self.operator_key = secrets.token_urlsafe(32).encode()
        self.bound: Address | None = None
        """What the server listens on; kept for the next start, so that whoever was there finds the room again."""
        self._process = ServerProcess()

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._process.pid

    @property
    def last_log_lines(self) -> list[str]:
        """The end of what the server wrote to its log, oldest first. Not harmless: it may hold what strangers sent."""
        return self._process.last_log_lines

    @property
    def invitations(self) -> list[Address]:
        """The addresses to tell others, best first: those of the network, or the one that was asked for."""
        if self.bound is None:
            return []
        if self.bound.host not in (EVERYWHERE, "::"):
            return [self.bound]
        return [Address(host, self.bound.port) for host in own_addresses()] or [to_join(self.bound)]

    async def start(self) -> Address:
        """Start the server and wait until it listens. Returns the address to join. Raises CannotHost."""
        self.bound = await self._process.start(self._arguments(), self.operator_key)
        return to_join(self.bound)

    async def wait(self) -> int:
        """Wait until the server has ended. Returns its exit code, 128 + N where signal N ended it. Its log is read."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the server, with everybody told: SIGTERM, SIGKILL after 5 seconds. Harmless to call twice."""
        await self._process.stop()

    def _arguments(self) -> list[str]:
        bind = self.bound or self.options.bind or f"{EVERYWHERE}:{DEFAULT_PORT if _is_free(DEFAULT_PORT) else 0}"
        model = ["--model", self.options.model] if self.options.model else []
        ours = ["--no-console", "--bind", str(bind), "--operator-key-file", "-"]
        return [*ours, *model, *self.options.server_options]


def _is_free(port: int) -> bool:
    """Whether we could listen there. Another may be faster before the server does: then it says so, and ends."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((EVERYWHERE, port))
        except OSError as error:
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True
