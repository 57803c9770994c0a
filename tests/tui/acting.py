"""A person at the full screen: presses keys, reads the screen, and waits for text on it with a deadline."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from textual import events
from textual._context import visible_screen_stack
from textual.pilot import Pilot

from tests.running import PATIENCE
from tui.address import Address
from tui.app import ChatApp
from tui.client import RoomClient
from tui.hosting.hosted_server import HostedServer, HostOptions
from tui.screens.chat import ChatScreen
from tui.screens.join_card import JoinCard
from tui.settings import Settings
from tui.widgets.composer import Composer

KEYS = {" ": "space", "/": "slash", "@": "at", ".": "full_stop", "-": "minus", "_": "underscore", ":": "colon"}


class Actor:
    """A person and their screen."""

    def __init__(self, app: ChatApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def rows(self) -> list[str]:
        """The rows of the screen as they are drawn now."""
        # A dialog draws the screens behind it, and Textual caches the result: without them, a later picture has none.
        visible_screen_stack.set(self.app._background_screens)
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def picture(self) -> str:
        return "\n".join(self.rows)

    @property
    def bar(self) -> str:
        """The text of the status bar, with single blanks."""
        return " ".join("".join(self.rows[-1:]).split())

    @property
    def chat(self) -> ChatScreen:
        assert isinstance(self.app.chat_screen, ChatScreen), self.picture
        return self.app.chat_screen

    @property
    def written(self) -> str:
        """The text of the input line."""
        return self.chat.query_one(Composer).text

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str, *then: str) -> None:
        await self.pilot.press(*(KEYS.get(char, char) for char in text), *then)

    async def paste(self, text: str) -> None:
        assert self.app.focused is not None
        self.app.focused.post_message(events.Paste(text))
        await self.pilot.pause()

    async def says(self, text: str) -> None:
        """Write a line and send it."""
        assert self.app.focused is not None
        self.app.focused.post_message(events.Paste(text))
        await self.until(lambda: self.written.endswith(text), f"to have written {text!r}")
        await self.press("enter")

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await self.until(lambda text=text: text in self.picture, f"to see {text!r}")

    async def sees_in_bar(self, text: str) -> None:
        await self.until(lambda: text in self.bar, f"the status bar to say {text!r}")

    async def sees_no(self, text: str) -> None:
        await self.until(lambda: text not in self.picture, f"to see {text!r} no more")

    async def until(self, true: Callable[[], object], what: str) -> None:
        deadline = monotonic() + PATIENCE
        while not true():
            shown = self.picture if monotonic() > deadline else ""
            assert not shown, f"in {PATIENCE} s it did not come true: {what}; the screen shows:\n{shown}"
            await asyncio.sleep(0.03)

    async def enters(self, nick: str) -> None:
        """Enter a nickname at the prompt, and wait for the room."""
        await self.type(nick, "enter")
        await self.is_in()

    async def is_in(self) -> None:
        await self.until(lambda: isinstance(self.app.screen, ChatScreen | JoinCard), "to be let in")
        if self.app.client.hosted_server is not None:
            await self.until(lambda: isinstance(self.app.screen, JoinCard), "the join card")
            await self.press("escape")
            await self.until(lambda: isinstance(self.app.screen, ChatScreen), "the room")
        await self.until(lambda: self.app.focused is not None, "to be able to write")

    async def leaves(self) -> None:
        """Leave by the key, without a question."""
        await self.press("ctrl+q")
        await self.has_left()

    async def has_left(self) -> None:
        await self.until(lambda: self.app.return_code is not None, "to leave")


@asynccontextmanager
async def acting(
    address: Address | None,
    nick: str = "",
    *,
    host: HostOptions | None = None,
    settings: Settings | None = None,
    size: tuple[int, int] = (100, 30),
    monotonic: Callable[[], float] = monotonic,
    **more: object,
) -> AsyncIterator[Actor]:
    """The app with a person at it. It ends with the context."""
    server = HostedServer(host) if host is not None else None
    client = RoomClient(address, nick, hosted_server=server, settings=settings, **more)  # type: ignore[arg-type]  # as they came
    app = ChatApp(client, monotonic=monotonic)
    async with app.run_test(size=size, notifications=True) as pilot:
        actor = Actor(app, pilot)
        try:
            if nick:
                await actor.is_in()
            yield actor
        finally:
            if server is not None:
                await server.stop()
