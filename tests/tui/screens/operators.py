"""An operator at the full screen, in a real room with other members."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.running import OPERATOR_KEY, Server
from tests.tui.acting import Actor, acting
from tests.tui.links import address_of
from tui.address import Address


@asynccontextmanager
async def acting_operator(
    server: Server, *, size: tuple[int, int] = (100, 30), address: Address | None = None, **more: object
) -> AsyncIterator[Actor]:
    """`boss` is an operator of the room at `address`, or of the server's room."""
    async with acting(address or address_of(server), "boss", size=size, **more) as boss:
        boss.app.client.link.operator(OPERATOR_KEY.encode())
        await boss.until(lambda: boss.app.client.is_operator, "to be the operator")
        yield boss
