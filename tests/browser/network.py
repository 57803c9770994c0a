"""Network: what is between a phone and the room, with a delay, a rate, and connections that die without a word."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType


class Network:
    """Forwards TCP to `target` in the running event loop, as an asynchronous context manager."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self.delay_s = 0.0
        """Seconds that each piece of data takes, in both directions."""
        self.bytes_per_s = 0.0
        """The rate of a connection in a direction; 0 means no limit."""
        self.connections = 0
        """Connections so far."""
        self._deaf_until = 0
        self._pumps: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def kill_silently(self) -> None:
        """Forward nothing more on the connections so far. Their ends are told nothing. Later connections work."""
        self._deaf_until = self.connections

    async def __aenter__(self) -> "Network":
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, phone: asyncio.StreamReader, to_phone: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        server, to_server = await asyncio.open_connection(*self._target)
        self._writers |= {to_phone, to_server}
        for reader, writer in ((phone, to_server), (server, to_phone)):
            pump = asyncio.create_task(self._pump(reader, writer, lambda: number <= self._deaf_until))
            self._pumps.add(pump)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_deaf: Callable[[], bool]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                await self._take_time(len(data))
                if not is_deaf():
                    writer.write(data)
                    await writer.drain()
        if not is_deaf():
            writer.close()

    def _take_time(self, size: int) -> Awaitable[None]:
        return asyncio.sleep(self.delay_s + (size / self.bytes_per_s if self.bytes_per_s else 0.0))
