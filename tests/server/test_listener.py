"""The listener, over real sockets."""

import errno
import os
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Never

import pytest

from protocol.messages import Hello, Limits
from server import sockets
from server.connection import Connection
from server.listener import ACCEPTED_AT_ONCE, ADMITTED_AT_ONCE, Listener
from server.sockets import listen
from tests.peers import PATIENCE, wait_until
from tests.server.members import Members


@pytest.fixture
def listener() -> Iterator[Listener]:
    sock = listen("127.0.0.1", 0)
    yield Listener([sock], Limits())
    sock.close()


@pytest.fixture
def peers() -> Iterator[list[socket.socket]]:
    """The sockets that a test connects, closed at its end."""
    opened: list[socket.socket] = []
    yield opened
    for sock in opened:
        sock.close()


def come(listener: Listener, peers: list[socket.socket], count: int = 1) -> list[Connection]:
    """Connect so many, and return the connections that are admitted."""
    for _ in range(count):
        peers.append(socket.create_connection(listener.sources[0].getsockname(), PATIENCE))
    return list(listener.accept())


def connect_from(listener: Listener, peers: list[socket.socket], address: str) -> socket.socket:
    """Connect from this loopback address. Those besides 127.0.0.1 exist on Linux."""
    try:
        sock = socket.create_connection(listener.sources[0].getsockname(), PATIENCE, source_address=(address, 0))
    except OSError:
        pytest.skip(f"this machine has no address {address}")
    peers.append(sock)
    return sock


def readable(listener: Listener) -> bool:
    """Whether `accept` has something to do."""
    poller = select.poll()
    for source in listener.sources:
        poller.register(source, select.POLLIN)
    return bool(poller.poll(0))


def told(peer: socket.socket) -> str:
    """All text up to the end of the connection."""
    peer.settimeout(PATIENCE)
    data = b""
    while part := peer.recv(65536):
        data += part
    return data.decode()


class TestListener:
    def test_gives_each_connection_the_next_number(self, listener: Listener, peers: list[socket.socket]) -> None:
        assert [connection.number for connection in come(listener, peers, 3)] == [1, 2, 3]
        assert [connection.number for connection in come(listener, peers)] == [4]
        assert come(listener, peers)[0].host == "127.0.0.1"

    def test_accepts_only_a_few_at_a_time(self, listener: Listener, peers: list[socket.socket]) -> None:
        assert len(come(listener, peers, ADMITTED_AT_ONCE + 5)) == ADMITTED_AT_ONCE
        assert len(list(listener.accept())) == 5
        assert list(listener.accept()) == []

    def test_admit_starts_connections_of_every_source(self, listener: Listener, peers: list[socket.socket]) -> None:
        """A second source is one more entry of the list: here one that hands in half of a socket pair."""
        theirs, ours = socket.socketpair()
        peers += [theirs, ours]
        handed_in = [(ours, ("a pipe", 0))]
        in_memory = SimpleNamespace(accept=lambda: handed_in.pop() if handed_in else refuse(errno.EAGAIN))
        listener.sources = [*listener.sources, in_memory]
        peers.append(socket.create_connection(listener.sources[0].getsockname(), PATIENCE))
        started: list[Connection] = []
        listener.admit(started.append)
        assert [connection.host for connection in started] == ["127.0.0.1", "a pipe"]

    def test_admit_rejects_a_connection_that_cannot_be_served(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        for _ in range(2):
            peers.append(socket.create_connection(listener.sources[0].getsockname(), PATIENCE))
        started: list[Connection] = []

        def start(connection: Connection) -> None:
            if connection.number == 1:
                refuse(errno.EAGAIN)
            started.append(connection)

        listener.admit(start)
        assert told(peers[0]).startswith("*** goodbye: the room is full: the server has too little left")
        assert [connection.number for connection in started] == [2]

    def test_accept_is_fair_between_addresses(self, listener: Listener, peers: list[socket.socket]) -> None:
        """Forty connections from one address do not hold up one from another."""
        flood = [connect_from(listener, peers, "127.0.0.2") for _ in range(40)]
        connect_from(listener, peers, "127.0.0.3")
        hosts = [connection.host for connection in listener.accept()]
        assert len(hosts) == ADMITTED_AT_ONCE < len(flood)
        assert "127.0.0.3" in hosts

    def test_a_peer_that_closed_without_a_word_is_not_admitted(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        connect_from(listener, peers, "127.0.0.2").close()
        assert len(come(listener, peers)) == 1

    def test_a_source_is_readable_while_connections_wait(self, listener: Listener, peers: list[socket.socket]) -> None:
        assert len(come(listener, peers, ADMITTED_AT_ONCE + 1)) == ADMITTED_AT_ONCE
        assert readable(listener)
        assert len(list(listener.accept())) == 1
        assert not readable(listener)

    def test_listener_rejects_a_connection_above_the_limit(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        listener.max_clients = 2
        here = come(listener, peers, 3)
        assert len(here) == 2
        assert told(peers[2]) == "*** goodbye: the room is full: it takes 2 connections\n"
        listener.max_clients = 1
        come(listener, peers)
        assert told(peers[3]) == "*** goodbye: the room is full: it takes 1 connection\n"
        listener.max_clients = 2
        here[0].close()
        assert len(come(listener, peers)) == 1

    def test_an_operator_that_comes_back_is_admitted_to_a_full_room(self, peers: list[socket.socket]) -> None:
        members = Members(operator_token="secret")
        with listen("127.0.0.1", 0) as sock:
            listener = Listener([sock], Limits(), max_clients=1, members=members)
            (first,) = come(listener, peers)
            members.joined.add(first.number)
            for token in ("guessed", "secret"):
                peers.append(socket.create_connection(sock.getsockname(), PATIENCE))
                hello = f'{{"type":"hello","nick":"boss","resume":{{"token":"{token}","after":0}}}}\n'.encode()
                peers[-1].sendall(hello[:20])
                assert list(listener.accept()) == []
                peers[-1].sendall(hello[20:])
            admitted = [*listener.accept(), *listener.accept()]
            assert len(admitted) == 1
            (hello,) = admitted[0].read(0.0)
            assert isinstance(hello, Hello)
            assert hello.resume is not None
            assert hello.resume.token == "secret"
            for connection in (first, *admitted):
                connection.close()

    def test_full_room_evicts_a_silent_peer_for_another_address(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        listener._members, listener.max_clients = Members(), 3
        evicted: list[tuple[int, str]] = []
        listener.on_evicted = lambda number, goodbye: evicted.append((number, goodbye.code))
        floods: list[tuple[str, str]] = []
        listener.on_flood = lambda what, group: floods.append((what, group))
        for _ in range(3):
            connect_from(listener, peers, "127.0.0.2")
        list(listener.accept())
        connect_from(listener, peers, "127.0.0.3")
        assert [connection.host for connection in listener.accept()] == ["127.0.0.3"]
        assert evicted == [(1, "full")]
        assert floods == [("connection ended without a nickname", "127.0.0.2")]

    def test_a_full_room_of_members_evicts_none(self, listener: Listener, peers: list[socket.socket]) -> None:
        members = Members()
        listener._members, listener.max_clients = members, 1
        connect_from(listener, peers, "127.0.0.2")
        members.joined = {connection.number for connection in listener.accept()}
        connect_from(listener, peers, "127.0.0.3").sendall(b"ada\n")
        assert list(listener.accept()) == []
        list(listener.accept())
        assert "the room is full: it takes 1 connection" in told(peers[1])

    def test_listener_rejects_above_the_limit_of_an_address(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        listener.max_per_ip = 1
        (first,) = come(listener, peers)
        assert come(listener, peers) == []
        assert "from your address already" in told(peers[1])
        first.close()
        first.close()  # Closing twice counts once.
        assert len(come(listener, peers)) == 1
        assert come(listener, peers) == []

    def test_gives_newcomers_the_limits_of_now(self, listener: Listener, peers: list[socket.socket]) -> None:
        (before,) = come(listener, peers)
        listener.limits = Limits(nick=7)
        (after,) = come(listener, peers)
        assert before.session.limits.nick == Limits().nick
        assert after.session.limits.nick == 7

    def test_a_peer_that_has_gone_again_does_no_harm(self, listener: Listener, peers: list[socket.socket]) -> None:
        gone = socket.create_connection(listener.sources[0].getsockname())
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        gone.close()
        *_, other = connections = come(listener, peers)
        assert other.socket.getpeername() == peers[0].getsockname()
        for connection in connections:
            connection.read(0.0)

    def test_connections_do_not_block_and_send_at_once(self, listener: Listener, peers: list[socket.socket]) -> None:
        (connection,) = come(listener, peers)
        assert not connection.socket.getblocking()
        assert connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    def test_accepted_connection_asks_a_silent_peer_within_a_minute(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        (connection,) = come(listener, peers)
        set_values = [tcp_option(connection.socket, *names) for names in sockets.KEEPALIVE_NAMES]
        assert set_values == list(sockets.KEEPALIVE)
        idle, interval, count = sockets.KEEPALIVE
        assert idle + interval * count <= 60

    @pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no TCP_USER_TIMEOUT")
    def test_accepted_connection_limits_unacknowledged_time(
        self, listener: Listener, peers: list[socket.socket]
    ) -> None:
        (connection,) = come(listener, peers)
        milliseconds = connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert milliseconds == 1000 * sockets.UNACKNOWLEDGED_TIMEOUT_S <= 60_000

    @pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM])
    def test_accept_stops_when_the_system_has_nothing_left(self, listener: Listener, number: int) -> None:
        asked = failing(listener, number)
        assert list(listener.accept()) == []
        assert len(asked) == 1

    def test_newcomer_that_has_gone_does_not_delay_the_next_one(self, listener: Listener) -> None:
        asked = failing(listener, errno.ECONNABORTED)
        assert list(listener.accept()) == []
        assert len(asked) == ACCEPTED_AT_ONCE

    def test_closes_by_many_threads_are_counted_right(self, listener: Listener, peers: list[socket.socket]) -> None:
        here = come(listener, peers, ADMITTED_AT_ONCE)
        listener._places._counts = Hesitant(listener._places._counts)
        threads = [threading.Thread(target=connection.close) for connection in here]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(listener._places) == 0

    def test_without_descriptors_tells_the_newcomer_and_recovers(self) -> None:
        """The limit is this process's own, so a child meets it."""
        pid = os.fork()
        if pid == 0:
            os._exit(_accept_at_the_limit())
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0


def refuse(number: int) -> Never:
    raise OSError(number, os.strerror(number))


def failing(listener: Listener, number: int) -> list[int]:
    """Have every accept fail; returns a list that gets longer with each."""
    asked: list[int] = []

    def accept() -> Never:
        asked.append(number)
        refuse(number)

    listener.sources = [SimpleNamespace(accept=accept)]
    return asked


class Hesitant(Counter[str]):
    """Lets another thread run between reading a number and writing it."""

    def __getitem__(self, key: str) -> int:
        value = super().__getitem__(key)
        time.sleep(0.002)
        return value


def _accept_at_the_limit() -> int:
    import resource

    os.closerange(3, 256)
    sock = listen("127.0.0.1", 0)
    listener = Listener([sock], Limits())
    peers = [socket.create_connection(sock.getsockname(), PATIENCE) for _ in range(4)]
    open_now = len(os.listdir("/dev/fd"))  # noqa: PTH208 (one of them is this listing's own)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now - 1, open_now + 50))
    for peer in peers[:3]:
        if list(listener.accept()) or "no file descriptor left" not in told(peer):
            return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 50, open_now + 50))
    return 0 if len(list(listener.accept())) == 1 else 2


class TestListen:
    def test_a_port_in_use_is_an_error(self) -> None:
        with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
            listen("127.0.0.1", first.getsockname()[1])

    def test_takes_ipv6(self) -> None:
        try:
            sock = listen("::1", 0)
        except OSError:
            pytest.skip("this machine has no IPv6")
        with sock:
            assert sock.family == socket.AF_INET6

    def test_all_addresses_of_ipv6_are_those_of_ipv4_as_well(self, peers: list[socket.socket]) -> None:
        try:
            sock = listen("::", 0)
        except OSError:
            pytest.skip("this machine has no IPv6")
        with sock:
            listener = Listener([sock], Limits())
            for host in ("127.0.0.1", "::1"):
                peers.append(socket.create_connection((host, sock.getsockname()[1]), PATIENCE))
            assert [connection.host for connection in listener.accept()] == ["::ffff:127.0.0.1", "::1"]

    def test_a_port_just_given_back_can_be_had(self, peers: list[socket.socket]) -> None:
        sock = listen("127.0.0.1", 0)
        address = sock.getsockname()
        peers.append(socket.create_connection(address, PATIENCE))
        accepted, _ = sock.accept()
        accepted.close()
        sock.close()
        listen("127.0.0.1", address[1]).close()


def test_reject_of_a_gone_peer_is_harmless_and_counted(listener: Listener) -> None:
    turned_away: list[bool] = []
    listener.on_rejected = lambda: turned_away.append(True)
    ours, theirs = socket.socketpair()
    theirs.close()
    listener.reject(ours, "the room is full")
    assert ours.fileno() == -1
    assert turned_away == [True]


def test_turn_away_of_a_peer_that_has_written_does_not_reset_it(listener: Listener, peers: list[socket.socket]) -> None:
    """Its lines are unread when it is rejected, and more come after that."""
    listener.max_clients = 1
    come(listener, peers, 2)
    peers[1].sendall(b"bob\nhi\n")
    list(listener.accept())
    assert told(peers[1]) == "*** goodbye: the room is full: it takes 1 connection\n"
    peers[1].sendall(b"more\n")
    peers[1].shutdown(socket.SHUT_WR)
    wait_until(lambda: not (list(listener.accept()) or listener._closing), "it is closed")


def tcp_option(sock: socket.socket, *names: str) -> int:
    """The value of the first of these options that the system has."""
    return sock.getsockopt(socket.IPPROTO_TCP, next(getattr(socket, name) for name in names if hasattr(socket, name)))
