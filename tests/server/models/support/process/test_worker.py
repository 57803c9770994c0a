"""Tests of the worker's code in a thread of the test, with a real peer and real pipes."""

import socket
from collections.abc import Iterator
from threading import Thread
from time import monotonic

import pytest

from protocol.messages import Limits
from server.models.support.process import pipes
from server.models.support.process.pipes import RETURN, SESSION, pack, pack_delivery, pack_session
from server.models.support.process.worker import run
from server.session import Session
from server.session_types import DeliveryFlags, State
from tests.peers import PATIENCE, readable

BLOCK = 0.3
"""Seconds."""


class Scene:
    """A worker between its peer and its master, with a pending block in its session."""

    def __init__(self, seconds: float, *, brought: bool) -> None:
        """The block comes with the session or with a delivery."""
        self.peer, self.ours = socket.socketpair()
        self.ours.setblocking(False)
        self.peer.settimeout(PATIENCE)
        self.master, self.channel = pipes.pair()
        session = Session.open(1, Limits(), monotonic())
        session.state = State.JOINED
        session.injected_fault = seconds if brought else 0.0
        self.master.send(pack_session(session))
        if not brought:
            self.master.send(pack_delivery(b"", DeliveryFlags.BLOCK | int(seconds * 1000) << DeliveryFlags.SHIFT))
        self.worker = Thread(target=run, args=(self.ours, self.channel), daemon=True)
        self.worker.start()

    def close(self) -> None:
        self.master.close()
        self.worker.join(PATIENCE)
        self.channel.close()
        self.peer.close()
        self.ours.close()


@pytest.fixture(params=[True, False], ids=["brought", "told"])
def brought(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def scene(request: pytest.FixtureRequest, brought: bool) -> Iterator[Scene]:
    scene = Scene(request.param, brought=brought)
    yield scene
    scene.close()


@pytest.mark.parametrize("scene", [BLOCK], indirect=True)
def test_worker_after_a_block_passes_on_the_waiting_frames(scene: Scene) -> None:
    assert not readable(scene.peer, BLOCK / 3)
    scene.master.send(b"ada: hello\n")
    assert scene.peer.recv(100) == b"ada: hello\n"


@pytest.mark.parametrize("scene", [60.0], indirect=True)
def test_a_block_ends_when_the_session_is_asked_for(scene: Scene) -> None:
    assert not readable(scene.peer, BLOCK / 3)
    scene.master.send(pack(RETURN))
    frames: list[tuple[bytes, bytes]] = []
    until = monotonic() + PATIENCE
    while not frames and monotonic() < until:
        frames = scene.master.receive() or []
    assert [kind for kind, _ in frames] == [SESSION]
