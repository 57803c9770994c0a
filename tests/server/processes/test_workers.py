"""The master's side, run in the test's own process, with real children: what no client can bring about on purpose."""

import os
import signal
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from protocol.messages import Dialect, Limits, Model
from server import handover
from server.connection import Connection
from server.models.process import ProcessModel
from server.processes.forking import ForkServer, ForkServerGone
from server.processes.held import Held
from server.processes.recall import GANG
from server.processes.workers import Worker
from server.room.room import Room
from server.room.turn import Turn
from server.session import Session
from server.sockets import Listener, listen
from server.wishes import Stop
from tests.peers import wait_until
from tests.server.without_sockets import new_room


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("127.0.0.1", 0) as sock:
        yield Listener([sock], Limits(rate=0))


@pytest.fixture
def room() -> Room:
    return new_room()


@pytest.fixture
def model(listener: Listener, room: Room) -> Iterator[ProcessModel]:
    started = ProcessModel(listener, room, Stop())
    started.take_over([])
    yield started
    for connection in started.stop():
        connection.close()


def come(model: ProcessModel, nick: str) -> tuple[socket.socket, Worker]:
    """Somebody joins; returns the peer and the worker."""
    peer = socket.create_connection(model.listener.sources[0].getsockname())
    peer.sendall(f"{nick}\n".encode())
    wait_until(lambda: model.run_once() or len(model.room.audience) == len(model.workers) > 0, "in the room")
    return peer, list(model.workers.values())[-1]


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def stop_process(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "it has stopped")


def test_a_worker_that_dies_right_after_it_spoke_with_a_backlog_ends_once(model: ProcessModel) -> None:
    peer, worker = come(model, "ada")
    other, _ = come(model, "bob")
    with peer, other:
        stop_process(worker.pid)
        while len(worker._channel.unsent) < 100_000:
            model.room.announce("x" * 2000, time.time())
            model.deliver()
        died = psutil.Process(worker.pid)
        died.kill()
        wait_until(lambda: not died.is_running(), "it is gone")
        found = {key.fd: (key, ready) for key, ready in model.selector.select(0)}
        read_end, written_end = found[worker._channel.reading], found[worker._channel.writing]
        for key, ready in (read_end, written_end):
            model.resume(key.data, ready)
        assert list(model.workers) == [2]


def test_one_forked_whose_answer_was_lost_takes_nothing_from_its_successor(
    model: ProcessModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = ForkServer._ask, []

    def lost(self: ForkServer, descriptors: tuple[int, ...]) -> int:
        pid = ask(self, descriptors)
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
            worker.follow(Turn())
        worker.write()
        arrived: list[Turn] = []
        wait_until(
            lambda: worker.receive() or arrived.extend(worker.arrived()) or len(arrived) == 20,
            "all that went to the worker has reached it",
        )


def carried(listener: Listener, room: Room, count: int) -> tuple[list[socket.socket], list[Connection]]:
    """Peers, and their connections as another model hands them over."""
    peers = [socket.create_connection(listener.sources[0].getsockname()) for _ in range(count)]
    connections: list[Connection] = []
    while len(connections) < len(peers):
        connections += listener.accept()
    for connection in connections:
        room.open(connection.number, "event loop")
    return peers, connections


def test_who_has_no_worker_yet_is_heard_while_the_others_get_theirs(
    listener: Listener, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, connections = carried(listener, room, 2 * GANG)
    peers[-1].sendall(b"ada\n")
    start, heard = ProcessModel.start, []

    def note(self: ProcessModel, connection: Connection) -> None:
        if connection is connections[-1]:
            heard.extend(member.nick for member in room.roster.present())
        start(self, connection)

    monkeypatch.setattr(ProcessModel, "start", note)
    model = ProcessModel(listener, room, Stop())
    model.take_over(connections)
    assert heard == ["ada"]
    for one in [*peers, *model.stop()]:
        one.close()


def test_newcomers_wait_until_all_were_taken_over(listener: Listener, room: Room) -> None:
    peer, ours = socket.socketpair()
    ours.setblocking(False)
    room.open(99, "event loop")
    newcomer = socket.create_connection(listener.sources[0].getsockname())
    model = ProcessModel(listener, room, Stop())
    model.take_over([Connection(ours, Session.open(99, Limits(rate=0), time.monotonic()))])
    assert list(room.seats) == [99]
    wait_until(lambda: model.run_once() or len(room.seats) == 2, "the newcomer is let in")
    for one in [peer, newcomer, *model.stop()]:
        one.close()


def test_who_has_no_worker_any_more_is_heard_while_another_is_waited_for(
    listener: Listener, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, hold = ProcessModel(listener, room, Stop()), Held.hold
    model.take_over([])
    (ada, _), (bob, stuck) = come(model, "ada"), come(model, "bob")

    def speak(self: Held, connection: Connection) -> None:
        hold(self, connection)
        ada.sendall(b"is it over yet?\n")

    monkeypatch.setattr(Held, "hold", speak)
    stop_process(stuck.pid)
    (returned,) = model.stop()
    assert [said.text for said in room.record.said(Dialect.RICH)] == ["is it over yet?"]
    for one in (ada, bob, returned):
        one.close()


def test_who_is_asked_to_stop_forks_no_more(listener: Listener, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    peers, connections = carried(listener, room, 40)
    stop, start, before = Stop(), ProcessModel.start, children()

    def asked_meanwhile(self: ProcessModel, connection: Connection) -> None:
        start(self, connection)
        assert not stop, "nobody is forked after that"
        if connection.number == 3:
            stop.ask()

    monkeypatch.setattr(ProcessModel, "start", asked_meanwhile)
    returned = handover.run(Model.PROCESS, listener, connections, room, stop)
    assert {connection.number for connection in returned} == {connection.number for connection in connections}
    assert set(children()) <= set(before), "other tests may have servers of their own"
    for one in [*peers, *returned]:
        one.close()
