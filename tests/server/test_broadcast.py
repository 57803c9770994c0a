"""Output is written to all connections: a slow or closed one delays no other."""

import socket
from collections.abc import Iterator
from enum import Enum, auto

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.dialects import PLAIN, RICH
from protocol.messages import Said
from server.broadcast import broadcast, send_to_all
from server.connection import Connection
from server.room.outbox import Broadcast, Outbox
from server.session import DeliveryFlags
from tests.peers import readable
from tests.server.pair import Pair

LINE = b"ada: hello\n"


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
def test_everybody_is_written_to_once_and_in_order_whatever_became_of_the_others(peers: list[Peer]) -> None:
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
    assert send_to_all(data, hall.connections, 0.0) == hall.connections
    assert 0 < len(hall[0].connection.session.unsent) < len(data)
    assert all(hall.heard(pair) == data for pair in hall)


def test_who_takes_nothing_any_more_is_not_left_to_be_written_to(hall: Hall) -> None:
    hall[1].peer.shutdown(socket.SHUT_RD)
    hall[2].peer.close()
    assert send_to_all(LINE, hall.connections, 0.0) == []
    assert [len(pair.connection.session.unsent) for pair in hall] == [0, 0, 0, 0]


def test_each_hears_in_its_dialect_and_only_who_has_a_mark_is_left(hall: Hall) -> None:
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
