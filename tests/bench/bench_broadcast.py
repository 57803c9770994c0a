"""A pass of the event loop, from the bytes in the socket of the speaker to those in 1,000 others, by TCP on loopback.

The floor beside it is the cost of the system calls: one `send` of the same bytes to each of the same sockets.
"""

import secrets
import socket
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from protocol.messages import Limits
from server.control import StopEvent
from server.listener import Listener
from server.models.event import EventModel
from server.room.inbox import Inbox
from server.room.operators import Operators
from server.room.room import Room
from server.room.state import ResourceUsage
from server.sockets import listen
from tests.bench.conftest import PerSecond
from three_chat_rooms import raise_file_limit

MEMBERS = 1000
TEXT = b"a line of the length that people write, more or less, when they chat\n"
ROUNDS = 100


class Hall:
    """The event model, of which the benchmark runs each pass, and the clients of 1,000 connections to it."""

    def __init__(self) -> None:
        raise_file_limit()
        limits = Limits(rate=0)
        self.room = Room(
            limits,
            operators=Operators(),
            make_token=lambda: secrets.token_urlsafe(16),
            measure=lambda workers: ResourceUsage(),
        )
        self.listener = Listener([listen("127.0.0.1", 0)], limits)
        self.model = EventModel(self.listener, Inbox(self.room), StopEvent())
        self.peers: list[socket.socket] = []
        for number in range(MEMBERS):
            peer = socket.create_connection(self.listener.sources[0].getsockname())
            peer.sendall(f"member{number}\n".encode())
            peer.setblocking(False)
            self.peers.append(peer)
            self.model.run_once()
        while len(self.room.roster) < MEMBERS or self.room.presence.changed:
            self.model.run_once()

    def drain(self) -> int:
        """Read all data that the clients have received; returns the number of bytes."""
        size = 0
        for peer in self.peers:
            try:
                while data := peer.recv(1 << 16):
                    size += len(data)
            except BlockingIOError:
                pass
        return size

    def close(self) -> None:
        for connection in self.model.stop():
            connection.close()
        for peer in self.peers:
            peer.close()
        self.listener.sources[0].close()


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.close()


@pytest.mark.parametrize("lines", [1, 100])
def test_event_model(benchmark: BenchmarkFixture, hall: Hall, lines: int, per_second: PerSecond) -> None:
    benchmark.group = f"a broadcast of {lines} to {MEMBERS:,} members"
    heard: list[int] = []

    def somebody_speaks() -> None:
        heard.append(hall.drain())
        hall.peers[0].sendall(TEXT * lines)

    benchmark.pedantic(hall.model.run_once, setup=somebody_speaks, rounds=ROUNDS, warmup_rounds=3)
    # All clients but the speaker get each line, which begins with the nickname.
    heard.append(hall.drain())
    assert heard[-1] == (MEMBERS - 1) * lines * len(b"member0: " + TEXT)
    per_second((MEMBERS - 1) * lines, "deliveries")


@pytest.mark.parametrize("lines", [1, 100])
def test_floor_of_plain_sends(benchmark: BenchmarkFixture, hall: Hall, lines: int, per_second: PerSecond) -> None:
    benchmark.group = f"a broadcast of {lines} to {MEMBERS:,} members"
    data = (b"member0: " + TEXT) * lines
    sockets = [connection.socket for connection in hall.model.connections.values()][1:]

    def send() -> None:
        for sock in sockets:
            sock.send(data)

    benchmark.pedantic(send, setup=lambda: hall.drain() and None, rounds=ROUNDS, warmup_rounds=3)
    assert hall.drain() == len(sockets) * len(data)
    per_second(len(sockets) * lines, "deliveries")
