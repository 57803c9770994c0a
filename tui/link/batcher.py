"""Batcher: gathers items and hands them on at most so often, a bounded number at once; the first after a quiet time at
once."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_BATCH = 250
"""Items handed on at once. After each batch the event loop is free for at least as long as the batch took."""
MAX_WAITING = 500
"""Items that may wait before `until_few` has the reader of the network wait."""


class Batcher(Generic[T]):
    """Hands lists to `take`: at most `rate` times a second, and more often only where more than MAX_BATCH items wait.
    Needs a running event loop."""

    def __init__(self, take: Callable[[list[T]], None], rate: float) -> None:
        self._take = take
        self._interval = 1 / rate
        self._waiting: deque[T] = deque()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._handed_on = asyncio.Event()

    def add(self, item: T) -> None:
        """Keep it for a next batch."""
        self._waiting.append(item)

    def flush_soon(self) -> None:
        """Begin to hand on what waits: now, or as soon as the rate allows."""
        if not self._waiting or self._timer is not None:
            return
        if self._next_at <= monotonic():
            self._hand_on_batch()
        self._schedule()

    def hurry(self) -> None:
        """Let the next batch be handed on at once."""
        self._next_at = 0.0

    async def until_few(self, most: int = MAX_WAITING) -> None:
        """Wait until at most `most` items wait. With 0, all are handed on without waiting for the rate."""
        while len(self._waiting) > most:
            self._handed_on.clear()
            if not most:
                self._next_at = min(self._next_at, monotonic())
            self.flush_soon()
            if len(self._waiting) > most:
                await self._handed_on.wait()

    def flush(self) -> None:
        """Hand on what waits, now; of a flood only the latest MAX_WAITING items, and the others are dropped."""
        while len(self._waiting) > MAX_WAITING:
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
        batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
        if not batch:
            return
        began = monotonic()
        self._take(batch)
        ended = monotonic()
        self._next_at = ended + max(ended - began, 0.0 if self._waiting else self._interval)
        self._handed_on.set()
