"""The states of a session, and the types that it exchanges with the room and the models.

The diagram of the states in docs/architecture.md is made from `MOVES`.
"""

from enum import IntEnum
from typing import Final

from msgspec import Struct

from protocol.json_lines import AnyCommand


class State(IntEnum):
    """How far a connection has come. A session never goes back to an earlier state."""

    CONNECTING = 0
    """No valid nickname has come."""
    NAMED = 1
    """A valid nickname has come. The room may still find it taken."""
    JOINED = 2
    """The room has welcomed the member."""
    LEAVING = 3
    """Nothing more is taken from the peer; the room has been asked to end the connection."""
    CLOSING = 4
    """The last bytes are queued, and nothing is added to them."""
    CLOSED = 5


MOVES = {
    (State.CONNECTING, State.NAMED): "a valid nickname",
    (State.NAMED, State.JOINED): "the welcome of the room",
    (
        State.CONNECTING,
        State.LEAVING,
    ): "/quit, end of input, a deadline, another protocol, an endless line, or a malformed frame",
    (State.NAMED, State.LEAVING): "/quit, end of input, a deadline, an endless line, or a malformed frame",
    (State.JOINED, State.LEAVING): "/quit, end of input, a deadline, an endless line, or a malformed frame",
    (State.CONNECTING, State.CLOSING): "the goodbye of the room",
    (State.NAMED, State.CLOSING): "the goodbye of the room",
    (State.JOINED, State.CLOSING): "the goodbye of the room, or too much unsent",
    (State.LEAVING, State.CLOSING): "the answer of the room",
    (State.CONNECTING, State.CLOSED): "a reset",
    (State.NAMED, State.CLOSED): "a reset",
    (State.JOINED, State.CLOSED): "a reset",
    (State.LEAVING, State.CLOSED): "a reset",
    (State.CLOSING, State.CLOSED): "a reset, a timeout, or all sent and the end of input",
}
"""Which state can follow which, and when. Other moves are ignored, such as a welcome that comes after /quit."""


class DeliveryFlags:
    """Flags of a delivery, for the session that passes its bytes on. They are plain numbers.

    `enum.IntFlag` would run a dozen functions of its own, and in a forked child each function that runs for the first
    time copies about five pages of memory.
    """

    NONE: Final = 0
    JOINED: Final = 1
    CLOSE: Final = 2
    FAIL: Final = 4
    """Chaos: raise an exception at the next chance."""
    BLOCK: Final = 8
    """Chaos: sleep at the next chance, for as many milliseconds as stand above SHIFT."""
    FAULTS: Final = FAIL | BLOCK
    KILL: Final = 16
    """Chaos: the model is to kill the worker that serves this connection, if it has one."""
    SHIFT: Final = 8

    @staticmethod
    def merge(one: int, other: int) -> int:
        """The flags of two deliveries that become one. The longer of two blocks holds."""
        flags = (1 << DeliveryFlags.SHIFT) - 1
        return ((one | other) & flags) | max(one & ~flags, other & ~flags)


class SessionReply(Struct, tag="reply", tag_field="type"):
    """The session's own answer, encoded. `code` names the reason, for the log and the statistics."""

    data: bytes
    code: str
    flags: int = DeliveryFlags.NONE


class Greeting(Struct, tag="greeting", tag_field="type"):
    """The peer is silent: the room explains how to join."""


Request = AnyCommand | SessionReply | Greeting
