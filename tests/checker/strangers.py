"""Strangers: connections of no participant. Some send nothing, some speak another protocol or none."""

import asyncio
from random import Random

from tests.checker.resets import reset

GARBAGE_KINDS_AT_ONCE = 4
GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: room\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b'{"type":"hello","nick":',
    b'{"type":"say","id":"","text":"' + b"x" * 70_000,
    b"\xff\xfe\x00\x01\n" * 50,
    b"\r\n\r\n\r\n",
    b'{"type":"hello","nick":"' + b"a" * 3000 + b'"}\n' + b"[" * 3000 + b"\n",
    b"x" * 200_000,
)


async def keep_silent(address: tuple[str, int], seconds: float) -> float | None:
    """Connect and send nothing for `seconds`.

    Returns the seconds after which the server closed the connection; None if it did not, or refused it.
    """
    loop = asyncio.get_running_loop()
    try:
        reader, writer = await asyncio.open_connection(*address)
    except OSError:
        return None
    began = loop.time()
    try:
        await asyncio.wait_for(reader.read(), seconds)
        return loop.time() - began
    except TimeoutError:
        return None
    except OSError:  # It was reset.
        return loop.time() - began
    finally:
        writer.transport.abort()


async def talk_garbage(address: tuple[str, int], random: Random) -> None:
    """Send several kinds of garbage, each on two connections."""
    await asyncio.gather(
        *(_stranger(address, random, data) for data in random.sample(GARBAGE, GARBAGE_KINDS_AT_ONCE) * 2)
    )


async def _stranger(address: tuple[str, int], random: Random, data: bytes) -> None:
    """Connect, send the data, read nothing, and after a while reset or close the connection."""
    try:
        _, writer = await asyncio.open_connection(*address)
    except OSError:
        return
    writer.write(data)
    await asyncio.sleep(random.uniform(0.2, 3))
    if random.random() < 0.5:
        reset(writer)
    else:
        writer.close()
