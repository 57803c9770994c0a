"""A person joins the room with a phone."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPhone, OpenRoom
from tests.browser.room import WebRoom

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]
MODELS = ("process", "thread", "event")


@pytest.mark.parametrize("model", MODELS)
async def test_phone_joins_each_model(open_room: OpenRoom, open_phone: OpenPhone, model: str) -> None:
    room = open_room(model)
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await expect(phone.model).to_contain_text(model)
    await expect(phone.count).to_have_text("2 connections")
    await phone.say("hello, all")
    assert bob.expect("said", nick="ada")["text"] == "hello, all"
    bob.say("hello, ada")
    await phone.sees("hello, ada")
    served = bob.status()["served_by"].split()[0]
    await expect(phone.served).to_contain_text(f"you are ada, served by {served}")


async def test_phone_sees_a_switch_in_its_colour(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    phone = await (await open_phone(room)).join("ada")
    for model, colour in (("thread", "rgb(183, 155, 255)"), ("process", "rgb(240, 177, 50)")):
        boss.switch(model)
        line = phone.lines.filter(has_text="carried over in").last
        await expect(line).to_contain_text(f"now a {model} each: 2 carried over")
        await expect(line).to_have_css("color", colour)
        await expect(phone.model).to_have_css("color", colour)
        await expect(phone.served).to_contain_text(f"served by {model}")
    await phone.say("still here")
    assert boss.expect("said", nick="ada")["text"] == "still here"


async def test_page_is_insecure_as_at_a_meetup(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    assert not await phone.page.evaluate("isSecureContext")
    await expect(phone.page.locator("#warning")).to_contain_text("Nothing here is encrypted")


async def test_nickname_taken_gets_a_free_one(room: WebRoom, open_phone: OpenPhone) -> None:
    room.member("ada")
    phone = await open_phone(room)
    await phone.door.fill("ada")
    await phone.door.press("Enter")
    await expect(phone.page.locator("#why")).to_have_text("ada is taken")
    await expect(phone.door).to_have_value("ada2")
    await phone.door.press("Enter")
    await phone.is_in_room()
    await expect(phone.served).to_contain_text("you are ada2")


async def test_nickname_impossible_is_told(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    await phone.door.fill("a b")
    await phone.page.locator("#join").click()
    await expect(phone.page.locator("#why")).to_have_text("a nickname has no spaces; try another")
    await expect(phone.state).to_be_hidden()
    await phone.join("ab")


async def test_nickname_is_remembered_after_leaving(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    await phone.say("/quit")
    await expect(phone.state).to_contain_text("Goodbye: see you.")
    await phone.open()
    await expect(phone.door).to_be_visible()
    await expect(phone.door).to_have_value("ada")
    assert not room.member("bob").people().count("ada")


async def test_newcomer_sees_what_was_said(open_room: OpenRoom, open_phone: OpenPhone) -> None:
    room = open_room("event", "--history", "5")
    bob = room.member("bob")
    bob.say("before you came")
    bob.sync()
    phone = await (await open_phone(room)).join("ada")
    await phone.sees("before you came")
    await phone.sees("that was before; from here on it is live")


async def test_locked_room_is_told_at_the_door(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    phone = await open_phone(room)
    boss.command("lock")
    boss.expect("rules")
    await phone.door.fill("ada")
    await phone.door.press("Enter")
    await expect(phone.page.locator("#why")).to_have_text("the room is locked: nobody new can come in now")
    boss.command("lock", on=False)
    boss.expect("rules")
    await phone.join("ada")


async def test_full_room_is_told(open_room: OpenRoom, open_phone: OpenPhone) -> None:
    room = open_room("event", "--max-clients", "1")
    phone, late = await open_phone(room), await open_phone(room)
    await phone.join("ada")
    await late.door.fill("bob")
    await late.door.press("Enter")
    await expect(late.page.locator("#why")).to_contain_text("the room is full")
    await phone.say("/quit")
    await expect(phone.state).to_contain_text("Goodbye: see you.")
    await late.join("bob")


async def test_pin_and_count_follow_the_room(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    boss.command("pin", text="slides: https://example.org/rooms")
    phone = await (await open_phone(room)).join("ada")
    await expect(phone.page.locator("#pin")).to_have_text("slides: https://example.org/rooms")
    boss.command("pin")
    await expect(phone.page.locator("#pin")).to_be_hidden()
    cleo = room.member("cleo")
    await expect(phone.count).to_have_text("3 connections")
    await phone.sees("cleo joined")
    cleo.close()
    await expect(phone.count).to_have_text("2 connections")
