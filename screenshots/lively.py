"""A lively room for the pictures: a real server, and guests that talk over real connections."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import cycle
from time import monotonic

from protocol.messages import Said, Switch
from tui.address import Address
from tui.hosting.hosted_server import HostedServer, HostOptions
from tui.link.room_link import RoomLink

PATIENCE = 15.0
CROWD = (
    "grace",
    "alan",
    "barbara",
    "edsger",
    "tony",
    "donald",
    "frances",
    "ken",
    "radia",
    "leslie",
    "margaret",
    "linus",
)
SMALL_TALK = ("yes", "no", "is it faster now?", "hello from row 12", "👍", "I can see it", "one more time", "wow")
RUN_BY = {
    "process": ("so each of us has a process now?", "and if mine crashes, you talk on"),
    "thread": ("so each of us has a thread now?", "sharing is easy, if you take the lock"),
    "event": ("so all of us are in one event loop now?", "one thread, and nobody waits for anybody"),
}
AFTERWARDS = (
    ("Zoë", "I did not notice a thing"),
    ("李雷", "the bar at the bottom did 🎉"),
)


def talk(model: str) -> tuple[tuple[str, str], ...]:
    """Return the lines of a conversation in a room run by `model`: nickname and text of each."""
    question, answer = RUN_BY[model]
    return (
        ("bob", "is this thing on?"),
        ("cleo", "loud and clear from the last row"),
        ("bob", f"{question} https://example.org/three-chat-rooms"),
        ("Zoë", answer),
        ("李雷", "大家好 👋 greetings from the balcony"),
        (
            "cleo",
            "the server fits on a slide:\nwhile True:\n    for key, _ in selector.select():\n        key.data(key)",
        ),
        ("dan", "/me tries to break it"),
        ("dan", "\x1b[2J\x1b[31m[@click=app.exit]did that work?[/]"),
        ("Zoë", "no 🙂"),
        ("bob", "ada, which one is next?"),
    )


class Guests:
    """Members of the room, by nickname."""

    def __init__(self, server: HostedServer, address: Address) -> None:
        self._server = server
        self._address = address
        self._links: dict[str, RoomLink] = {}
        self._heard: list[str] = []
        self._running: list[asyncio.Task[None]] = []

    async def join(self, *nicks: str) -> None:
        """Join the room, one after the other."""
        for nick in nicks:
            link = RoomLink(self._address, nick, on_events=self._hear, on_state=lambda state: None)
            self._links[nick] = link
            self._running.append(asyncio.create_task(link.run()))
            await until(partial(_is_online, link))

    async def settle(self) -> None:
        """Wait until each guest has the whole roster: the room gathers joins for a quarter of a second."""
        await until(lambda: all(len(link.client.people) >= len(self._links) for link in self._links.values()))

    async def talk(self, lines: Sequence[tuple[str, str]]) -> None:
        """Say these lines, each after the previous one was delivered. Lines of other members are skipped."""
        for nick, text in lines:
            if link := self._links.get(nick):
                action = text.startswith("/me ")
                id = link.say(text.removeprefix("/me "), action)
                await until(partial(self._heard.__contains__, id))

    async def chatter(self, seconds: float) -> None:
        """Have all guests talk at once, a few lines a second each."""
        words = cycle(SMALL_TALK)
        until_then = monotonic() + seconds
        while monotonic() < until_then:
            for link in self._links.values():
                link.say(next(words))
            await asyncio.sleep(0.25)

    async def switch(self, model: str) -> None:
        """Switch the model: the first guest becomes an operator."""
        link = next(iter(self._links.values()))
        link.operator(self._server.operator_key)
        await until(lambda: link.client.is_operator)
        link.send_command(Switch(model))

    async def close(self) -> None:
        for link in self._links.values():
            await link.close()
        await asyncio.gather(*self._running)

    def _hear(self, events: Sequence[object]) -> None:
        self._heard += [event.id for event in events if isinstance(event, Said)]


async def until(true: Callable[[], object]) -> None:
    """Wait until `true()` is true. Raises TimeoutError after PATIENCE seconds."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  # what a screen shows sets no event
            await asyncio.sleep(0.03)


def _is_online(link: RoomLink) -> bool:
    return link.state.phase == "online"


class Room:
    """A server, and the address at which clients join it."""

    def __init__(self, server: HostedServer, address: Address) -> None:
        self.server = server
        self.address = address


@asynccontextmanager
async def room(model: str, *options: str, ssh_port: int | None = None) -> AsyncIterator[Room]:
    """A server on a free port of this machine."""
    server = HostedServer(HostOptions(model, ("127.0.0.1:0",), ("--rate-limit", "off", *options), ssh_port=ssh_port))
    try:
        yield Room(server, await server.start())
    finally:
        await server.stop()


@asynccontextmanager
async def guests(room: Room, *nicks: str) -> AsyncIterator[Guests]:
    """Guests that have joined. They leave at the end of the context."""
    them = Guests(room.server, room.address)
    try:
        await them.join(*nicks)
        yield them
    finally:
        await them.close()
