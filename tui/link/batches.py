"""Batches: gathers what comes and hands it on at most so often; the first of a quiet time at once."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """Hands lists to `take`, at most `rate` times a second. Needs a running event loop."""

    def __init__(self, take: Callable[[list[T]], None], rate: float) -> None:
        self._take = take
        self._between = 1 / rate
        self._waiting: list[T] = []
        self._flushed = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, item: T) -> None:
        """Keep it for the next flush."""
        self._waiting.append(item)

    def flush_soon(self) -> None:
        """Hand on what waits: now, or as soon as the rate allows."""
        if not self._waiting or self._timer is not None:
            return
        wait = self._flushed + self._between - monotonic()
        if wait <= 0:
            self.flush()
        else:
            self._timer = asyncio.get_running_loop().call_later(wait, self.flush)

    def hurry(self) -> None:
        """Let the next flush be at once."""
        self._flushed = 0.0

    def flush(self) -> None:
        """Hand on what waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            batch, self._waiting = self._waiting, []
            self._flushed = monotonic()
            self._take(batch)
