"""A person talks, and reads the lines of others."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPhone, OpenRoom
from tests.browser.network import Network
from tests.browser.room import HOST, WebRoom
from tui.style import nick_colour, parse_colour

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_own_line_is_dim_until_answered(room: WebRoom, network: Network, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room, url=f"http://{HOST}:{network.port}/")).join("ada")
    network.delay_s = 1.0
    await phone.say("how long is the way?")
    unsaid = phone.page.locator("#unsaid > p")
    await expect(unsaid).to_contain_text("how long is the way?")
    await expect(unsaid).to_have_css("font-style", "italic")
    await expect(phone.lines.filter(has_text="how long")).to_have_count(0)
    network.delay_s = 0
    await phone.sees("how long is the way?")
    await expect(unsaid).to_have_count(0)
    await expect(phone.page.locator("#lines > .own")).to_have_count(1)


async def test_own_lines_are_shown_once_in_order(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    for number in range(12):
        await phone.say(f"own {number}")
    await phone.sees("own 11")
    await expect(phone.page.locator("#unsaid > p")).to_have_count(0)
    assert [text for text in await phone.texts() if "own" in text] == [f"own {number}" for number in range(12)]


async def test_line_ends_are_kept_and_enter_sends(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.field.type("while True:")
    await phone.field.press("Shift+Enter")
    await phone.field.type("    pass")
    await expect(phone.field).to_have_value("while True:\n    pass")
    await phone.page.locator("#send").click()
    assert bob.expect("said", nick="ada")["text"] == "while True:\n    pass"
    await expect(phone.field).to_have_value("")
    await expect(phone.field).to_be_focused()


async def test_long_text_is_folded_after_8_lines(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    for count in (8, 9, 40):
        bob.say("\n".join(f"{count}: row {number}" for number in range(count)))
    bob.say("short")
    await phone.sees("short")
    await expect(phone.page.locator("#lines > .folded")).to_have_count(2)
    line = phone.lines.filter(has_text="40: row 39")
    folded = (await line.bounding_box() or {})["height"]
    await line.get_by_role("button", name="Show all").click()
    shown = (await line.bounding_box() or {})["height"]
    assert folded < 300 < 800 < shown
    await line.get_by_role("button", name="Show less").click()
    assert (await line.bounding_box() or {})["height"] == folded


async def test_colours_of_nicknames_are_those_of_the_app(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    nicks = ["ada", "Bob", "BOB", "Zoë", "李雷", "ПЁТР", "straße", "Σίσυφος", "ΣΊΣΥΦΟΣ", "ısı", "نور", "ö1.2_3-4"]
    names = await phone.page.evaluate("nicks => nicks.map(nickColour)", nicks)
    for scheme, background in (("dark", "#14161b"), ("light", "#fbfaf7")):
        await phone.page.emulate_media(color_scheme=scheme)
        style = "name => getComputedStyle(document.documentElement).getPropertyValue(name.slice(4, -1)).trim()"
        colours = [await phone.page.evaluate(style, name) for name in names]
        assert colours == [nick_colour(nick, parse_colour(background)) for nick in nicks]


async def test_mention_is_a_whole_word(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    mentions = ["ada, look", "hi ADA!", "(ada)", "ada.", "канада ada"]
    others = ["adam is here", "ada.org", "x-ada", "Ada-Lovelace", "éada", ""]
    found = await phone.page.evaluate("texts => { me = 'ada'; return texts.filter(mentions); }", mentions + others)
    assert found == mentions
    for nick in ("x-y.z_1", "a.b", "Ünï", "(odd)[+"):
        told = await phone.page.evaluate("([nick, texts]) => { me = nick; return texts.map(mentions); }", [
            nick, [f"hi {nick}!", nick.upper(), nick.replace(".", "x") + "x"]
        ])  # fmt: skip
        assert told == [True, True, False]


async def test_mention_is_marked(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    bob.say("no one")
    bob.say("ada, look")
    await phone.sees("ada, look")
    await expect(phone.page.locator("#lines > .mention")).to_have_text("bob ada, look")


async def test_text_has_its_own_direction(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    for text in ("مرحبا ada", "hello"):
        bob.say(text)
    await phone.sees("hello")
    for text, direction in (("مرحبا", "rtl"), ("hello", "ltr")):
        await expect(phone.lines.filter(has_text=text).locator("span")).to_have_css("direction", direction)


async def test_links_are_whole_and_open_elsewhere(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    bob.say("see https://example.org/a_(b)?c=d#e, (http://example.org/x). https:// javascript:alert(1)")
    await phone.sees("see https")
    links = phone.page.locator("#lines a")
    assert await links.all_inner_texts() == ["https://example.org/a_(b)?c=d#e", "http://example.org/x"]
    for link in await links.all():
        assert await link.get_attribute("href") == await link.inner_text()
        assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert await link.get_attribute("target") == "_blank"


async def test_commands_work_when_typed(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.say("/me waves")
    await expect(phone.page.locator("#lines > .action")).to_have_text("ada waves")
    assert bob.expect("said", nick="ada")["action"]
    await phone.say("//me is said")
    assert bob.expect("said", nick="ada")["text"] == "/me is said"
    await phone.say("see http://example.org//x")
    assert bob.expect("said", nick="ada")["text"] == "see http://example.org//x"
    await phone.say("/who")
    await phone.sees("2 here: ada, bob")
    await phone.say("/where")
    await phone.sees("you: event loop")
    await phone.say("/nick lovelace")
    await expect(phone.served).to_contain_text("you are lovelace,")
    await phone.sees("ada is now lovelace")
    await phone.say("/dance now")
    await phone.sees("there is no command /dance; there are /nick")
    await expect(phone.field).to_have_value("/dance now")


async def test_commands_are_buttons(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.field.fill("waves")
    await phone.count.click()
    await phone.sees("2 here: ada, bob")
    menu = phone.page.locator("#menu summary")
    await menu.click()
    await phone.page.get_by_role("button", name="What serves you").click()
    await phone.sees("you: event loop")
    await expect(phone.page.locator("#menu")).not_to_have_attribute("open", "")
    await menu.click()
    await phone.page.get_by_role("button", name="Say what you do").click()
    await expect(phone.field).to_have_value("/me waves")
    await phone.field.press("Enter")
    assert bob.expect("said", nick="ada")["action"]
    await menu.click()
    await phone.page.get_by_role("button", name="Leave the room").click()
    await expect(phone.state).to_contain_text("Goodbye: see you.")
    await phone.page.get_by_role("button", name="Join again").click()
    await phone.is_in_room()
    await phone.sees("from here on it is live")
    await expect(phone.page.locator("#lines > .action")).to_have_count(1)


async def test_nickname_is_changed_where_it_stands(room: WebRoom, open_phone: OpenPhone) -> None:
    room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.field.fill("a draft")
    await phone.page.locator("#me").click()
    await phone.door.fill("bob")
    await phone.door.press("Enter")
    await expect(phone.page.locator("#why")).to_have_text("bob is taken")
    await phone.door.fill("lovelace")
    await phone.page.get_by_role("button", name="Change", exact=True).click()
    await expect(phone.served).to_contain_text("you are lovelace,")
    await expect(phone.field).to_have_value("a draft")
    await phone.page.locator("#me").click()
    await phone.page.get_by_role("button", name="Cancel").click()
    await expect(phone.field).to_be_visible()


async def test_slow_mode_sends_the_line_later(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    phone = await (await open_phone(room)).join("ada")
    boss.command("slow", seconds=2)
    await expect(phone.field).to_have_attribute("placeholder", "A line every 2 s")
    for number in range(3):
        await phone.say(f"line {number}")
    await expect(phone.page.locator("#unsaid > p").first).to_have_attribute("data-wait", "in 2 s")
    await phone.sees("line 2")
    await phone.open()
    await phone.is_in_room()
    await phone.say("line 3")  # The page does not know that it has to wait, and the room refuses the line for now.
    await phone.sees("line 3")
    lines = [text for text in await phone.texts() if text.startswith("line")]
    assert lines == [f"line {number}" for number in range(4)]
    assert await phone.page.locator("#lines > .error").count() == 0


async def test_refused_line_is_told_and_kept(room: WebRoom, open_phone: OpenPhone) -> None:
    boss = room.operator()
    phone = await (await open_phone(room)).join("ada")
    boss.command("quiet")
    await expect(phone.field).to_have_attribute("placeholder", "Only operators may speak now")
    await phone.say("may I?")
    await phone.sees("not said: only operators speak now, and your line was not said")
    await expect(phone.field).to_have_value("may I?")
    await expect(phone.page.locator("#unsaid > p")).to_have_count(0)


async def test_text_too_long_stays_in_the_field(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await (await open_phone(room)).join("ada")
    for text, reason in (
        ("x" * 2001, "it has 2001 characters, and 2000 are allowed"),
        ("x\n" * 40 + "x", "it has 41 lines, and 40 are allowed"),
        ("李" * 1400, " bytes, and 4096 are allowed"),
    ):
        await phone.field.fill(text)
        await phone.page.locator("#send").click()
        await phone.sees(reason)
        await expect(phone.field).to_have_value(text)


async def test_flood_allowance_loses_no_line(open_room: OpenRoom, open_phone: OpenPhone) -> None:
    room = open_room("event", "--rate-limit", "5/5")
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    for number in range(10):
        await phone.say(f"quick {number}")
    for number in range(10):
        assert bob.expect("said", nick="ada")["text"] == f"quick {number}"
    await phone.sees("quick 9")


async def test_changes_of_people_are_one_line(room: WebRoom, open_phone: OpenPhone) -> None:
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await phone.sees("ada joined")
    bob.say("now")
    await phone.sees("now")
    guests = [room.member(f"guest{number}") for number in range(5)]
    bob.sees("guest4")
    await phone.sees("guest0, guest1 and 3 others joined")
    guests[0].command("rename", nick="cleo")
    await phone.sees("guest0 is now cleo")
    guests[1].close()
    await phone.sees("others joined; guest0 is now cleo")
    await expect(phone.page.locator("#lines > .crowd").last).to_contain_text("cleo")
    await expect(phone.page.locator("#lines > p").filter(has_text="now").last).to_have_class("crowd")
