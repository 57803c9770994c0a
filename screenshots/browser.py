"""The page of the room in a browser: a phone, or a window on a desktop. It needs `chromium`."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Page, async_playwright, expect

from screenshots.lively import Room
from screenshots.paint import FOLDER

PROGRAM = "chromium"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1100, "height": 720}


def is_installed() -> bool:
    """Whether a browser is here."""
    return shutil.which(PROGRAM) is not None


@asynccontextmanager
async def page_of(room: Room, scheme: Literal["dark", "light"], size: dict[str, int]) -> AsyncIterator[Page]:
    """The page of `room`, at its prompt."""
    is_phone = size == PHONE
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which(PROGRAM))
        page = await browser.new_page(
            viewport={"width": size["width"], "height": size["height"]},
            device_scale_factor=2 if is_phone else 1,
            is_mobile=is_phone,
            has_touch=is_phone,
            color_scheme=scheme,
        )
        await page.goto(f"http://{room.address}/")
        yield page
        await browser.close()


async def join(page: Page, nick: str) -> None:
    """Join the room."""
    await page.fill("#nick", nick)
    await page.press("#nick", "Enter")
    await expect(page.locator("#say")).to_be_visible()


async def say(page: Page, text: str) -> None:
    """Say a line, and wait until the room has answered it."""
    await page.fill("#text", text)
    await page.press("#text", "Enter")
    await sees(page, text)


async def sees(page: Page, text: str) -> None:
    """Wait for a line with this text."""
    await expect(page.locator("#lines > p", has_text=text).last).to_be_visible()


async def draw(page: Page, name: str) -> None:
    """Write `screenshots/NAME.png`, without the cursor."""
    await page.screenshot(path=FOLDER / f"{name}.png", caret="hide")
