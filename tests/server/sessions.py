"""Sessions in the states that tests begin with, the texts of their items, and a Connection with its peer."""

import socket
from math import inf

from protocol.dialects import PLAIN, WEB, Dialect
from protocol.messages import Limits, Say
from protocol.websocket import encode_masked
from server.connection import Connection
from server.session import Session
from server.session_types import DeliveryFlags, Request, SessionReply
from tests.peers import PATIENCE

UNLIMITED = Limits(rate=0)
SMALL = Limits(line=120, text=50, lines=3, nick=10, burst=3, rate=2.0)
ADA = b'{"type":"hello","nick":"ada"}\n'
MASK = b"\x01\x02\x03\x04"


def opened(limits: Limits = UNLIMITED, now: float = 0.0) -> Session:
    return Session.open(1, limits, now)


def opened_socket(limits: Limits = UNLIMITED, now: float = 0.0) -> Session:
    """A session for a WebSocket, after the handshake."""
    return Session.open_socket(1, limits, now, now + limits.join_timeout)


def in_room(dialect: Dialect = PLAIN, limits: Limits = UNLIMITED) -> Session:
    """A session that has said hello and was let in."""
    session = opened_socket(limits) if dialect is WEB else opened(limits)
    session.receive({PLAIN: b"ada\n", WEB: encode_masked(ADA, MASK)}.get(dialect, ADA), 0.0)
    session.queue(b"welcome\n", DeliveryFlags.JOINED, 0.0)
    session.sent(8, 0.0)
    return session


def codes(items: list[Request]) -> list[str]:
    """Of each item, the code of the reply or the name of the command."""
    return [item.code if isinstance(item, SessionReply) else type(item).__name__.lower() for item in items]


def said(items: list[Request]) -> list[str]:
    return [item.text for item in items if isinstance(item, Say)]


def until_quiet(session: Session, now: float, most: int = 200) -> list[Request]:
    """Wake a session whenever it is due, until nothing is left to wake it for but its deadlines."""
    items: list[Request] = []
    for _ in range(most):
        due = session.next_deadline(now)
        if session.is_leaving or not session.lines.has_line:
            break
        now = max(now, due)
        items += session.advance(now)
    return items


def all_items(session: Session, pieces: list[bytes]) -> list[Request]:
    """All that a session returns for these pieces, until it is quiet, and at its end."""
    items = [item for piece in pieces for item in session.receive(piece, 1.0)]
    return [*items, *until_quiet(session, 1.0), *session.end(300.0)]


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
