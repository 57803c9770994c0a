"""State: how a link to a room stands."""

from typing import Literal

from msgspec import Struct

from tui.address import Address


class State(Struct, frozen=True):
    """How the link stands. `waiting` is for the next attempt, at `retry_at` seconds of the monotonic clock; infinity
    means for another nickname (`introduce`)."""

    phase: Literal["connecting", "online", "waiting", "over"]
    reason: str = ""
    retry_at: float = 0.0
    attempt: int = 0
    turned_away: bool = False
    """The room was reached, and did not let us in."""

    def trouble(self, address: Address) -> str:
        """Why we are not in the room at `address`, in a sentence."""
        if self.turned_away:
            return f"{address} does not let you in: {self.reason}."
        return f"No connection to {address}: {self.reason}."
