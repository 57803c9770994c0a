"""Phone: a person with a page of the room."""

import asyncio
from typing import Any

from playwright.async_api import CDPSession, ConsoleMessage, Error, Page, expect

from tests.peers import PATIENCE, RichPeer

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "color_scheme": "dark",
    "timezone_id": "UTC",
}
"""A phone of 2020 and later, in portrait."""
NOT_OURS = ("Failed to load resource", "WebSocket connection to")
"""Chromium's own messages about a connection that fails."""

expect.set_options(timeout=PATIENCE * 1000)


class Phone:
    """A page, and the faults that it has told."""

    def __init__(self, page: Page, url: str, expects_errors: bool = False) -> None:
        self.page = page
        self.url = url
        self.expects_errors = expects_errors
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", self._on_error)
        page.on("console", self._on_console)
        self.door, self.field = page.locator("#nick"), page.locator("#text")
        self.log, self.lines = page.locator("#log"), page.locator("#lines > p")
        self.state, self.model = page.locator("#state"), page.locator("#model")
        self.served, self.count, self.newer = page.locator("#served"), page.locator("#count"), page.locator("#newer")

    async def open(self) -> None:
        await self.page.goto(self.url)

    async def join(self, nick: str) -> "Phone":
        await self.door.fill(nick)
        await self.door.press("Enter")
        await self.is_in_room()
        return self

    async def is_in_room(self) -> None:
        """Wait until the page is in the room, and has told the person so."""
        await expect(self.page.locator("#say")).to_be_visible()
        await expect(self.state).to_be_hidden()

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def sees(self, text: str) -> None:
        """Wait until a line of the log has this text."""
        await expect(self.lines.filter(has_text=text).last).to_be_attached()

    async def sees_lines(self, speaker: RichPeer, numbers: range) -> None:
        """Have a member say a line for each number, as `line 7`, and wait until the log has the last."""
        for number in numbers:
            speaker.say(f"line {number}")
        await self.sees(f"line {numbers[-1]}")

    async def texts(self) -> list[str]:
        """Return the texts of all lines."""
        texts: list[str] = await self.lines.evaluate_all(
            "lines => lines.map(line => line.querySelector('span').textContent)"
        )
        return texts

    async def evaluates(self, expression: str) -> None:
        """Wait until the expression is true. The policy of the page forbids playwright's `wait_for_function`."""
        async with asyncio.timeout(PATIENCE):
            while not await self.page.evaluate(expression):  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.03)

    async def devtools(self) -> CDPSession:
        return await self.page.context.new_cdp_session(self.page)

    def _on_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(NOT_OURS):
            self.errors.append(message.text)
