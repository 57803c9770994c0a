"""The pictures. Each is a short scene: a person at the real screen, in a real room, with real guests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Literal

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from screenshots import browser
from screenshots.lively import AFTERWARDS, CROWD, Room, guests, room, talk, until
from screenshots.paint import write
from screenshots.terminal import Terminal, module
from tui.address import Address
from tui.app import ChatApp
from tui.client import RoomClient
from tui.hosting.hosted_server import ANY_FREE_PORT, HostedServer, HostOptions
from tui.screens.chat import ChatScreen

HOSTED_AT = "127.0.0.1:2000"
SIZE = (100, 30)
LINE_SIZE = (80, 24)
SMALL = (80, 20)
SPEAKERS = ("bob", "cleo", "dan", "Zoë", "李雷")
BEFORE = {"process": "event", "thread": "process", "event": "thread"}
"""The model that runs the room before the switch to each."""


class OnTheNetwork(HostedServer):
    """A room that shows an address for documentation (RFC 5737) as its network address.

    It listens on this machine only, and all else in the picture is real.
    """

    @property
    def invitations(self) -> list[Address]:
        return [Address("192.0.2.7")] if self.bound else []


class Person:
    """A person at the screen."""

    def __init__(self, app: ChatApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def sees(self, text: str) -> None:
        await until(lambda: any(text in strip.text for strip in self.app.screen._compositor.render_strips()))

    async def says(self, text: str) -> None:
        chat = self.app.chat_screen
        assert isinstance(chat, ChatScreen)
        chat.composer.write(text)
        await self.pilot.press("enter")

    async def draw(self, name: str) -> None:
        """Write the picture, with a cursor that does not blink."""
        for field in (*self.app.screen.query(TextArea), *self.app.screen.query(Input)):
            field.cursor_blink = False
        await asyncio.sleep(0.3)
        await self.pilot.pause()
        write(name, self.app.export_screenshot(title="chat-tui"))


@asynccontextmanager
async def person(
    address: Address | None, nick: str = "ada", *, host: HostOptions | None = None, size: tuple[int, int] = SIZE
) -> AsyncIterator[Person]:
    """A person at the full screen, already in the room if `nick` is given."""
    server = OnTheNetwork(host) if host is not None else None
    app = ChatApp(RoomClient(address, nick, hosted_server=server))
    async with app.run_test(size=size) as pilot:
        try:
            someone = Person(app, pilot)
            if nick and address is not None:
                await until(lambda: isinstance(app.screen, ChatScreen))
            yield someone
        finally:
            if server is not None:
                await server.stop()


async def prompt(name: str) -> None:
    """The first screen: the prompt for a nickname."""
    async with room("event") as server, person(server.address, "", size=SMALL) as ada:
        await ada.pilot.press(*"ada")
        await ada.draw(name)


async def busy(name: str, *, model: str) -> None:
    """The view of a guest of the same evening with each model: a conversation, and a switch to the model."""
    before = BEFORE[model]
    async with room(before) as server, guests(server, *SPEAKERS) as them, person(server.address) as ada:
        await them.join(*CROWD)
        await them.settle()
        await them.talk(talk(before))
        await ada.says("@dan nice try. Let us change the engine, while you talk")
        await them.switch(model)
        await ada.sees("carried over in")
        await them.talk(AFTERWARDS)
        await ada.sees(AFTERWARDS[-1][1])
        await ada.draw(name)


async def search(name: str) -> None:
    """The search for a word."""
    async with room("event") as server, guests(server, *SPEAKERS) as them, person(server.address) as ada:
        await them.join(*CROWD)
        await them.settle()
        await them.talk(talk("event"))
        await ada.pilot.press("ctrl+f", *"one")
        await ada.sees(" of ")
        await ada.draw(name)


@asynccontextmanager
async def host() -> AsyncIterator[Person]:
    """A person that has opened a room, at the join card."""
    with TemporaryDirectory() as folder:  # The key of the ssh door is not the person's own.
        more = ("--rate-limit", "off", "--ssh-host-key", f"{folder}/key")
        async with person(None, host=HostOptions("process", (HOSTED_AT,), more, ssh_port=ANY_FREE_PORT)) as ada:
            await ada.sees("Only ssh is encrypted")
            yield ada


def hosted_by(ada: Person) -> Room:
    """Return the room of a host, with its address on this machine."""
    server = ada.app.client.hosted_server
    assert server is not None
    return Room(server, server.bound[0])


async def join_card(name: str) -> None:
    """The join card, which a host sees first and shows to the audience."""
    async with host() as ada:
        await ada.sees("1 here")
        await ada.draw(name)


async def meter(name: str) -> None:
    """The view of a host: the meter after all three models have run."""
    async with host() as ada:
        await ada.pilot.press("escape", "f2")
        async with guests(hosted_by(ada), *SPEAKERS) as them:
            await them.join(*CROWD)
            await them.settle()
            for key in ("f7", "f8", "f6"):
                await them.chatter(3.2)  # The meter is updated once a second.
                await ada.pilot.press(key)
                await them.settle()
            await them.chatter(2.2)
            await ada.says("thank you for trying to break it")
            await them.talk((*talk("process")[-4:], *AFTERWARDS))
            await ada.draw(name)


async def stage(name: str) -> None:
    """The stage, for the projector."""
    async with host() as ada:
        await ada.pilot.press("escape")
        async with guests(hosted_by(ada), *SPEAKERS) as them:
            await them.join(*CROWD)
            await them.settle()
            await asyncio.gather(ada.pilot.press("f5"), them.talk((*talk("process"), *AFTERWARDS) * 2))
            await asyncio.sleep(1.2)
            await ada.draw(name)


async def line_mode(name: str) -> None:
    """`chat-tui --plain` in a terminal."""
    async with room("thread") as server, guests(server, *SPEAKERS) as them:
        await them.join(*CROWD)
        with Terminal(module("tui", "--plain", str(server.address), "-n", "ada"), LINE_SIZE) as terminal:
            await terminal.sees("18")
            await them.talk(talk("thread")[:6])
            terminal.type("the same room, in line mode\r")
            await terminal.sees("the same room, in line mode")
            await them.talk(talk("thread")[8:9])
            terminal.type("/st")
            await asyncio.sleep(1)
            write(name, terminal.svg("chat-tui --plain"))


async def ssh(name: str) -> None:
    """A guest by ssh, with nothing installed."""
    with TemporaryDirectory() as folder:
        async with room("event", "--ssh-host-key", f"{folder}/key", ssh_port=ANY_FREE_PORT) as server:
            await until(lambda: server.server.ssh is not None)
            door = server.server.ssh
            assert door is not None
            options = [f"-oUserKnownHostsFile={folder}/known", "-oStrictHostKeyChecking=no", "-oLogLevel=ERROR"]
            async with guests(server, *SPEAKERS) as them:
                await them.join(*CROWD)
                with Terminal(["ssh", *options, "-p", str(door.port), "ada@127.0.0.1"], LINE_SIZE) as terminal:
                    await terminal.sees("you are in the room")
                    await them.talk(talk("event")[:6])
                    terminal.type("no program of yours, and still here\r")
                    await terminal.sees("and still here")
                    await them.switch("thread")
                    await terminal.sees("carried over")
                    await them.talk(AFTERWARDS)
                    terminal.type("/whe")
                    await asyncio.sleep(1)
                    write(name, terminal.svg("ssh -p 2022 ada@192.0.2.7"))


async def console(name: str) -> None:
    """`chat-server` in a terminal: its log, and below it the input line of the operator."""
    with Terminal(module("server", "-v", "--bind", HOSTED_AT, "--rate-limit", "off"), LINE_SIZE) as terminal:
        await terminal.sees("lines/s")
        async with guests(Room(HostedServer(), Address.parse(HOSTED_AT)), *SPEAKERS) as them:
            await them.settle()
            await them.talk(talk("event")[:2])
            terminal.type("/model thread\r")
            await terminal.sees("≋ thread")
            await them.talk(talk("thread")[2:4])
            terminal.type("/pin questions at the end\r")
            await terminal.sees("console pinned: questions at the end")
            await them.talk(AFTERWARDS)
            await terminal.sees(AFTERWARDS[0][1])
            terminal.type("/ki")
            await asyncio.sleep(1.2)  # The toolbar is updated once a second.
            write(name, terminal.svg("chat-server"))


async def web_prompt(name: str) -> None:
    """The page on a phone, before the room."""
    async with room("event") as server, browser.page_of(server, "dark", browser.PHONE) as page:
        await page.fill("#nick", "ada")
        await browser.draw(page, name)


async def web(name: str, *, model: str, scheme: Literal["dark", "light"], size: dict[str, int]) -> None:
    """The page after a switch to the model, in the same evening as the full screen."""
    before = BEFORE[model]
    async with room(before) as server, guests(server, *SPEAKERS) as them:
        await them.join(*CROWD)
        await them.settle()
        async with browser.page_of(server, scheme, size) as page:
            await browser.join(page, "ada")
            await browser.sees(page, "ada joined")
            await them.talk(talk(before))
            await browser.say(page, "@dan nice try. Let us change the engine, while you talk")
            await them.switch(model)
            await browser.sees(page, "carried over in")
            await them.talk(AFTERWARDS)
            await browser.sees(page, AFTERWARDS[-1][1])
            await browser.draw(page, name)


PICTURES: dict[str, Callable[[str], Coroutine[None, None, None]]] = {
    "prompt": prompt,
    "room-process": partial(busy, model="process"),
    "room-thread": partial(busy, model="thread"),
    "room-event": partial(busy, model="event"),
    "search": search,
    "host-card": join_card,
    "host-meter": meter,
    "host-stage": stage,
    "line-mode": line_mode,
    "ssh": ssh,
    "console": console,
    "web-prompt": web_prompt,
    "web-process": partial(web, model="process", scheme="dark", size=browser.PHONE),
    "web-thread": partial(web, model="thread", scheme="dark", size=browser.PHONE),
    "web-event": partial(web, model="event", scheme="light", size=browser.PHONE),
    "web-desktop": partial(web, model="thread", scheme="light", size=browser.DESKTOP),
}
