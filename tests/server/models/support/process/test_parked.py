"""Tests of connections that the master itself serves, with real sockets and a real room."""

import errno
import selectors
import socket
from collections.abc import Iterator
from time import monotonic

import pytest

from protocol.messages import Limits
from server.connection import Connection
from server.models.support.process.parked import ParkedConnection
from server.room.inbox import Inbox
from server.session import Session
from tests.server.without_sockets import new_room

LIMITS = Limits(burst=2, rate=0.01)


class Hall:
    """A room, and the parked connections."""

    def __init__(self) -> None:
        self.inbox = Inbox(new_room(LIMITS))
        self.selector = selectors.DefaultSelector()
        self.parked: list[ParkedConnection] = []
        self.peers: list[socket.socket] = []

    def enter(self, nick: str) -> tuple[socket.socket, ParkedConnection]:
        """Park a connection that has sent only a nickname."""
        peer, ours = socket.socketpair()
        ours.setblocking(False)
        self.peers.append(peer)
        connection = Connection(ours, Session.open(len(self.peers), LIMITS, monotonic()))
        self.inbox.open(connection.number, "process 1")
        parked = ParkedConnection(connection, self.selector)
        self.parked.append(parked)
        parked.listen()
        peer.send(f"{nick}\n".encode())
        self.hear()
        return peer, parked

    def hear(self) -> list[ParkedConnection]:
        """Read all readable peers, and return them."""
        found = [(key.data, ready) for key, ready in self.selector.select(0)]
        for parked, ready in found:
            for item, since in parked.receive(ready):
                self.inbox.handle(parked.number, item, since)
        return [parked for parked, _ in found]

    def delivered(self) -> bytes:
        """The output of the room."""
        return b"".join(data for _, data, _ in self.inbox.flush(monotonic()))


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    for parked in hall.parked:
        parked.close()
        parked.connection.close()
    for peer in hall.peers:
        peer.close()
    hall.selector.close()


def test_parked_connection_sends_its_lines_to_the_room(hall: Hall) -> None:
    (ada, _), _ = hall.enter("ada"), hall.enter("bob")
    hall.delivered()
    ada.send(b"is anybody there?\n")
    hall.hear()
    assert b"ada: is anybody there?\n" in hall.delivered()


def test_parked_rate_limited_connection_is_not_read(hall: Hall) -> None:
    ada, parked = hall.enter("ada")
    ada.send(b"one\ntwo\n")
    hall.hear()
    ada.send(b"three\n")
    assert hall.hear() == []
    assert parked.connection.session.lines.has_line


def test_parked_closed_connection_is_read_once(hall: Hall) -> None:
    ada, parked = hall.enter("ada")
    ada.close()
    assert hall.hear() == [parked]
    assert hall.hear() == []
    assert not parked.is_over


def test_an_exception_in_its_session_is_raised(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, parked = hall.enter("ada")

    def fail(data: bytes, now: float) -> None:
        raise RuntimeError("a bug in the session")

    monkeypatch.setattr(Session, "receive", lambda *args: fail(*args[1:]))
    ada.send(b"hello\n")
    with pytest.raises(RuntimeError, match="a bug in the session"):
        hall.hear()
    assert parked.failed


def test_parked_connection_with_a_fault_is_not_read(hall: Hall) -> None:
    ada, parked = hall.enter("ada")
    parked.connection.session.injected_fault = 60.0  # A block that would delay all connections.
    ada.send(b"hello\n")
    assert hall.hear() == [parked]
    assert hall.hear() == []
    assert parked.connection.session.injected_fault
    parked.close()
    parked.listen()
    assert hall.hear() == []


def test_a_closed_one_is_not_read_any_more(hall: Hall) -> None:
    ada, parked = hall.enter("ada")
    hall.delivered()
    parked.close()
    parked.close()
    ada.send(b"hello\n")
    assert hall.hear() == []
    assert b"hello" not in hall.delivered()


def test_park_without_memory_raises_oserror(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    _, parked = hall.enter("ada")
    parked.close()

    def refuse(*args: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(hall.selector, "register", refuse)
    with pytest.raises(OSError, match="no space left"):
        parked.listen()
