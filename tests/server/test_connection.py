"""The socket of one connection."""

import os
import socket
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE

import pytest

from protocol.messages import Limits
from server.connection import BATCH_SIZE, Connection, InjectedFault, readable_first
from server.session import MAX_UNSENT_BYTES, DeliveryFlags, Session
from tests.server.pair import Pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


class TestSpeakersFirst:
    def test_who_has_said_something_comes_before_all_who_are_left(self) -> None:
        pairs = [Pair() for _ in range(3 * BATCH_SIZE)]
        came = []
        for connection in readable_first([pair.connection for pair in pairs]):
            came.append([pair.connection for pair in pairs].index(connection))
            if len(came) == 2:
                pairs[-1].peer.send(b"hello\n")
        for pair in pairs:
            pair.close()
        assert came == [*range(BATCH_SIZE), 3 * BATCH_SIZE - 1, *range(BATCH_SIZE, 3 * BATCH_SIZE - 1)]

    def test_without_any_they_come_in_their_order(self, pair: Pair) -> None:
        assert list(readable_first([])) == []
        assert list(readable_first([pair.connection])) == [pair.connection]


class TestConnection:
    def test_reads_what_is_there_and_does_not_wait(self, pair: Pair) -> None:
        assert pair.connection.read(0.0) == []
        pair.peer.send(b"ada\nhello\nhalf")
        assert len(pair.connection.read(0.0)) == 2

    def test_writes_what_the_peer_takes_and_keeps_the_rest(self, pair: Pair) -> None:
        data = os.urandom(600_000)
        pair.connection.send(data, DeliveryFlags.NONE, 0.0)
        assert pair.connection.session.unsent
        assert pair.connection.interest(0.0) == EVENT_READ | EVENT_WRITE
        got = pair.peer.recv(1 << 20)  # There is room now, but what was kept comes first.
        pair.connection.send(b"after", DeliveryFlags.NONE, 0.0)
        while pair.connection.session.unsent:
            pair.connection.flush(0.0)
            got += pair.peer.recv(1 << 20)
        pair.peer.setblocking(False)
        while len(got) < len(data) + 5:
            got += pair.peer.recv(1 << 20)
        assert got == data + b"after"
        assert pair.connection.interest(0.0) == EVENT_READ

    def test_lets_go_whoever_lets_too_much_pile_up(self, pair: Pair) -> None:
        pair.connection.send(b"begun\n" * 200_000, DeliveryFlags.NONE, 0.0)
        pair.connection.send(b"x" * (MAX_UNSENT_BYTES + 1), DeliveryFlags.NONE, 0.0)
        assert pair.connection.session.is_closing
        assert not pair.connection.over(1.9)
        assert pair.connection.over(2.0)
        got = b""
        while pair.connection.session.unsent:
            got += pair.peer.recv(1 << 20)
            pair.connection.flush(0.1)
        got += pair.peer.recv(1 << 20)
        assert got.endswith(b"too much piled up\n")
        assert pair.peer.recv(1) == b""

    def test_a_goodbye_closes_our_half_and_waits_for_the_peer(self, pair: Pair) -> None:
        pair.connection.send(b"bye\n", DeliveryFlags.CLOSE, 0.0)
        assert pair.peer.recv(100) == b"bye\n"
        assert pair.peer.recv(100) == b""
        pair.peer.send(b"what I still had to say\n")
        assert pair.connection.read(0.0) == []
        assert not pair.connection.over(0.1)
        pair.peer.close()
        pair.connection.read(0.1)
        assert pair.connection.over(0.1)

    def test_is_over_at_once_when_the_peer_is_gone_both_ways(self, pair: Pair) -> None:
        pair.peer.close()
        pair.connection.send(b"hello\n", DeliveryFlags.NONE, 0.0)
        pair.connection.read(0.0)
        assert pair.connection.over(0.0)

    def test_calls_back_once_when_it_is_closed(self) -> None:
        ours, theirs = socket.socketpair()
        calls: list[int] = []
        connection = Connection(ours, Session.open(1, Limits(), 0.0), closed=lambda: calls.append(1))
        connection.close()
        connection.close()
        theirs.close()
        assert calls == [1]


class TestChaos:
    def test_an_exception_is_raised_at_the_next_chance_and_once(self, pair: Pair) -> None:
        pair.connection.send(b"", DeliveryFlags.FAIL, 0.0)
        assert pair.connection.session.due(0.0) == 0.0
        with pytest.raises(InjectedFault):
            pair.connection.advance(0.0)
        assert pair.connection.advance(0.0) == []

    def test_a_block_pauses_where_the_connection_is_served(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        slept: list[float] = []
        connection = Connection(ours, Session.open(1, Limits(), 0.0), pause=slept.append)
        connection.send(b"", DeliveryFlags.BLOCK | 250 << DeliveryFlags.SHIFT, 0.0)
        assert slept == []
        connection.read(0.0)
        connection.read(0.0)
        assert slept == [0.25]
        connection.close()
        theirs.close()
