"""Waiting for a condition, with a deadline."""

import asyncio
from collections.abc import Callable
from time import monotonic


async def until(true: Callable[[], object], within: float) -> bool:
    """Wait until `true()` is true; returns False if it is not within `within` seconds."""
    deadline = monotonic() + within
    while not true():
        if monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
