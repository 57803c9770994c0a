"""Links to real rooms that record their events, and a relay that can cut, hold and drop connections."""

import asyncio
from collections.abc import Callable
from time import monotonic

from protocol.client import Gap, Received
from protocol.messages import Said
from tests.running import PATIENCE, Server
from tui.address import Address
from tui.link.room_link import LinkState, RoomLink


async def until(true: Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
    """Wait until `true()`, with a deadline; fail with `what`."""
    deadline = monotonic() + patience
    while not true():
        assert monotonic() < deadline, f"in {patience} s it did not come true: {what}"
        await asyncio.sleep(0.01)


class Linked:
    """A running RoomLink, and all its events."""

    def __init__(self, address: Address, nick: str) -> None:
        self.batches: list[list[Received]] = []
        self.states: list[LinkState] = []
        self.notes: list[str] = []
        self.link = RoomLink(
            address, nick, on_events=self.batches.append, on_state=self.states.append, on_note=self.notes.append
        )
        self.running = asyncio.create_task(self.link.run())

    @property
    def events(self) -> list[Received]:
        return [event for batch in self.batches for event in batch]

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Said)]

    @property
    def gaps(self) -> list[int | None]:
        return [event.missed for event in self.events if isinstance(event, Gap)]

    async def online(self) -> None:
        await until(lambda: self.link.state.phase == "online", f"online; it was {self.states}")

    async def hears(self, text: str) -> None:
        await until(lambda: text in self.said, f"to hear {text!r}; it was {self.said[-5:]}")


def address_of(server: Server) -> Address:
    return Address(*server.address)


class Relay:
    """A relay between a link and its room, on its own port."""

    def __init__(self, room: Address) -> None:
        self.address = Address("127.0.0.1", 0)
        self.deaf = False
        """Drop what the room says."""
        self._room = room
        self._away = False
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._meet, self.address.host, self.address.port)
        self.address = Address(*self._server.sockets[0].getsockname()[:2])

    def cut(self) -> None:
        """Break all connections, and accept none until `mend`."""
        self._away, self.deaf = True, False
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def mend(self) -> None:
        self._away = False

    async def close(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._away:
            writer.transport.abort()
            return
        room_reader, room_writer = await asyncio.open_connection(self._room.host, self._room.port)
        self._writers += [writer, room_writer]
        for source, target, from_room in ((reader, room_writer, False), (room_reader, writer, True)):
            task = asyncio.create_task(self._carry(source, target, from_room))
            self._tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, from_room: bool) -> None:
        try:
            while data := await source.read(65536):
                if not (from_room and self.deaf):
                    target.write(data)
            target.close()
        except ConnectionError:
            target.transport.abort()
