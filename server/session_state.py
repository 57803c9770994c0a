"""The states of a session, and the moves between them: the diagram in docs/architecture.md is made from `MOVES`."""

from enum import IntEnum


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
    (State.CONNECTING, State.LEAVING): "/quit, end of input, a deadline, or another protocol",
    (State.NAMED, State.LEAVING): "/quit, end of input, or a deadline",
    (State.JOINED, State.LEAVING): "/quit, end of input, or a deadline",
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
