"""A real Chromium, phones in it, and rooms that they join. One browser serves all tests of a session."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.network import Network
from tests.browser.phone import PHONE, Phone
from tests.browser.room import HOST, STRANGE_HOST, WebRoom

OpenPhone = Callable[..., Awaitable[Phone]]
OpenRoom = Callable[..., WebRoom]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    # Names that lead to this machine, as an address in a network does: the page is as insecure as there.
    names = f"MAP {HOST} 127.0.0.1, MAP {STRANGE_HOST} 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[f"--host-resolver-rules={names}"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_phone(chromium: Browser) -> AsyncIterator[OpenPhone]:
    """`await open_phone(room, **options)` opens the page on a phone; with `expect_errors`, its errors are not faults.
    `options` are those of playwright's `new_context`."""
    phones: list[Phone] = []

    async def open_one(room: WebRoom, *, expect_errors: bool = False, url: str = "", **options: Any) -> Phone:
        context = await chromium.new_context(**{**PHONE, **options})
        phone = Phone(await context.new_page(), url or room.url, expect_errors)
        phones.append(phone)
        await phone.open()
        return phone

    yield open_one
    for phone in phones:
        await phone.page.context.close()
    for phone in phones:
        assert phone.expects_errors or not phone.errors


@pytest.fixture
def open_room(tmp_path: Path) -> Iterator[OpenRoom]:
    """`open_room(model="event", *options)` starts a server."""
    rooms: list[WebRoom] = []

    def start(model: str = "event", *options: str) -> WebRoom:
        rooms.append(WebRoom(tmp_path, model, *options))
        return rooms[-1]

    yield start
    for room in rooms:
        room.close()


@pytest.fixture
def room(open_room: OpenRoom) -> WebRoom:
    return open_room()


@pytest_asyncio.fixture(loop_scope="session")
async def network(room: WebRoom) -> AsyncIterator[Network]:
    """A network between the phones and `room`."""
    async with Network(room.server.address) as between:
        yield between
