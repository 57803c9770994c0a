"""Batches are bounded and in order, and the event loop is free between them."""

import asyncio
import time
from itertools import pairwise

from tests.tui.links import until
from tui.link.batcher import MAX_BATCH_ITEMS, MAX_WAITING_ITEMS, Batcher


async def test_batches_of_a_flood_are_bounded_and_in_order() -> None:
    taken: list[list[int]] = []
    batches = Batcher(taken.append, rate=1000)
    for number in range(1000):
        batches.add(number)
    batches.flush_soon()
    await until(lambda: sum(map(len, taken)) == 1000)
    assert [one for batch in taken for one in batch] == list(range(1000))
    assert max(map(len, taken)) == MAX_BATCH_ITEMS


async def test_batches_slow_to_take_leave_the_loop_free() -> None:
    """After each batch, keys and signals have at least as much time as the batch took."""
    spans: list[tuple[float, float]] = []

    def take(items: list[int]) -> None:
        began = time.monotonic()
        time.sleep(0.02)
        spans.append((began, time.monotonic()))

    batches = Batcher(take, rate=1000)
    for number in range(MAX_BATCH_ITEMS * 4):
        batches.add(number)
    batches.flush_soon()
    await until(lambda: len(spans) == 4)
    for before, after in pairwise(spans):
        assert after[0] - before[1] >= (before[1] - before[0]) * 0.9


async def test_until_few_waits_while_many_items_wait() -> None:
    taken: list[int] = []
    batches = Batcher(taken.extend, rate=1000)
    for number in range(MAX_WAITING_ITEMS * 3):
        batches.add(number)
    await asyncio.wait_for(batches.wait_until_few(), 10)
    assert len(taken) >= MAX_WAITING_ITEMS * 2
    await asyncio.wait_for(batches.wait_until_few(0), 10)
    assert taken == list(range(MAX_WAITING_ITEMS * 3))


async def test_until_few_without_items_does_not_wait_for_the_rate() -> None:
    taken: list[int] = []
    batches = Batcher(taken.extend, rate=0.001)
    for number in (1, 2):
        batches.add(number)
        await asyncio.wait_for(batches.wait_until_few(0), 10)
    assert taken == [1, 2]


async def test_flush_of_a_flood_keeps_the_latest() -> None:
    taken: list[int] = []
    batches = Batcher(taken.extend, rate=0.001)
    for number in range(MAX_WAITING_ITEMS * 2):
        batches.add(number)
    batches.flush()
    assert taken == list(range(MAX_WAITING_ITEMS, MAX_WAITING_ITEMS * 2))
