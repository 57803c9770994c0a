"""Connections that the master serves itself, with real sockets and a real room."""

import errno
import selectors
import socket
from collections.abc import Iterator
from time import monotonic, time

import pytest

from protocol.messages import Limits
from server.connection import Connection
from server.processes.held import Held
from server.room.room import Room
from server.session import Item, Session
from tests.server.without_sockets import new_room

LIMITS = Limits(burst=2, rate=0.01)


class Hall:
    """A room, and those who are held."""

    def __init__(self) -> None:
        self.room: Room = new_room(LIMITS)
        self.selector = selectors.DefaultSelector()
        self.held = Held(self.selector, self.room)
        self.peers: list[socket.socket] = []

    def enter(self, nick: str) -> tuple[socket.socket, Connection]:
        """Somebody is held who has said no more than a nickname."""
        peer, ours = socket.socketpair()
        ours.setblocking(False)
        self.peers.append(peer)
        connection = Connection(ours, Session.open(len(self.peers), LIMITS, monotonic()))
        self.room.open(connection.number, "process 1")
        self.held.hold(connection)
        peer.send(f"{nick}\n".encode())
        self.hear()
        return peer, connection

    def hear(self) -> list[Connection]:
        """Hear all who have something to say; returns them."""
        found = [key.data for key, _ in self.selector.select(0)]
        for connection in found:
            self.held.hear(connection)
        return found

    def delivered(self) -> bytes:
        """What the room has to tell now."""
        return b"".join(data for _, data, _ in self.room.take(time()))


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    for connection in list(hall.held.values()):
        hall.held.release(connection)
        connection.close()
    for peer in hall.peers:
        peer.close()
    hall.selector.close()


def test_what_they_say_reaches_the_room(hall: Hall) -> None:
    (ada, _), _ = hall.enter("ada"), hall.enter("bob")
    hall.delivered()
    ada.send(b"is anybody there?\n")
    hall.hear()
    assert b"ada: is anybody there?\n" in hall.delivered()


def test_who_has_to_earn_the_next_line_is_left_to_who_comes_next(hall: Hall) -> None:
    ada, connection = hall.enter("ada")
    ada.send(b"one\ntwo\n")
    hall.hear()
    ada.send(b"three\n")
    assert hall.hear() == []
    assert connection.session.lines.has_line


def test_who_is_gone_is_heard_once_and_left_to_who_comes_next(hall: Hall) -> None:
    ada, connection = hall.enter("ada")
    ada.close()
    assert hall.hear() == [connection]
    assert hall.hear() == []
    assert connection.number in hall.held


def test_one_that_fails_ends_alone(
    hall: Hall, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ada, _), (bob, _) = hall.enter("ada"), hall.enter("bob")
    handle = Room.handle

    def fail_over_ada(self: Room, number: int, item: Item, now: float) -> None:
        if number == 1:
            raise RuntimeError("the room fails over what ada says")
        handle(self, number, item, now)

    monkeypatch.setattr(Room, "handle", fail_over_ada)
    ada.send(b"hello\n")
    bob.send(b"hello\n")
    hall.hear()
    assert list(hall.held) == [2]
    assert [member.nick for member in hall.room.roster.present()] == ["bob"]
    assert "connection 1 failed, and ends" in caplog.text
    assert ada.recv(1) == b""


def test_one_that_chaos_has_struck_is_left_to_who_comes_next(hall: Hall) -> None:
    ada, connection = hall.enter("ada")
    connection.session.fault = 60.0  # A block that everybody would feel.
    ada.send(b"hello\n")
    assert hall.hear() == [connection]
    assert hall.hear() == []
    assert connection.session.fault
    hall.held.release(connection)
    hall.held.hold(connection)
    assert hall.hear() == []


def test_whoever_is_released_is_not_heard_any_more(hall: Hall) -> None:
    ada, connection = hall.enter("ada")
    hall.delivered()
    hall.held.release(connection)
    hall.held.release(connection)
    ada.send(b"hello\n")
    assert hall.hear() == []
    hall.held.hear(connection)
    assert b"hello" not in hall.delivered()
    connection.close()


def test_where_one_cannot_be_listened_to_all_are_held_to_be_given_back(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = [hall.enter(nick)[1] for nick in ("ada", "bob", "cleo")]
    for connection in connections:
        hall.held.release(connection)
    register = hall.selector.register

    def refuse(file: Connection, events: int, data: object = None) -> selectors.SelectorKey:
        if file is connections[1]:
            raise OSError(errno.ENOSPC, "no space left")
        return register(file, events, data)

    monkeypatch.setattr(hall.selector, "register", refuse)
    with pytest.raises(OSError, match="no space left"):
        hall.held.hold_all(connections)
    assert list(hall.held.values()) == connections
