"""The message pane compared with Textual's RichLog, and a full pane with a small one, in real headless apps.

The ratios within one run are asserted, and the figures printed. Times are processor times, so that neither waiting nor
other programs on the machine count. The pane has 100 columns.
"""

import asyncio
import random
import re
import statistics
import tracemalloc
from collections.abc import Callable, Coroutine
from time import process_time

import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import RichLog

from protocol.messages import Said
from tui.message_log.builder import EntryBuilder
from tui.message_log.layout import columns_for
from tui.widgets.message_pane import MessagePane

SHARE_OF_RICH_LOG = 1 / 5
MEMORY_A_LINE = 1024
LINES = 10_000
FULL, SMALL = 20_000, 1_000
FRAMES = 6
"""A new width of a full pane may take so many times as long as that of a small one."""
BATCH = 400
"""Lines that the link passes on at once, if 5,000 arrive in a second."""
WORDS = re.findall(
    r"\S+", "the room is run by one loop and nobody waits for a thread which is 李雷 🎉 fine https://example.org/x"
)


def said(count: int) -> list[Said]:
    """Return lines as people write them: a few words or a few rows, some in wide letters. All texts are different."""
    dice = random.Random(1)
    return [
        Said(seq, f"guest{seq % 50}", " ".join(dice.choices(WORDS, k=dice.randint(2, 20))), 1.8e9 + seq / 10)
        for seq in range(1, count + 1)
    ]


class PaneApp(App[None]):
    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane

    def compose(self) -> ComposeResult:
        yield self.pane


class Timed(MessagePane):
    """Records the time of its first paint for each width."""

    def __init__(self) -> None:
        super().__init__()
        self.first_painted: dict[int, float] = {}

    def render_lines(self, crop: Region) -> list[Strip]:
        strips = super().render_lines(crop)
        self.first_painted.setdefault(self.virtual_size.width, process_time())
        return strips


def in_app(pane: Widget, work: Callable[[Pilot[None]], Coroutine[None, None, float]]) -> float:
    async def run() -> float:
        async with PaneApp(pane).run_test(size=(100, 40)) as pilot:
            await pilot.pause()
            return await work(pilot)

    return asyncio.run(run())


def append_to_pane(events: list[Said]) -> float:
    """Return the seconds to append the lines, with the screen updated after each batch."""
    pane = MessagePane()

    async def work(pilot: Pilot[None]) -> float:
        began = process_time()
        for start in range(0, len(events), BATCH):
            pane.add(events[start : start + BATCH])
            await pilot.pause()
        return process_time() - began

    return in_app(pane, work)


def append_to_rich_log(events: list[Said]) -> float:
    """Do the same with RichLog, with nickname and text only."""
    log = RichLog(wrap=True)

    async def work(pilot: Pilot[None]) -> float:
        began = process_time()
        for start in range(0, len(events), BATCH):
            for event in events[start : start + BATCH]:
                log.write(Text.assemble((event.nick, "bold"), "  ", event.text))
            await pilot.pause()
        return process_time() - began

    return in_app(log, work)


def resize(lines: int) -> float:
    """Return the seconds from a new size of the terminal to the first paint for it: the median of several."""
    pane = Timed()
    events = said(lines)

    async def work(pilot: Pilot[None]) -> float:
        pane.add(events)
        await pilot.pause()
        taken = []
        for width in (60, 130, 80, 110, 50, 90, 70):
            began = process_time()
            await pilot.resize_terminal(width, 40)
            async with asyncio.timeout(20):
                while width - 1 not in pane.first_painted:  # noqa: ASYNC110  # a paint sets no event
                    await asyncio.sleep(0.001)
            taken.append(pane.first_painted[width - 1] - began)
        return sorted(taken)[len(taken) // 2]

    return in_app(pane, work)


def memory_of_a_line(events: list[Said]) -> float:
    """Return the bytes of memory for each line with its text. Lines come from the wire and share no strings."""
    tracemalloc.start()
    try:
        builder = EntryBuilder()
        builder.store.set_columns(columns_for(99, True))
        before = tracemalloc.get_traced_memory()[0]
        for event in events:
            builder.add_events([msgspec.json.decode(msgspec.json.encode(event), type=Said)])
        return (tracemalloc.get_traced_memory()[0] - before) / len(events)
    finally:
        tracemalloc.stop()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure in spite of capturing. The tables include the start of the app, so they do not show it."""

    def print_it(figure: str) -> None:
        with capsys.disabled():
            print(f"\n{figure}", end="  ")

    return print_it


@pytest.mark.benchmark(group="the message pane")
def test_append_beside_rich_log(benchmark: BenchmarkFixture, tell: Callable[[str], None]) -> None:
    events = said(LINES)
    taken: list[float] = []
    benchmark.pedantic(lambda: taken.append(append_to_pane(events)), rounds=3)
    mine, theirs = statistics.median(taken), append_to_rich_log(events)
    tell(f"appending {LINES:,} lines: pane {mine:.2f} s, RichLog {theirs:.2f} s, {theirs / mine:.1f} times as long")
    assert mine <= theirs * SHARE_OF_RICH_LOG


@pytest.mark.benchmark(group="the message pane")
def test_new_width_of_a_full_pane(benchmark: BenchmarkFixture, tell: Callable[[str], None]) -> None:
    full = benchmark.pedantic(lambda: resize(FULL), rounds=1)
    small = resize(SMALL)
    tell(f"a new width painted in {full * 1000:.0f} ms with {FULL:,} lines, {small * 1000:.0f} ms with {SMALL:,}")
    assert full <= small * FRAMES


@pytest.mark.benchmark(group="the message pane")
def test_memory_of_a_line(benchmark: BenchmarkFixture, tell: Callable[[str], None]) -> None:
    events = said(20_000)
    each = benchmark.pedantic(lambda: memory_of_a_line(events), rounds=1)
    text = sum(len(event.text.encode()) for event in events) / len(events)
    tell(f"a line takes {each:.0f} bytes of memory; its text alone is {text:.0f} bytes on the wire")
    assert each <= MEMORY_A_LINE
