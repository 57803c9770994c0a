"""Tests of promises of the thread model only: a thread serves each connection, and wakes for each change to it."""

import socket
import sys
import threading
import time

import pytest

from protocol.dialects import PLAIN
from protocol.messages import Hello, Limits
from server.connection import Connection
from server.control import StopEvent
from server.listener import Listener
from server.models.support.threads import Waiter
from server.models.thread import ThreadModel
from server.room.inbox import Inbox
from server.session import Session
from server.session_types import State
from server.sockets import listen
from tests.pace import allowed
from tests.running import PATIENCE, Server, wait_until
from tests.server.limits import SETS_LIMITS, limited, ordinary_user
from tests.server.slow import NEEDS_PROC, fill, lines_heard, slow_peer
from tests.server.without_sockets import new_room

PROMPTLY = allowed(2.0)
"""Seconds within which a woken thread is done, also on a busy machine. Its own deadlines are later."""


@NEEDS_PROC
def test_a_slow_reader_needs_no_second_thread(start_server) -> None:
    server: Server = start_server("thread")
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    threads = server.process.num_threads()
    lines = fill(server, slow, talker)
    assert server.process.num_threads() == threads
    assert lines_heard(slow, last=lines[-1]) == lines


@NEEDS_PROC
@SETS_LIMITS
def test_slow_reader_without_a_free_thread_is_served(start_server) -> None:
    user = ordinary_user()
    server: Server = start_server("thread", prefix=user)
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    threads = server.process.num_threads()
    with limited(server, "nproc", 1, user):
        lines = fill(server, slow, talker)
        assert server.process.num_threads() == threads
    assert lines_heard(slow, last=lines[-1]) == lines


def test_line_during_a_write_to_a_slow_reader_is_sent_at_once() -> None:
    """Runs in the test process, because the line must arrive exactly while that thread holds the lock."""
    with listen("127.0.0.1", 0) as sock:
        model = ThreadModel(Listener([sock], Limits()), Inbox(new_room()), StopEvent())
    (slow, slow_peer), (here, peer) = connected(1, Interrupted), connected(2, Connection)
    model.inbox.open(2, "thread 2")
    model.inbox.handle(2, Hello("ada", dialect=PLAIN.name), time.monotonic())
    slow.session.unsent += bytes(2**23)
    slow.speak = lambda: (model.inbox.room.announce("is anybody there?", time.monotonic()), model.deliver())
    model.take_over([slow, here])
    slow_peer.recv(1 << 16)
    heard = b""
    while b"is anybody there?" not in heard:
        heard += peer.recv(1 << 16)
    assert slow.session.unsent
    for connection in model.stop():
        connection.close()
    slow_peer.close()
    peer.close()


def test_a_line_said_during_a_flush_does_not_wait_for_a_block() -> None:
    """The thread that held the lock delivers the lines of other threads before any longer work."""
    blocked = threading.Event()
    with listen("127.0.0.1", 0) as sock:
        model = ThreadModel(Listener([sock], Limits()), Inbox(new_room()), StopEvent())
    (slow, slow_peer), (here, peer) = connected(1, Interrupted), connected(2, Connection)
    model.inbox.open(2, "thread 2")
    model.inbox.handle(2, Hello("ada", dialect=PLAIN.name), time.monotonic())
    model.inbox.flush(time.monotonic())

    def speak() -> None:
        slow.session.injected_fault = 60.0
        model.inbox.room.announce("is anybody there?", time.monotonic())
        model.deliver()

    slow.session.unsent += bytes(2**23)
    slow.speak, slow._pause = lambda: None, blocked.wait
    model.take_over([slow, here])
    wait_until(lambda: asleep(model), "one cannot write, the other has nothing to read")
    slow.speak = speak
    slow_peer.recv(1 << 20)
    heard = b""
    while b"is anybody there?" not in heard:
        heard += peer.recv(1 << 16)
    blocked.set()
    for connection in model.stop():
        connection.close()
    slow_peer.close()
    peer.close()


def test_goodbye_by_another_thread_ends_a_connection_at_once() -> None:
    """Runs in the test process, because the peer must leave while another thread holds the lock."""
    with listen("127.0.0.1", 0) as sock:
        model = ThreadModel(Listener([sock], Limits()), Inbox(new_room()), StopEvent())
    leaver, peer = connected(1, Connection)
    model.take_over([leaver])
    with model.lock:
        peer.close()
        wait_until(
            lambda: model.inbox.has_work and leaver.session.is_leaving, "it has asked to be let go, and was heard"
        )
        wait_until(lambda: asleep(model), "its thread sleeps until that is delivered")
    model.deliver()
    wait_until(lambda: not model.connections, "its thread has not slept through that", PROMPTLY)
    assert model.stop() == []


def test_half_closed_reader_ends_once_all_is_written() -> None:
    """Its own thread no longer reads by then: it sleeps until all bytes are written."""
    with listen("127.0.0.1", 0) as sock:
        model = ThreadModel(Listener([sock], Limits()), Inbox(new_room()), StopEvent())
    slow, peer = connected(1, Connection)
    slow.session.unsent += bytes(2**19)
    model.take_over([slow])
    peer.shutdown(socket.SHUT_WR)
    wait_until(
        lambda: slow.session.eof_received and slow.session.is_closing, "its own thread has heard of it", PATIENCE
    )
    while peer.recv(1 << 16):
        pass
    wait_until(lambda: model.run_once() or not model.connections, "its thread has not slept through that", PROMPTLY)
    assert model.stop() == []


def test_silent_member_is_closed_in_time() -> None:
    limits = Limits(idle_timeout=0.2, join_timeout=3600.0)
    with listen("127.0.0.1", 0) as sock:
        model = ThreadModel(Listener([sock], limits), Inbox(new_room(limits)), StopEvent())
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.settimeout(PATIENCE)
    model.take_over([Connection(ours, Session.open(1, limits, time.monotonic()))])
    with model.lock:
        peer.send(b"ada\n")
        wait_until(lambda: model.inbox.has_work, "it was heard")
        wait_until(lambda: asleep(model), "its thread sleeps until somebody has delivered the welcome")
    model.deliver()
    heard = b""
    while b"nothing was heard" not in heard:
        heard += peer.recv(4096)
    peer.close()
    wait_until(lambda: not model.connections, "it is gone")
    assert model.stop() == []


def asleep(model: ThreadModel) -> bool:
    """Whether all of its threads are asleep."""
    frames = sys._current_frames()
    sleeping = [
        frames[thread.ident].f_code is Waiter.sleep.__code__ for thread in model.threads._snapshot() if thread.ident
    ]
    return bool(sleeping) and all(sleeping)


def test_take_over_starts_threads_of_readable_connections_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as sock:
        model = ThreadModel(Listener([sock], Limits()), Inbox(new_room()), StopEvent())
    pairs = [connected(number, Connection) for number in range(1, 10)]
    pairs[-1][1].send(b"hello\n")
    start, started = ThreadModel.start, []

    def note(self: ThreadModel, connection: Connection) -> None:
        started.append(connection.number)
        start(self, connection)

    monkeypatch.setattr(ThreadModel, "start", note)
    model.take_over([connection for connection, _ in pairs])
    assert started == [9, *range(1, 9)]
    for one in [*model.stop(), *(peer for _, peer in pairs)]:
        one.close()


class Interrupted(Connection):
    """Another member sends a line meanwhile."""

    def flush(self, now: float) -> None:
        super().flush(now)
        self.speak()


def connected(number: int, kind: type[Connection]) -> tuple[Connection, socket.socket]:
    """A connection, and the peer's end of it."""
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.settimeout(PATIENCE)
    session = Session.open(number, Limits(rate=0), time.monotonic())
    session.state = State.JOINED
    return kind(ours, session), peer
