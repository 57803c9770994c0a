"""Reaching a host by its name: looking the name up, and connecting to the first of its addresses that answers.

The standard library looks names up in a thread that the interpreter waits for when it ends, so that a name server that
does not answer would keep a client from leaving. Here the thread is a daemon, and nothing waits for it.
"""

import asyncio
import socket
import threading
from collections import deque
from concurrent.futures import Future
from typing import cast

SocketAddress = tuple[str, int] | tuple[str, int, int, int]
Found = list[tuple[socket.AddressFamily, SocketAddress]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NEXT_ADDRESS_AFTER = 0.25
"""Seconds until the next address is tried beside one that has not answered yet (RFC 8305, section 5)."""


def look_up(host: str, port: int) -> "Future[Found]":
    """Begin to look a name up; the future holds its addresses, at least one, or an OSError."""
    found: Future[Found] = Future()
    found.set_running_or_notify_cancel()  # From here on it cannot be cancelled, and always gets its result.

    def ask() -> None:
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([(family, cast(SocketAddress, address)) for family, _, _, _, address in told])
        except UnicodeError:  # A label of the name is empty, or too long.
            found.set_exception(socket.gaierror(socket.EAI_NONAME, "there is no such host"))
        except (OSError, OverflowError) as error:
            found.set_exception(error)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    return found


async def connect(host: str, port: int) -> Streams:
    """A connection to the first address of the host that answers. Raises OSError, of the last address that failed."""
    found: Found = await asyncio.wrap_future(look_up(host, port))
    waiting = deque(found)
    attempts: set[asyncio.Task[Streams]] = set()
    error: BaseException = OSError("the name has no address")
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_connect_to(waiting.popleft()[1])))
            done, attempts = await asyncio.wait(
                attempts, timeout=NEXT_ADDRESS_AFTER if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            connected = [task for task in done if task.exception() is None]
            for task in connected[1:]:
                task.result()[1].close()
            if connected:
                return connected[0].result()
            error = next((failed for task in done if (failed := task.exception())), error)
        raise error
    finally:
        for task in attempts:
            task.cancel()


async def _connect_to(address: SocketAddress) -> Streams:
    if len(address) == 4 and (zone := address[3]):
        return await asyncio.open_connection(f"{address[0]}%{zone}", address[1])
    return await asyncio.open_connection(address[0], address[1])
