"""The page is quick, on a slow network and a slow processor too."""

import asyncio
from time import perf_counter

import pytest

from tests.browser.conftest import OpenPhone
from tests.browser.network import Network
from tests.browser.room import HOST, WebRoom
from tests.pace import is_within

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.alone, pytest.mark.asyncio(loop_scope="session")]
SLOWED = 6
MAX_PAINTINGS_PER_S = 12
WATCH = """() => {
  window.paintings = []; window.longest = 0;
  const lines = document.getElementById("lines");
  new MutationObserver(() => paintings.push(performance.now())).observe(lines, {childList: true});
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    setTimeout(tick);
  };
  tick();
}"""


async def test_page_is_complete_in_half_a_second(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    await phone.open()
    took = await phone.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart / 1000")
    assert is_within(took, 0.5)


async def test_first_line_within_a_second_of_the_name(room: WebRoom, open_phone: OpenPhone) -> None:
    phone = await open_phone(room)
    await (await phone.devtools()).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    await phone.door.fill("ada")
    began = perf_counter()
    await phone.door.press("Enter")
    await phone.page.wait_for_selector("#lines > p")
    assert is_within(perf_counter() - began, 1.0)


async def test_page_is_usable_under_100_lines_a_second(room: WebRoom, open_phone: OpenPhone) -> None:
    """At a sixth of the processor: at most 12 paintings a second, and no wait that a person would feel."""
    bob = room.member("bob")
    phone = await (await open_phone(room)).join("ada")
    await (await phone.devtools()).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    await phone.page.evaluate(WATCH)
    began = perf_counter()
    for number in range(300):
        bob.say(f"line {number}")
        await asyncio.sleep(max(0.0, began + number / 100 - perf_counter()))
    await phone.say("I can still talk")
    await phone.sees("I can still talk")
    took = perf_counter() - began
    assert len(await phone.page.evaluate("paintings")) <= (took + 1) * MAX_PAINTINGS_PER_S
    assert is_within(await phone.page.evaluate("longest / 1000"), 0.5)


async def test_slow_network_takes_ten_seconds(room: WebRoom, network: Network, open_phone: OpenPhone) -> None:
    """Slow 3G: 400 ms for a round trip, 400 kbit/s. From the address to the first own line that is answered."""
    network.delay_s, network.bytes_per_s = 0.2, 50_000
    began = perf_counter()
    phone = await open_phone(room, url=f"http://{HOST}:{network.port}/")
    await phone.join("ada")
    await phone.say("hello from far away")
    await phone.sees("hello from far away")
    assert is_within(perf_counter() - began, 10.0)
