"""Waiting for what has to come true, with a deadline."""

import asyncio
from collections.abc import Callable
from time import monotonic


async def until(true: Callable[[], bool], within: float) -> bool:
    """Wait until `true()` is; False where it is not within so many seconds."""
    deadline = monotonic() + within
    while not true():
        if monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
