"""OwnRoom: the room we host, from its opening to its end, and the sentence that says why it ended."""

from collections.abc import Callable

from protocol.text import harmless
from tui.address import Address
from tui.hosting.hosted_server import CannotHost, HostedServer, HostOptions


class OwnRoom:
    """A hosted server with its story: `ended` says why it is gone, and is empty while it stands or opens."""

    def __init__(self, options: HostOptions) -> None:
        self.server = HostedServer(options)
        self.ended = ""
        self._closing = False

    async def stand(self, opened: Callable[[Address], None]) -> None:
        """Open the room, or open it again, and call `opened` with the address to join. Returns when it has ended."""
        self.ended = ""
        try:
            address = await self.server.start()
        except CannotHost as error:
            self.ended = f"The room could not be opened: {harmless(str(error))}"
            return
        opened(address)
        code = await self.server.wait()
        if not self._closing:
            last = next((f": {line}" for line in reversed(self.server.last_log_lines) if line.strip()), "")
            self.ended = f"The room's server has ended, with exit code {code}{harmless(last)}"

    async def close(self) -> None:
        """End the room, with everybody told."""
        self._closing = True
        await self.server.stop()
