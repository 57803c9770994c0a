"""Hostile members and hostile sites: text stays text, and another site cannot use the room."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPhone
from tests.browser.room import STRANGE_HOST, WebRoom

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]
HOSTILE = (
    "<script>window.broken = 1</script>",
    "<img src=x onerror=window.broken=1>",
    "</p></div><form action=//strange.test>",
    "{{7*7}} ${7*7} %s",
    'https://example.org/"onmouseover=alert(1)',
    "https://example.org/<b>x</b>",
    "javascript:window.broken=1",
    "\u202egnp.exe \u2066x",
    "a" * 1990,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
)
BROKEN_IN = """() => {
  document.body.insertAdjacentHTML("beforeend",
    '<img src=x onerror="window.broken=2"><iframe srcdoc="x"></iframe>'
    + '<a id=strange href="javascript:window.broken=3">x</a>'
    + '<p id=styled style="color: red">x</p>');
  const script = document.createElement("script");
  script.textContent = "window.broken = 4";
  document.body.append(script);
  document.getElementById("strange").click();
}"""


async def test_hostile_text_stays_text(room: WebRoom, open_phone: OpenPhone) -> None:
    eve = room.member("eve")
    phone = await (await open_phone(room)).join("ada")
    for text in HOSTILE:
        eve.say(text)
    eve.say("that was all")
    await phone.sees("that was all")
    tags = await phone.log.evaluate(
        "log => [...new Set([...log.querySelectorAll('p, p *')].map(one => one.tagName))].sort()"
    )
    assert set(tags) <= {"A", "B", "BUTTON", "P", "SPAN", "TIME"}
    assert await phone.page.locator("#lines a").evaluate_all("links => links.map(link => link.href)") == [
        "https://example.org/",
        "https://example.org/",
    ]
    assert await phone.page.evaluate("window.broken") is None
    assert await phone.log.evaluate("log => log.scrollWidth <= log.clientWidth")


async def test_policy_stops_markup_that_got_in(room: WebRoom, open_phone: OpenPhone) -> None:
    """If a fault of the page let markup in, the Content-Security-Policy would stop it."""
    phone = await (await open_phone(room, expect_errors=True)).join("ada")
    assert phone.errors == []
    await phone.page.evaluate(BROKEN_IN)
    await expect(phone.page.locator("#styled")).not_to_have_css("color", "rgb(255, 0, 0)")
    await phone.say("still here")
    await phone.sees("still here")
    assert await phone.page.evaluate("window.broken") is None
    assert any("Content Security Policy" in error for error in phone.errors)


async def test_another_site_cannot_join(room: WebRoom, open_phone: OpenPhone) -> None:
    """A page of another site, whose name leads to this machine, opens the WebSocket and reads the page."""
    phone = await open_phone(room, expect_errors=True)
    await phone.page.route(f"http://{STRANGE_HOST}:{room.port}/", lambda route: route.fulfill(body="a strange page"))
    await phone.page.goto(f"http://{STRANGE_HOST}:{room.port}/")
    opened = """url => new Promise(done => {
      const socket = new WebSocket(url);
      socket.onopen = () => done("open");
      socket.onerror = () => done("refused");
    })"""
    assert await phone.page.evaluate(opened, f"ws://room.test:{room.port}/room") == "refused"
    assert await phone.page.evaluate(opened, f"ws://127.0.0.1:{room.port}/room") == "refused"
    assert await phone.page.evaluate("url => fetch(url).then(() => 'read', () => 'blocked')", room.url) == "blocked"


async def test_unknown_host_gets_no_page(room: WebRoom, open_phone: OpenPhone) -> None:
    """DNS rebinding: a name of a stranger leads to this machine, and the browser takes the room for that site."""
    phone = await open_phone(room, expect_errors=True)
    answer = await phone.page.goto(f"http://{STRANGE_HOST}:{room.port}/")
    assert answer is not None
    assert answer.status == 421
    assert "three-chat-rooms" not in await answer.text()


async def test_page_asks_for_nothing_else(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    asked: list[str] = []
    phone.page.on("request", lambda request: asked.append(request.url))
    await phone.open()
    await phone.join("ada")
    assert [url for url in asked if not url.startswith("data:")] == [room.url]
