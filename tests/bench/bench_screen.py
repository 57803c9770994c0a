"""The whole client: its first paint compared with the smallest Textual app, and its speed under a flood.

Ratios and shares are asserted, and the figures printed. The flood comes from a scripted link, as fast as a room could
send it. Letters typed meanwhile must appear.
"""

import asyncio
import statistics
import subprocess
import sys
from time import monotonic, process_time

from pytest_benchmark.fixture import BenchmarkFixture
from textual.widgets import TextArea

from protocol import json_lines
from protocol.messages import Event, Limits, Said, Welcome
from tests.tui.snapshots.scripted import ADDRESS, ScriptedLink
from tui.app import ChatApp
from tui.client import RoomClient
from tui.settings import Settings

FIRST_PAINT = 1.6
"""The longest first paint, as a multiple of that of the smallest app."""
STARTS = 7
FLOOD, SECONDS, HERTZ = 5_000, 10, 12
"""Lines a second, seconds, and batches a second."""
CORES = 0.7
ECHO = 0.5
"""Seconds until a typed letter is in the input line, at most."""

SMALLEST = """
import os, time
from textual.app import App
class Timed(App):
    def on_ready(self):
        os.write(1, str(time.process_time()).encode())
        self.exit()
Timed().run(headless=True)
"""
OURS = """
import os, time
from tui.address import Address
from tui.app import ChatApp
from tui.client import RoomClient
def on_ready(self):
    os.write(1, str(time.process_time()).encode())
    self.exit()
ChatApp.on_ready = on_ready
ChatApp(RoomClient(Address("127.0.0.1", 9))).run(headless=True)
"""


def until_painted(program: str) -> float:
    """Return the processor time in seconds from the start of Python to the first paint."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def test_first_paint_beside_the_smallest_app(benchmark: BenchmarkFixture) -> None:
    smallest, ours = [], []

    def start_both() -> None:
        smallest.append(until_painted(SMALLEST))
        ours.append(until_painted(OURS))

    benchmark.pedantic(start_both, rounds=STARTS)
    ratio = statistics.median(ours) / statistics.median(smallest)
    print(f"\nfirst paint: {statistics.median(ours):.3f} s of processor, {ratio:.2f} times the smallest app's")
    assert ratio <= FIRST_PAINT


class FloodedLink(ScriptedLink):
    """The link to a room in which all members talk at once."""

    behind = 0.0
    last = ""
    """The last line that was said."""

    async def run(self) -> None:
        """Deliver FLOOD lines a second, and record the longest delay of a batch."""
        self.client.connected()
        self._hear(Welcome("ada", "token", 0, "event", 50, "event loop", Limits(), "nonce"))
        await asyncio.sleep(0.5)
        began, told = monotonic(), 0
        while told < FLOOD * SECONDS:
            await asyncio.sleep(max(0.0, began + told / FLOOD - monotonic()))
            type(self).behind = max(self.behind, monotonic() - began - told / FLOOD)
            self._hear(*(flooding(told + number) for number in range(1, FLOOD // HERTZ + 1)))
            told += FLOOD // HERTZ
        type(self).last = flooding(told).text
        await asyncio.Event().wait()

    def _hear(self, *events: Event) -> None:
        """Receive events as if they came from the network."""
        for event in self.client.receive(b"".join(map(json_lines.encode, events))):
            self._on_event(event)
        self._batches.flush()


def flooding(number: int) -> Said:
    return Said(number, f"guest{number % 50}", f"line {number} of a flood that says nothing at all", 1.8e9)


def test_typing_under_a_flood(benchmark: BenchmarkFixture) -> None:
    cores, echoes = benchmark.pedantic(lambda: asyncio.run(flooded()), rounds=1)
    echo = f"{statistics.median(echoes) * 1000:.0f} ms, {max(echoes) * 1000:.0f} at worst"
    behind = f"{FloodedLink.behind * 1000:.0f} ms behind at worst"
    print(f"\n{FLOOD:,} lines a second for {SECONDS} s: {cores:.2f} of a core, {behind}; a letter shows after {echo}")
    assert cores < CORES
    assert FloodedLink.behind < 1
    assert max(echoes) < ECHO


async def flooded() -> tuple[float, list[float]]:
    """Type in the client under the flood; returns the cores it used, and the seconds until each letter appeared."""
    app = ChatApp(RoomClient(ADDRESS, "ada", settings=Settings(nick="ada"), make_link=FloodedLink))
    echoes: list[float] = []
    async with app.run_test(size=(100, 30)) as pilot:
        while not app.screen.query(TextArea):
            await pilot.pause(0.05)
        began, used = monotonic(), process_time()
        while monotonic() < began + SECONDS + 0.5:
            line = app.screen.query_one(TextArea)
            before, pressed = line.text, monotonic()
            await pilot.press("x")
            while line.text == before:  # noqa: ASYNC110  # what is drawn sets no event
                await asyncio.sleep(0.005)
            echoes.append(monotonic() - pressed)
            await asyncio.sleep(0.3)
        cores = (process_time() - used) / (monotonic() - began)
        shown = [strip.text for strip in app.screen._compositor.render_strips()]
        assert FloodedLink.last
        assert any(FloodedLink.last in row for row in shown), "the flood is still coming in"
    return cores, echoes
