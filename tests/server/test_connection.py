"""The socket of one connection, and writes to many."""

import os
import socket
from collections.abc import Iterator
from enum import Enum, auto
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.dialects import PLAIN, RICH
from protocol.messages import Limits, Said
from server.connection import BATCH_SIZE, Connection, InjectedFault, broadcast, readable_first, send_to_all
from server.room.outbox import Broadcast, Outbox
from server.session import MAX_UNSENT_BYTES, Session
from server.session_types import DeliveryFlags
from tests.peers import readable
from tests.server.sessions import Pair

LINE = b"ada: hello\n"


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


class TestSpeakersFirst:
    def test_readable_connections_come_before_all_others(self) -> None:
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
    def test_connection_reads_waiting_bytes_without_blocking(self, pair: Pair) -> None:
        assert pair.connection.read(0.0) == []
        pair.peer.send(b"ada\nhello\nhalf")
        assert len(pair.connection.read(0.0)) == 2

    def test_connection_keeps_the_bytes_that_the_peer_does_not_take(self, pair: Pair) -> None:
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

    def test_connection_with_too_much_unsent_is_closed(self, pair: Pair) -> None:
        pair.connection.send(b"begun\n" * 200_000, DeliveryFlags.NONE, 0.0)
        pair.connection.send(b"x" * (MAX_UNSENT_BYTES + 1), DeliveryFlags.NONE, 0.0)
        assert pair.connection.session.is_closing
        assert not pair.connection.is_over(1.9)
        assert pair.connection.is_over(2.0)
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
        assert not pair.connection.is_over(0.1)
        pair.peer.close()
        pair.connection.read(0.1)
        assert pair.connection.is_over(0.1)

    def test_is_over_at_once_when_the_peer_is_gone_both_ways(self, pair: Pair) -> None:
        pair.peer.close()
        pair.connection.send(b"hello\n", DeliveryFlags.NONE, 0.0)
        pair.connection.read(0.0)
        assert pair.connection.is_over(0.0)

    def test_calls_back_once_when_it_is_closed(self) -> None:
        ours, theirs = socket.socketpair()
        calls: list[int] = []
        connection = Connection(ours, Session.open(1, Limits(), 0.0), on_close=lambda: calls.append(1))
        connection.close()
        connection.close()
        theirs.close()
        assert calls == [1]


class TestChaos:
    def test_an_exception_is_raised_at_the_next_chance_and_once(self, pair: Pair) -> None:
        pair.connection.send(b"", DeliveryFlags.FAIL, 0.0)
        assert pair.connection.session.next_deadline(0.0) == 0.0
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


class Peer(Enum):
    """The behaviour of a peer."""

    READS = auto()
    FULL = auto()
    """It takes nothing more for now."""
    BEHIND = auto()
    """It has just taken all that the kernel kept for it, but more waits in its session."""
    GONE = auto()


class Hall(list[Pair]):
    """Pairs, numbered from 1, and what was written to each of them before."""

    def __init__(self, peers: list[Peer]) -> None:
        super().__init__(Pair(number=number) for number in range(1, len(peers) + 1))
        self.peers = peers
        self.before = [self._prepare(pair, peer) for pair, peer in zip(self, peers, strict=True)]

    @property
    def connections(self) -> list[Connection]:
        return [pair.connection for pair in self]

    def that(self, *states: Peer) -> list[Connection]:
        return [pair.connection for pair, peer in zip(self, self.peers, strict=True) if peer in states]

    def heard(self, pair: Pair) -> bytes:
        """All that its peer can read until everything is written."""
        got = bytearray()
        pair.peer.setblocking(False)
        while pair.connection.session.unsent or readable(pair.peer, 0.0):
            pair.connection.flush(0.0)
            got += pair.peer.recv(1 << 20)
        return bytes(got)

    def close(self) -> None:
        for pair in self:
            pair.close()

    def _prepare(self, pair: Pair, peer: Peer) -> bytes:
        if peer is Peer.GONE:
            pair.peer.close()
        if peer in (Peer.READS, Peer.GONE):
            return b""
        sent = b""
        try:
            while True:
                sent += b"x" * pair.connection.socket.send(b"x" * 4096)
        except BlockingIOError:
            pass
        if peer is Peer.BEHIND:
            pair.connection.send(b"behind\n", DeliveryFlags.NONE, 0.0)
            while len(sent) > 0:
                sent = sent[len(pair.peer.recv(1 << 20)) :]
            return b"behind\n"
        return sent


@given(st.lists(st.sampled_from(Peer), max_size=12))
def test_broadcast_writes_once_and_in_order_despite_failures(peers: list[Peer]) -> None:
    hall = Hall(peers)
    try:
        assert send_to_all(LINE, hall.connections, 0.0) == hall.that(Peer.FULL, Peer.BEHIND)
        assert send_to_all(b"more\n", hall.connections, 0.0) == hall.that(Peer.FULL, Peer.BEHIND)
        for pair, before, peer in zip(hall, hall.before, peers, strict=True):
            if peer is not Peer.GONE:
                assert hall.heard(pair) == before + LINE + b"more\n"
    finally:
        hall.close()


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall([Peer.READS] * 4)
    yield made
    made.close()


def test_a_line_that_is_taken_in_part_is_kept_from_there_on(hall: Hall) -> None:
    data = b"0123456789" * 60_000
    for connection in hall.connections:  # Some systems keep more than that.
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    assert send_to_all(data, hall.connections, 0.0) == hall.connections
    assert 0 < len(hall[0].connection.session.unsent) < len(data)
    assert all(hall.heard(pair) == data for pair in hall)


def test_send_to_all_drops_bytes_for_failed_connections(hall: Hall) -> None:
    hall[1].peer.shutdown(socket.SHUT_RD)
    hall[2].peer.close()
    assert send_to_all(LINE, hall.connections, 0.0) == []
    assert [len(pair.connection.session.unsent) for pair in hall] == [0, 0, 0, 0]


def test_broadcast_uses_each_dialect_and_returns_flagged_peers(hall: Hall) -> None:
    outbox = Outbox()
    said = Said(seq=1, nick="ada", text="hello", at=0.0)
    outbox.broadcasts.append(Broadcast(said, author=1))
    outbox.add(4, b"*** goodbye\n", DeliveryFlags.CLOSE)
    outbox.add(9, b"who is gone by now", DeliveryFlags.NONE)
    for number in (1, 2, 8):
        outbox.audience.add(number, PLAIN)
    outbox.audience.add(3, RICH)
    numbered = {pair.connection.number: pair.connection for pair in hall}
    assert broadcast(outbox, numbered, 0.0) == [hall[3].connection]
    assert hall[3].connection.session.is_closing
    heard = [hall.heard(pair) for pair in hall[:3]]
    assert heard == [b"", LINE, RICH.encode(said)]
    assert hall[3].peer.recv(100) == b"*** goodbye\n"
