"""Batcher: gathers items and hands them on in bounded batches, at a limited rate."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_BATCH_ITEMS = 250
"""After each batch the event loop is free for at least as long as the batch took."""
MAX_WAITING_ITEMS = 500
"""Waiting items above which `wait_until_few` blocks the reader of the network."""


class Batcher(Generic[T]):
    """Calls `take` with lists of items, at most `rate` times a second, or more often while more than MAX_BATCH_ITEMS
    wait. The first item after a quiet time is handed on without delay. Needs a running event loop."""

    def __init__(self, take: Callable[[list[T]], None], rate: float) -> None:
        self._take = take
        self._interval = 1 / rate
        self._waiting: deque[T] = deque()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._handed_on = asyncio.Event()

    def add(self, item: T) -> None:
        """Add an item to the next batch."""
        self._waiting.append(item)

    def flush_soon(self) -> None:
        """Hand on the waiting items now, or as soon as the rate allows."""
        if not self._waiting or self._timer is not None:
            return
        if self._next_at <= monotonic():
            self._hand_on_batch()
        self._schedule()

    def hurry(self) -> None:
        """Hand on the next batch without waiting for the rate."""
        self._next_at = 0.0

    async def wait_until_few(self, most: int = MAX_WAITING_ITEMS) -> None:
        """Wait until at most `most` items are left. With 0, all are handed on without waiting for the rate."""
        while len(self._waiting) > most:
            self._handed_on.clear()
            if not most:
                self._next_at = min(self._next_at, monotonic())
            self.flush_soon()
            if len(self._waiting) > most:
                await self._handed_on.wait()

    def flush(self) -> None:
        """Hand on the waiting items now. Only the latest MAX_WAITING_ITEMS are kept; older ones are dropped."""
        while len(self._waiting) > MAX_WAITING_ITEMS:
            self._waiting.popleft()
        while self._waiting:
            self._hand_on_batch()

    def _schedule(self) -> None:
        if self._waiting and self._timer is None:
            wait = max(self._next_at - monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(wait, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._hand_on_batch()
        self._schedule()

    def _hand_on_batch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH_ITEMS, len(self._waiting)))]
        if not batch:
            return
        began = monotonic()
        self._take(batch)
        ended = monotonic()
        self._next_at = ended + max(ended - began, 0.0 if self._waiting else self._interval)
        self._handed_on.set()
