"""A phone scans the code on the host's join card, and is in the room."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.phone import PHONE, Phone
from tests.tui.acting import acting
from tests.tui.raster import decoded
from tui.hosting.hosted_server import HostOptions

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_code_of_the_card_opens_the_room(chromium: Browser) -> None:
    async with acting(None, "ada", host=HostOptions(bind=("127.0.0.1:0",)), size=(100, 30)) as ada:
        await ada.press("f4")
        await ada.until(lambda: decoded(ada.app.screen) != [], "to show a code")
        [link] = decoded(ada.app.screen)
        context = await chromium.new_context(**PHONE)
        phone = Phone(await context.new_page(), link)
        await phone.open()
        await phone.join("bob")
        await ada.press("escape")
        await phone.say("I scanned it")
        await ada.sees("I scanned it")
        await expect(phone.count).to_have_text("2 connections")
        await context.close()
        assert phone.errors == []
