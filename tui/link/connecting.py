"""Connecting to a room: look the name up, try its addresses, describe a failure, and compute the delay after it.

The standard library looks names up in a thread that the interpreter joins when it exits, so a name server that does not
answer would keep a client from leaving. Here the thread is a daemon.
"""

import asyncio
import errno
import os
import re
import socket
import threading
from collections import deque
from concurrent.futures import Future
from typing import cast

SocketAddress = tuple[str, int] | tuple[str, int, int, int]
Found = list[tuple[socket.AddressFamily, SocketAddress]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NEXT_ADDRESS_DELAY_S = 0.25
"""Seconds until the next address is tried while the previous one has not answered (RFC 8305, section 5)."""
FIRST_DELAY_S, MAX_DELAY_S = 0.5, 15.0
"""Delay between two attempts: doubled each time, then shortened by a random share of up to a half (jitter), so that
an audience that lost its room does not reconnect at the same moment."""


def look_up(host: str, port: int) -> "Future[Found]":
    """Start to look a name up. The future's result is a list of at least one address; its exception is an OSError."""
    found: Future[Found] = Future()
    found.set_running_or_notify_cancel()  # It cannot be cancelled any more, so the thread can always set it.

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
    """Connect to the first address of the host that answers. Raises the OSError of the last address if all fail."""
    found: Found = await asyncio.wrap_future(look_up(host, port))
    waiting = deque(found)
    attempts: set[asyncio.Task[Streams]] = set()
    error: BaseException = OSError("the name has no address")
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_connect_to(waiting.popleft()[1])))
            done, attempts = await asyncio.wait(
                attempts, timeout=NEXT_ADDRESS_DELAY_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
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


def back_off(attempt: int, chance: float, first: float = FIRST_DELAY_S, longest: float = MAX_DELAY_S) -> float:
    """Seconds to wait after failed attempt number `attempt`, which starts at 1. `chance` is a random number from 0 to 1
    for the jitter; `first` and `longest` bound the delay before jitter."""
    return min(longest, first * 2.0 ** min(attempt - 1, 30)) * (1 - chance / 2)


def plain_reason(error: OSError) -> str:
    """Describe why there is no connection, without errno values."""
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    # For a name with several addresses, asyncio joins their errors into one string.
    told = re.search(r"\[Errno (\d+)\]", str(error))
    number = error.errno or (int(told[1]) if told else 0)
    match number:
        case errno.ECONNREFUSED:
            return "nobody listens there"
        case errno.ECONNRESET | errno.EPIPE:
            return "the connection broke"
        case 0:
            return "the network failed"
        case _:
            return os.strerror(number).lower()
