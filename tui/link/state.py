"""State: how a link to a room stands."""

from typing import Literal

from msgspec import Struct


class State(Struct, frozen=True):
    """How the link stands. `waiting` is for the next attempt, at `retry_at` seconds of the monotonic clock; infinity
    means for another nickname (`introduce`)."""

    phase: Literal["connecting", "online", "waiting", "over"]
    reason: str = ""
    retry_at: float = 0.0
    attempt: int = 0
