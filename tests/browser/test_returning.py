"""A phone whose page, connection or server goes away: it comes back as the same person, with each missed line once."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPhone, OpenRoom
from tests.browser.network import Network
from tests.browser.room import HOST, WebRoom
from tests.peers import wait_until

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_reload_brings_back_the_same_person(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    bob.say("before")
    await phone.sees("before")
    await phone.page.goto("about:blank")
    bob.say("meanwhile")
    bob.sync()
    await phone.open()
    await phone.is_in_room()
    await phone.sees("meanwhile")
    texts = await phone.texts()
    assert (texts.count("before"), texts.count("meanwhile")) == (1, 1)
    await expect(phone.served).to_contain_text("you are ada,")
    await expect(phone.lines.locator(".gap")).to_have_count(0)
    bob.sees("ada", "bob")
    assert len(bob.people()) == 2


async def test_reload_shows_only_the_last_events(open_room: OpenRoom, open_phone: OpenPhone) -> None:
    """A reload brings the last 60 events, and tells of no gap although the earlier ones are not shown again."""
    room = open_room()
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees("ada joined")
    await phone.sees_lines(bob, range(100))
    await phone.open()
    await phone.sees("line 99")
    texts = [text for text in await phone.texts() if text.startswith("line")]
    assert texts == [f"line {number}" for number in range(40, 100)]
    assert await phone.page.locator("#lines > .gap").count() == 0


async def test_lost_events_are_told(open_room: OpenRoom, open_phone: OpenPhone) -> None:
    """The server keeps the last 10 events. A reload asks for 60; the earlier ones were seen before, so none is lost."""
    room = open_room("event", "--keep", "10")
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees("ada joined")
    await phone.sees_lines(bob, range(80))
    await phone.page.goto("about:blank")
    await phone.open()
    await phone.sees("line 79")
    await expect(phone.page.locator("#lines > .gap")).to_have_count(0)
    await phone.page.goto("about:blank")
    for number in range(80, 120):
        bob.say(f"line {number}")
    bob.sync()
    await phone.open()
    await phone.sees("line 119")
    await expect(phone.page.locator("#lines > .gap")).to_have_text(
        re.compile(r"^3\d things that happened here are lost$")
    )


async def test_private_window_may_keep_nothing(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})"
    await phone.page.add_init_script(refuse)
    await phone.open()
    await phone.join("ada")
    await phone.say("I keep nothing")
    await phone.sees("I keep nothing")
    await phone.open()
    await expect(phone.door).to_have_value("")


async def test_text_that_was_typed_outlives_a_reload(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    await phone.field.fill("half a thought")
    await phone.open()
    await phone.is_in_room()
    await expect(phone.field).to_have_value("half a thought")


async def test_frozen_page_catches_up(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    devtools = await phone.devtools()
    await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    for number in range(20):
        bob.say(f"frozen {number}")
    bob.sync()
    await devtools.send("Page.setWebLifecycleState", {"state": "active"})
    await phone.sees("frozen 19")
    assert [text for text in await phone.texts() if "frozen" in text] == [f"frozen {number}" for number in range(20)]


async def test_dead_socket_is_replaced_when_seen(room: WebRoom, network: Network, open_phone: OpenPhone) -> None:
    """After a sleep the socket says that it is open, and nothing comes through. The page finds out in 2.5 seconds."""
    bob = room.member("bob")
    phone = await (await open_phone(room, url=f"http://{HOST}:{network.port}/")).join("ada")
    bob.say("one")
    await phone.sees("one")
    network.kill_silently()
    bob.say("two, in the sleep")
    await phone.say("three, into nothing")
    bob.sync()
    before = network.connections
    await phone.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await phone.sees("two, in the sleep")
    await phone.sees("three, into nothing")
    assert network.connections == before + 1
    texts = await phone.texts()
    assert [texts.count(text) for text in ("one", "two, in the sleep", "three, into nothing")] == [1, 1, 1]
    assert bob.expect("said", nick="ada")["text"] == "three, into nothing"
    await expect(phone.state).to_be_hidden()


async def test_living_socket_is_kept_when_seen(room: WebRoom, network: Network, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room, url=f"http://{HOST}:{network.port}/")).join("ada")
    before = network.connections
    for event in ("pageshow", "online"):
        await phone.page.evaluate("event => dispatchEvent(new Event(event))", event)
    await phone.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    bob.say("still the same connection")
    await phone.sees("still the same connection")
    assert network.connections == before


async def test_restart_keeps_nickname_and_lines(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    room.stop()
    await expect(phone.state).to_contain_text("trying again. What you write is kept.")
    await phone.say("said while it was gone")
    await expect(phone.page.locator("#unsaid > p")).to_contain_text("said while it was gone")
    room.restart()
    await phone.page.locator("#remedy").click()
    await phone.sees("this room does not know you: it was opened anew")
    await phone.sees("said while it was gone")
    await expect(phone.page.locator("#unsaid > p")).to_have_count(0)
    assert (await phone.texts()).count("said while it was gone") == 1
    await expect(phone.served).to_contain_text("you are ada,")
    await phone.is_in_room()


async def test_nickname_taken_during_a_restart(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    room.stop()
    await expect(phone.state).to_contain_text("trying again")
    await phone.page.evaluate("disconnect()")  # It waits for the button.
    room.restart()
    other = room.member("ada")
    await phone.page.locator("#remedy").click()
    await phone.is_in_room()
    other.sees("ada", "ada2")
    await expect(phone.served).to_contain_text("you are ada2,")
    await phone.sees("ada is taken, so you are ada2")


async def test_page_finds_the_room_by_itself(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    room.stop()
    await expect(phone.state).to_be_visible()
    room.restart()
    await phone.is_in_room()
    room.member("bob").sees("ada")


async def test_unsaid_line_outlives_a_reload(room: WebRoom, network: Network, open_phone: OpenPhone) -> None:
    """The line was sent, and the answer to it was lost. The room knows its id, and delivers it once."""
    bob = room.member("bob")
    phone = await (await open_phone(room, url=f"http://{HOST}:{network.port}/")).join("ada")
    network.kill_silently()
    await phone.say("into nothing")
    await phone.open()
    await phone.sees("into nothing")
    bob.expect("said", nick="ada", text="into nothing")
    await phone.say("and the next")
    assert bob.expect("said", nick="ada")["text"] == "and the next"
    await expect(phone.page.locator("#unsaid > p")).to_have_count(0)


async def test_second_tab_takes_over(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    other = await phone.page.context.new_page()
    await other.goto(room.url)
    await expect(other.locator("#served")).to_contain_text("you are ada,")
    await expect(phone.state).to_contain_text("You are in the room in another tab or window.")
    bob.say("to the other tab")
    await expect(other.locator("#lines")).to_contain_text("to the other tab")
    await phone.page.get_by_role("button", name="Come back here").click()
    await phone.sees("to the other tab")
    await expect(other.locator("#state")).to_contain_text("another tab")
    assert (await phone.texts()).count("to the other tab") == 1
    bob.sees("ada", "bob")
    assert len(bob.people()) == 2


async def test_kicked_person_does_not_return_alone(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    phone = await (await open_phone(room)).join("ada")
    boss.sees("ada")
    boss.command("kick", nick="ada", reason="enough")
    await expect(phone.state).to_contain_text("Goodbye: boss kicked you: enough.")
    await phone.page.get_by_role("button", name="Join again").click()
    await phone.is_in_room()


async def test_banned_person_is_told_why(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    phone = await (await open_phone(room)).join("ada")
    boss.sees("ada")
    boss.command("ban", nick="ada")
    await expect(phone.state).to_contain_text("Goodbye: boss banned you for")
    await phone.open()
    await expect(phone.page.locator("#why")).to_contain_text("you are banned for another")
    wait_until(lambda: boss.people() == ["boss"], "ada has left")
