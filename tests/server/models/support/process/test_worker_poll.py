"""Tests of a worker's sleep, with a real peer and real pipes: the bytes that it relays, and the events that wake it."""

import os
import socket
from collections.abc import Iterator
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from threading import Thread
from time import monotonic

import pytest

from server.models.support.process import pipes
from server.models.support.process.pipes import DELIVERY, FLUSHED, TALK, pack, pack_delivery
from server.models.support.process.worker import WorkerPoll
from server.session_types import DeliveryFlags
from tests.peers import PATIENCE


class Scene:
    """A worker's poll between its peer and its master."""

    def __init__(self) -> None:
        self.peer, ours = socket.socketpair()
        ours.setblocking(False)
        self.peer.settimeout(PATIENCE)
        self.sock = ours
        self.master, self.channel = pipes.pair()
        self.poll = WorkerPoll(ours, self.channel)
        self.poll.expect_until(EVENT_READ, inf)

    def close(self) -> None:
        self.peer.close()
        self.sock.close()
        self.master.close()
        self.channel.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


def test_sleeping_worker_relays_bytes_to_its_peer(scene: Scene) -> None:
    woke: list[object] = []
    sleeper = Thread(target=lambda: woke.append(scene.poll.wait()))
    sleeper.start()
    for number in range(20):
        scene.master.send(pack_delivery(b"ada: %d\n" % number, DeliveryFlags.NONE))
        assert scene.peer.recv(100) == b"ada: %d\n" % number
    assert not woke
    scene.peer.send(b"hello\n")
    sleeper.join(PATIENCE)
    assert woke == [(EVENT_READ, [], False)]


def test_sleeping_worker_wakes_for_a_frame_with_earlier_bytes(scene: Scene) -> None:
    scene.master.send(b"ada: hi\n" + pack(FLUSHED))
    assert scene.poll.wait() == (0, [(TALK, b"ada: hi\n"), (FLUSHED, b"")], False)


def test_sleeping_worker_wakes_for_a_delivery_with_flags(scene: Scene) -> None:
    scene.master.send(pack_delivery(b"bye\n", DeliveryFlags.CLOSE))
    _, frames, _ = scene.poll.wait()
    assert frames is not None
    assert [kind for kind, _ in frames] == [DELIVERY]


def test_in_the_middle_of_a_frame_nothing_is_passed_on(scene: Scene) -> None:
    frame = pack_delivery(b"welcome\n" * 5, DeliveryFlags.JOINED)
    scene.master.send(frame[:20])
    assert scene.poll.wait() == (0, [], False)
    scene.master.send(frame[20:] + b"ada: hi\n")
    _, frames, _ = scene.poll.wait()
    assert frames is not None
    assert [kind for kind, _ in frames] == [DELIVERY, TALK]


def test_sleeping_worker_returns_bytes_that_the_peer_refuses(scene: Scene) -> None:
    scene.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    talk = b"".join(b"ada: %d\n" % number for number in range(5000))
    scene.master.send(talk)
    ready, frames, due = scene.poll.wait()
    assert frames is not None
    ((kind, rest),) = frames
    assert (ready, kind, due) == (0, TALK, False)
    assert rest
    taken = b""
    while len(taken) + len(rest) < len(talk):
        taken += scene.peer.recv(65536)
        rest += os.read(scene.channel.reading, 65536) if len(taken) + len(rest) < len(talk) else b""
    assert taken + rest == talk


def test_while_something_is_unsent_nothing_overtakes_it(scene: Scene) -> None:
    scene.poll.expect_until(EVENT_READ | EVENT_WRITE, inf)
    scene.master.send(b"ada: hi\n")
    assert scene.poll.wait() == (EVENT_WRITE, [(TALK, b"ada: hi\n")], False)


def test_a_peer_that_is_gone_is_left_to_the_session(scene: Scene) -> None:
    scene.poll.expect_until(0, inf)
    scene.peer.close()
    scene.master.send(b"ada: hi\n")
    assert scene.poll.wait() == (0, [(TALK, b"ada: hi\n")], False)


def test_it_finds_out_that_the_master_is_gone(scene: Scene) -> None:
    scene.master.close()
    assert scene.poll.wait()[1] is None


def test_it_wakes_when_it_is_time_however_much_is_told(scene: Scene) -> None:
    until = monotonic() + 0.2
    scene.poll.expect_until(EVENT_READ, until)
    told = 0
    due = False
    while not due:
        scene.master.send(b"ada: hi\n")
        _, frames, due = scene.poll.wait()
        told += len(frames or ())
    assert until <= monotonic()
    assert told


def test_a_year_is_not_too_long_for_poll(scene: Scene) -> None:
    scene.poll.expect_until(EVENT_READ, monotonic() + 365 * 86_400)
    scene.peer.send(b"hello\n")
    assert scene.poll.wait() == (EVENT_READ, [], False)
