"""Proxy: a bad network between participants and server, which forwards TCP with seeded faults.

Each connection has its own delay and splits. In addition, all can be throttled and single ones reset.
"""

import asyncio
import socket
from contextlib import suppress
from random import Random

from tests.checker.narrow import READ_AHEAD_BYTES, narrow
from tests.checker.resets import reset

MAX_DELAY_S = 0.03
"""Seconds."""
MIN_PIECE_BYTES, MAX_PIECE_BYTES = 1, 2000
"""Bytes of a piece that is forwarded."""
THROTTLED_BYTES_PER_S = 4000
"""Bytes a second for each connection while all are throttled."""


class Proxy:
    """Started with `start`, and ended with `close`."""

    def __init__(self, target: tuple[str, int], random: Random) -> None:
        self.address = ("", 0)
        self.throttled = False
        self._target = target
        self._random = random
        self._clients: dict[int, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        """Stop listening, and abort all connections."""
        if self._server:
            self._server.close()
        for writer in list(self._clients.values()):
            writer.transport.abort()

    def ports(self) -> list[int]:
        """Return the remote ports of its clients."""
        return sorted(self._clients)

    def reset(self, port: int) -> None:
        """Reset the connection from this port."""
        if writer := self._clients.get(port):
            reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("peername")[1]
        self._clients[port] = writer
        upstream: asyncio.StreamWriter | None = None
        try:
            from_server, upstream = await self._connect()
            random = Random(self._random.random())
            delay = random.uniform(0, MAX_DELAY_S)
            pumps = [
                asyncio.create_task(self._pump(reader, upstream, delay, random)),
                asyncio.create_task(self._pump(from_server, writer, delay, random)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            # The data that one side sent before it closed must still arrive at the other.
            await asyncio.wait(pumps, timeout=0.5)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # The server is down. Closing the connection tells the participant.
        finally:
            self._clients.pop(port, None)
            for end in (writer, upstream):
                if end is not None:
                    end.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the server by a narrow connection, so that the server soon notices a slow network."""
        sock = socket.socket()
        sock.setblocking(False)
        narrow(sock)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self._target)
        except BaseException:
            sock.close()
            raise
        return await asyncio.open_connection(sock=sock, limit=READ_AHEAD_BYTES)

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float, random: Random
    ) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                await asyncio.sleep(delay)
                await self._write(target, data, random)
            target.write_eof()

    async def _write(self, target: asyncio.StreamWriter, data: bytes, random: Random) -> None:
        while data:
            size = random.randint(MIN_PIECE_BYTES, MAX_PIECE_BYTES) if len(data) < 20 * MAX_PIECE_BYTES else len(data)
            piece, data = data[:size], data[size:]
            target.write(piece)
            await target.drain()
            if self.throttled:
                await asyncio.sleep(len(piece) / THROTTLED_BYTES_PER_S)
            elif data:
                await asyncio.sleep(random.uniform(0, 0.002))
