"""A connection without a model: what it writes, its peer can read."""

import socket
from math import inf

from protocol.messages import Limits
from server.connection import Connection
from server.session import Session
from tests.peers import PATIENCE


class Pair:
    """A Connection and the socket at its other end."""

    def __init__(self, limits: Limits | None = None, number: int = 1) -> None:
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        self.peer.settimeout(PATIENCE)
        session = Session.open(number, limits or Limits(rate=0), 0.0)
        session.greet_at = inf  # The tests that need a greeting open a session of their own.
        self.connection = Connection(ours, session)

    def close(self) -> None:
        self.connection.close()
        self.peer.close()
