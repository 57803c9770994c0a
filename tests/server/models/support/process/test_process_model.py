"""Tests of the master inside the test process, with real workers, for states that no client can cause."""

import errno
import os
import signal
import socket
import time
from collections.abc import Iterator
from selectors import EVENT_READ

import psutil
import pytest

from protocol.dialects import RICH
from protocol.messages import Limits, Model
from server import handover
from server.connection import Connection
from server.control import StopEvent
from server.listener import Listener
from server.models.process import ProcessModel
from server.models.support.process.fork_server_handle import ForkServer, ForkServerGone
from server.models.support.process.parked import WORKERS_AT_ONCE, ParkedConnection
from server.models.support.process.worker_handle import Worker
from server.room.inbox import Inbox
from server.room.outbox import Outbox
from server.session import Session
from server.session_types import Request
from server.sockets import listen
from tests.peers import wait_until
from tests.server.without_sockets import new_room


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("127.0.0.1", 0) as sock:
        yield Listener([sock], Limits(rate=0))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(new_room())


@pytest.fixture
def model(listener: Listener, inbox: Inbox) -> Iterator[ProcessModel]:
    started = ProcessModel(listener, inbox, StopEvent())
    started.take_over([])
    yield started
    for connection in started.stop():
        connection.close()


def come(model: ProcessModel, nick: str) -> tuple[socket.socket, Worker]:
    """A member joins. Returns its peer and its worker."""
    peer = socket.create_connection(model.listener.sources[0].getsockname())
    peer.sendall(f"{nick}\n".encode())
    wait_until(lambda: model.run_once() or len(model.inbox.room.audience) == len(model.peers) > 0, "in the room")
    return peer, list(model.peers.values())[-1]


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def stop_process(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "it has stopped")


def test_worker_that_dies_with_a_backlog_ends_once(model: ProcessModel) -> None:
    peer, worker = come(model, "ada")
    other, _ = come(model, "bob")
    with peer, other:
        stop_process(worker.pid)
        while len(worker._channel.unsent) < 100_000:
            model.inbox.room.announce("x" * 2000, time.monotonic())
            model.deliver()
        died = psutil.Process(worker.pid)
        died.kill()
        wait_until(lambda: not died.is_running(), "it is gone")
        found = {key.fd: (key, ready) for key, ready in model.selector.select(0)}
        read_end, written_end = found[worker._channel.reading], found[worker._channel.writing]
        for key, ready in (read_end, written_end):
            model.read(key.data, ready)
        assert list(model.peers) == [2]


def test_fork_with_a_lost_answer_leaves_its_successor_alone(
    model: ProcessModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = ForkServer._ask, []

    def lost(self: ForkServer, descriptors: tuple[int, ...], within: float) -> int:
        pid = ask(self, descriptors, within)
        asked.append(pid)
        if len(asked) == 1:
            raise ForkServerGone("it was killed between the fork and the answer")
        return pid

    monkeypatch.setattr(ForkServer, "_ask", lost)
    peer, worker = come(model, "ada")
    with peer:
        orphan, successor = asked
        assert worker.pid == successor
        wait_until(lambda: not psutil.pid_exists(orphan), "the orphan has found its pipe ended")
        for _ in range(20):
            worker.track(Outbox())
        worker.write()
        wait_until(
            lambda: worker.receive(EVENT_READ) or len(model.scheduler.flushed) >= 20,
            "all that went to the worker has reached it",
        )


def carried(listener: Listener, inbox: Inbox, count: int) -> tuple[list[socket.socket], list[Connection]]:
    """Peers, and their connections as another model returns them."""
    peers = [socket.create_connection(listener.sources[0].getsockname()) for _ in range(count)]
    connections: list[Connection] = []
    while len(connections) < len(peers):
        connections += listener.accept()
    for connection in connections:
        inbox.open(connection.number, "event loop")
    return peers, connections


def test_take_over_serves_connections_without_a_worker(
    listener: Listener, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, connections = carried(listener, inbox, 2 * WORKERS_AT_ONCE)
    peers[-1].sendall(b"ada\n")
    start, heard = ProcessModel.start, []

    def note(self: ProcessModel, connection: Connection) -> None:
        if connection is connections[-1]:
            heard.extend(member.nick for member in inbox.room.roster.present())
        start(self, connection)

    monkeypatch.setattr(ProcessModel, "start", note)
    model = ProcessModel(listener, inbox, StopEvent())
    model.take_over(connections)
    assert heard == ["ada"]
    for one in [*peers, *model.stop()]:
        one.close()


def test_newcomers_wait_until_all_were_taken_over(listener: Listener, inbox: Inbox) -> None:
    peer, ours = socket.socketpair()
    ours.setblocking(False)
    inbox.open(99, "event loop")
    newcomer = socket.create_connection(listener.sources[0].getsockname())
    model = ProcessModel(listener, inbox, StopEvent())
    model.take_over([Connection(ours, Session.open(99, Limits(rate=0), time.monotonic()))])
    assert list(inbox.room.seats) == [99]
    wait_until(lambda: model.run_once() or len(inbox.room.seats) == 2, "the newcomer is let in")
    for one in [peer, newcomer, *model.stop()]:
        one.close()


def test_stop_serves_connections_without_a_worker(
    listener: Listener, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, park = ProcessModel(listener, inbox, StopEvent()), ProcessModel.park
    model.take_over([])
    (ada, _), (bob, stuck) = come(model, "ada"), come(model, "bob")

    def speak(self: ProcessModel, connections: list[Connection]) -> None:
        park(self, connections)
        ada.sendall(b"is it over yet?\n")

    monkeypatch.setattr(ProcessModel, "park", speak)
    stop_process(stuck.pid)
    (returned,) = model.stop()
    assert [said.text for said in inbox.room.history.recent_lines(RICH)[0]] == ["is it over yet?"]
    for one in (ada, bob, returned):
        one.close()


def test_take_over_that_is_stopped_forks_no_more(
    listener: Listener, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, connections = carried(listener, inbox, 40)
    stop, start, before = StopEvent(), ProcessModel.start, children()

    def asked_meanwhile(self: ProcessModel, connection: Connection) -> None:
        start(self, connection)
        assert not stop, "nobody is forked after that"
        if connection.number == 3:
            stop.set()

    monkeypatch.setattr(ProcessModel, "start", asked_meanwhile)
    returned = handover.run(Model.PROCESS, listener, connections, inbox, stop)
    assert {connection.number for connection in returned} == {connection.number for connection in connections}
    assert set(children()) <= set(before), "other tests may have servers of their own"
    for one in [*peers, *returned]:
        one.close()


def test_where_one_cannot_be_parked_all_are_given_back(
    listener: Listener, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, connections = carried(listener, inbox, 3)
    listen, listened = ParkedConnection.listen, []

    def refuse_the_second(self: ParkedConnection) -> None:
        listened.append(self)
        if len(listened) == 2:
            raise OSError(errno.ENOSPC, "no space left")
        listen(self)

    monkeypatch.setattr(ParkedConnection, "listen", refuse_the_second)
    model = ProcessModel(listener, inbox, StopEvent())
    with pytest.raises(OSError, match="no space left"):
        model.take_over(connections)
    assert model.stop() == connections
    for one in [*peers, *connections]:
        one.close()


def test_a_parked_connection_that_fails_ends_alone(
    listener: Listener, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (ada, bob), connections = carried(listener, inbox, 2)
    model = ProcessModel(listener, inbox, StopEvent())
    model.park(connections)
    receive = ParkedConnection.receive

    def fail_over_ada(self: ParkedConnection, ready: int) -> list[tuple[Request, float]]:
        if self.connection is connections[0]:
            raise RuntimeError("a bug in the session")
        return receive(self, ready)

    monkeypatch.setattr(ParkedConnection, "receive", fail_over_ada)
    ada.sendall(b"ada\n")
    bob.sendall(b"bob\n")
    wait_until(lambda: model.run_once(0) and inbox.room.roster.present() and len(model.peers) == 1, "bob alone is left")
    assert "connection 1 failed, and ends" in caplog.text
    assert [member.nick for member in inbox.room.roster.present()] == ["bob"]
    assert ada.recv(1) == b""
    for one in [ada, bob, *model.stop()]:
        one.close()
