"""A person reads: far back, with a keyboard on the screen, in a flood, with a screen reader, with large text."""

import asyncio
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenPhone
from tests.browser.phone import Phone
from tests.browser.room import WebRoom

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
AT_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"


async def test_reading_back_stays_where_it_is(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees_lines(bob, range(80))
    line = phone.lines.filter(has_text="line 40")
    await phone.log.evaluate("log => { log.scrollTop = log.scrollHeight / 2; }")
    await expect(phone.newer).to_be_hidden()
    before = await top_of(line)
    for number in range(12):
        bob.say(f"more {number}")
    await expect(phone.newer).to_have_text("↓ 12 new")
    assert await top_of(line) == before
    await phone.newer.click()
    await expect(phone.newer).to_be_hidden()
    assert await phone.log.evaluate(AT_END)


async def test_log_keeps_400_lines_in_a_flood(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees("ada joined")
    await phone.sees_lines(bob, range(600))
    assert await phone.texts() == [f"line {number}" for number in range(200, 600)]
    assert await phone.lines.count() == 400
    assert await phone.log.evaluate(AT_END)


async def test_flood_keeps_the_place_of_a_reader(room: WebRoom, open_phone: OpenPhone) -> None:
    """Old lines are removed above the place that a person reads, and the place stays."""
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees_lines(bob, range(400))
    line = phone.lines.filter(has_text="line 300")
    await line.evaluate("line => line.scrollIntoView()")
    await expect(phone.newer).to_be_hidden()
    for number in range(400, 800):
        bob.say(f"line {number}")
    await expect(phone.newer).to_have_text("↓ 400 new")
    before = await top_of(line)
    for number in range(800, 900):
        bob.say(f"line {number}")
    await expect(phone.newer).to_have_text("↓ 500 new")
    assert await top_of(line) == pytest.approx(before, abs=2)  # A browser scrolls by whole pixels of the screen.
    assert await phone.lines.count() == 800


async def test_keyboard_covers_neither_field_nor_line(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees("ada joined")
    await phone.sees_lines(bob, range(40))
    assert await phone.log.evaluate(AT_END)
    await phone.page.set_viewport_size({"width": 390, "height": 420})
    await expect(phone.field).to_be_in_viewport(ratio=1)
    await expect(phone.lines.last).to_be_in_viewport(ratio=1)
    assert await phone.log.evaluate(AT_END)


async def test_keyboard_of_ios_covers_nothing(room: WebRoom, open_phone: OpenPhone) -> None:
    """The keyboard of iOS makes only the visual viewport smaller, and moves it. Zooming in changes nothing."""
    phone = await (await open_phone(room)).join("ada")
    fit = "view => { Object.defineProperty(window, 'visualViewport', {value: view, configurable: true}); fit(); }"
    for view in ({"scale": 1, "height": 420, "offsetTop": 50}, {"scale": 2, "height": 200, "offsetTop": 0}):
        await phone.page.evaluate(fit, view)
        box = await phone.page.locator("#shell").bounding_box()
        assert box is not None
        assert (box["y"], box["height"]) == (50, 420)


async def test_layout_fits_each_screen(room: WebRoom, open_phone: OpenPhone) -> None:
    """Landscape, small windows and a desktop. A text of 200 % leaves half as many CSS pixels in each direction."""
    boss = room.operator()
    boss.command("pin", text="slides: https://example.org/" + "x" * 100)
    for width, height in ((844, 390), (844, 220), (320, 256), (1920, 1080), (195, 422)):
        phone = await open_phone(room, viewport={"width": width, "height": height})
        await expect(phone.door).to_be_in_viewport(ratio=1)
        await phone.join(f"ada{width}-{height}")
        await phone.field.fill("a draft of several rows " * 20)
        boss.say("a line with " + "a-long-word" * 30)
        await phone.sees("a line with")
        await expect(phone.field).to_be_in_viewport(ratio=1)
        await expect(phone.page.locator("#send")).to_be_in_viewport(ratio=1)
        assert await phone.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        assert await phone.log.evaluate("log => log.scrollWidth <= log.clientWidth")
        assert await phone.log.evaluate("log => log.clientHeight") >= 40
        await phone.page.locator("summary").click()
        await expect(phone.page.get_by_role("button", name="Who is here")).to_be_in_viewport()


async def test_fields_have_text_of_16_pixels(room: WebRoom, open_phone: OpenPhone) -> None:
    """iOS zooms into a field with smaller text."""
    phone = await (await open_phone(room)).join("ada")
    sizes = "ids => ids.map(id => parseFloat(getComputedStyle(document.getElementById(id)).fontSize))"
    assert min(await phone.page.evaluate(sizes, ["nick", "text"])) >= 16


async def test_screen_reader_is_not_flooded(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.page.evaluate(
        """() => {
          window.heard = [];
          const told = document.getElementById("aloud");
          const keep = () => heard.push([performance.now(), told.textContent]);
          new MutationObserver(keep).observe(told, {childList: true});
        }"""
    )
    await phone.sees("ada joined")
    for number in range(60):
        bob.say(f"line {number}")
        await asyncio.sleep(0.05)
    await phone.evaluates("heard.length >= 2 && heard[heard.length - 1][1].endsWith('line 59')")
    heard: list[tuple[float, str]] = await phone.page.evaluate("heard")
    *words, last = [text for _, text in heard]
    assert all(re.fullmatch(r"\d+ lines\. The last: bob: line \d+", text) for text in words)
    assert re.fullmatch(r"(\d+ lines\. The last: )?bob: line 59", last)  # Only the end can be a single line.
    assert all(later - sooner >= 2400 for (sooner, _), (later, _) in pairwise(heard))
    assert await phone.log.get_attribute("aria-live") == "off"


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_axe_finds_nothing(room: WebRoom, open_phone: OpenPhone, scheme: str) -> None:
    """No line is half hidden, and nothing moves: axe-core takes what is above a line for its background."""
    boss = room.operator()
    screen = {"width": 390, "height": 3000}
    phone = await open_phone(room, color_scheme=scheme, viewport=screen, bypass_csp=True)
    assert await violations(phone) == []
    boss.command("pin", text="slides: https://example.org/rooms")
    await phone.join("ada")
    for number in range(16):
        guest = room.member(f"guest{number}")
        guest.say(f"hello {number}")
        guest.say("ada, look at https://example.org/rooms")
    boss.say("\n".join(map(str, range(20))))
    boss.sees("ada", "guest15")
    boss.switch("thread")
    boss.command("slow", seconds=60)
    for text in ("/who", "/dance", "first", "second"):
        await phone.say(text)
    await phone.sees("there is no command /dance")
    await phone.sees("first")
    await expect(phone.page.locator("#unsaid > p")).to_have_count(1)
    assert await violations(phone) == []
    await phone.page.locator("summary").click()
    assert await violations(phone) == []
    await phone.page.get_by_role("button", name="Change your nickname").click()
    assert await violations(phone) == []
    room.stop()
    await expect(phone.state).to_be_visible()
    assert await violations(phone) == []


async def top_of(line: Locator) -> float:
    box = await line.bounding_box()
    assert box is not None
    return box["y"]


async def violations(phone: Phone) -> list[Any]:
    """Return the rules of axe-core that the page breaks, with the elements."""
    await phone.page.evaluate(AXE)
    found = await phone.page.evaluate("axe.run()")
    return [
        (one["id"], [(node["html"], node["failureSummary"]) for node in one["nodes"]]) for one in found["violations"]
    ]
