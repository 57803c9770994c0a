"""Browsers at the listener, over real sockets: which connections are heard, answered, admitted and rejected."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from protocol.dialects import PLAIN, WEB
from protocol.messages import Limits
from protocol.websocket import FrameDecoder, encode_masked
from server import web_requests
from server.closing_sockets import LINGER_S, MAX_CLOSING
from server.connection import Connection
from server.listener import Listener
from server.session_types import SessionReply
from server.sockets import listen
from server.web_requests import WebRequests
from server.web_site import WebSite
from tests.peers import GET, PATIENCE, UPGRADE, wait_until
from tests.server.members import Members

SITE = WebSite("the page {css} {js}", "css", "js")
HELLO = encode_masked(b'{"type":"hello","nick":"ada"}', b"mask")
OPERATOR = encode_masked(b'{"type":"hello","nick":"ada","resume":{"token":"op","after":0}}', b"mask")


class Door:
    """A listener that answers browsers, its peers, and the connections that it has admitted."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.members = Members(operator_token="op")
        self.evicted: list[int] = []
        sock = listen("127.0.0.1", 0)
        self.listener = Listener([sock], limits or Limits(), members=self.members, site=SITE)
        self.listener.on_evicted = lambda number, goodbye: self.evicted.append(number)
        self.dialects = self.listener.dialects
        self.address = sock.getsockname()
        self.peers: list[socket.socket] = [sock]
        self.admitted: list[Connection] = []

    def connect(self, data: bytes = b"") -> socket.socket:
        peer = socket.create_connection(self.address, PATIENCE)
        peer.settimeout(0)
        if data:
            peer.send(data)
        self.peers.append(peer)
        return peer

    def work(self) -> None:
        """Do what a model does each turn."""
        self.listener.wake_if_waiting()
        self.admitted += self.listener.accept()

    def until(self, true: Callable[[], object], what: str) -> None:
        def is_true() -> object:
            self.work()
            return true()

        wait_until(is_true, what)

    def read(self, peer: socket.socket, end: bytes = b"") -> bytes:
        """Work until the peer has read bytes that contain `end`; without one, until its connection ends."""
        data = bytearray()

        def has_ended() -> bool:
            try:
                part = peer.recv(1 << 16)
            except BlockingIOError:
                return False
            data.extend(part)
            return not part or (bool(end) and end in data)

        self.until(has_ended, f"{end!r} or the end comes")
        return bytes(data)

    def admit(self, data: bytes) -> Connection:
        """Connect, send these bytes, and return the connection that is admitted."""
        before = len(self.admitted)
        self.connect(data)
        self.until(lambda: len(self.admitted) > before, "it is admitted")
        return self.admitted[-1]

    def upgraded(self) -> socket.socket:
        """A peer whose WebSocket is open, and that has sent no frame."""
        peer = self.connect(UPGRADE)
        assert self.read(peer, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        return peer

    def close(self) -> None:
        for one in [*self.peers, *self.admitted]:
            one.close()


def events(data: bytes) -> bytes:
    """The text in the frames that follow a handshake."""
    return FrameDecoder(from_server=True).feed(data.split(b"\r\n\r\n", 1)[-1], 1 << 20).lines


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


class TestAdmission:
    def test_a_page_is_answered_without_a_connection(self, door: Door) -> None:
        assert door.read(door.connect(GET)).endswith(b"\r\n\r\nthe page css js")
        assert door.admitted == []

    def test_a_socket_is_admitted_with_its_first_frame(self, door: Door) -> None:
        peer = door.upgraded()
        door.work()
        assert door.admitted == []
        peer.send(HELLO)
        door.until(lambda: door.admitted, "it is admitted")
        (connection,) = door.admitted
        assert connection.session.dialect is WEB
        assert door.dialects == {connection.number: WEB}
        (hello,) = connection.read(time.monotonic())
        assert hello.nick == "ada"
        assert hello.dialect == "web"

    def test_frames_behind_the_handshake_are_kept(self, door: Door) -> None:
        (hello,) = door.admit(UPGRADE + HELLO).read(time.monotonic())
        assert hello.nick == "ada"

    @pytest.mark.parametrize("data", [b"ada\n", b'{"type":"hello","nick":"ada"}\n', b"\x16\x03\x01", b"GET\n", b"*"])
    def test_other_first_bytes_stay_in_the_socket(self, door: Door, data: bytes) -> None:
        connection = door.admit(data)
        assert connection.socket.recv(100) == data
        assert connection.session.dialect is PLAIN
        assert door.dialects == {}

    def test_a_silent_connection_is_admitted_after_a_while(self, door: Door) -> None:
        began = time.monotonic()
        connection = door.admit(b"")
        assert time.monotonic() - began >= web_requests.FIRST_BYTES_TIMEOUT_S
        assert connection.session.next_deadline(time.monotonic()) <= time.monotonic(), "it is greeted without delay"

    def test_a_request_on_a_connection_that_was_silent_is_too_late(self, door: Door) -> None:
        connection = door.admit(b"")
        (reply,) = connection.session.receive(GET, time.monotonic())
        assert isinstance(reply, SessionReply)
        assert reply.data.startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize("data", [b"G", b"GET", b"HEAD ", b"PROXY TCP4 1"])
    def test_half_a_first_word_is_admitted_after_a_while(self, door: Door, data: bytes) -> None:
        assert door.admit(data).socket.recv(100) == data

    def test_a_request_may_come_a_byte_at_a_time(self, door: Door) -> None:
        peer = door.connect()
        for place in range(len(GET)):
            peer.send(GET[place : place + 1])
            door.work()
        assert door.read(peer).endswith(b"the page css js")

    @pytest.mark.parametrize(
        "header",
        [
            b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
        ],
        ids=["v1", "v2"],
    )
    def test_a_proxy_header_is_skipped(self, door: Door, header: bytes) -> None:
        assert door.read(door.connect(header + GET)).endswith(b"the page css js")

    def test_a_peer_that_goes_away_is_forgotten(self, door: Door) -> None:
        for data in (b"", b"GET / HT", UPGRADE):
            peer = door.connect(data)
            door.work()
            peer.close()
        door.until(lambda: not door.listener._requests, "all are forgotten")
        assert door.admitted == []

    def test_connections_that_fail_are_closed_and_harm_no_other(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as one whose reset comes between two system calls."""
        peers = [door.connect(data) for data in (GET, b"GET / HT", UPGRADE, b"PROXY UNKNOWN\r\n" + GET)]

        def fail(*arguments: object) -> None:
            raise ConnectionResetError

        monkeypatch.setattr(WebRequests, "_read_head", fail)
        for peer in peers:
            with suppress(ConnectionResetError):  # Closing with bytes unread resets the connection.
                assert door.read(peer) == b""
        monkeypatch.undo()
        assert door.read(door.connect(GET)).endswith(b"the page css js")


class TestAnswers:
    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000, 431),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
            (b"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421),
        ],
    )
    def test_each_request_has_one_answer_and_ends(self, door: Door, request_: bytes, status: int) -> None:
        answer = door.read(door.connect(request_))
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert door.admitted == []

    def test_input_behind_an_answer_does_not_reset_it(self, door: Door) -> None:
        peer = door.connect(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        peer.send(b"x" * 50_000)
        assert b"405" in door.read(peer)
        peer.send(b"more")
        peer.shutdown(socket.SHUT_WR)
        door.until(lambda: not door.listener._closing, "it is closed")

    def test_a_peer_that_does_not_close_is_closed(self, door: Door) -> None:
        peer = door.connect(GET)
        began = time.monotonic()
        door.read(peer)
        door.until(lambda: not door.listener._closing, "it is closed")
        assert time.monotonic() - began < LINGER_S + PATIENCE / 2

    def test_only_so_many_are_closing(self, door: Door) -> None:
        peers = [door.connect(GET) for _ in range(MAX_CLOSING + 10)]
        for peer in peers:
            assert door.read(peer).endswith(b"the page css js")
        assert len(door.listener._closing) <= MAX_CLOSING


class TestBusyServer:
    """Bytes that came while the server was busy count, although their time is over when it looks."""

    @pytest.fixture
    def silent(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
        """Three connections that are heard. From then on, the server has no time to read what they send."""
        monkeypatch.setattr(web_requests, "FIRST_BYTES_TIMEOUT_S", PATIENCE)
        peers = [door.connect() for _ in range(3)]
        door.until(lambda: len(door.listener._requests or ()) == 3, "they are heard")
        monkeypatch.setattr(web_requests, "HEARD_AT_ONCE", 0)
        return peers

    def test_requests_that_wait_are_read_before_they_expire(
        self, door: Door, silent: list[socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for peer in silent:
            peer.send(GET)
        monkeypatch.setattr(web_requests, "FIRST_BYTES_TIMEOUT_S", 0.0)
        assert [door.read(peer)[-15:] for peer in silent] == [b"the page css js"] * 3
        assert door.admitted == []

    def test_a_request_that_waits_is_read_before_it_gives_way(
        self, door: Door, silent: list[socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(web_requests, "MAX_HEARD", 3)
        silent[0].send(GET)
        door.connect()
        assert door.read(silent[0]).endswith(b"the page css js")
        assert door.admitted == []


class TestDeadlines:
    @pytest.fixture
    def hasty(self) -> Iterator[Door]:
        door = Door(Limits(join_timeout=1.0))
        yield door
        door.close()

    def test_a_head_that_does_not_end_gets_408(self, hasty: Door) -> None:
        peer = hasty.connect(b"GET / HTTP/1.1\r\n")
        hasty.work()
        assert hasty.read(peer).startswith(b"HTTP/1.1 408 ")

    def test_a_head_that_grows_slowly_gets_408(self, hasty: Door) -> None:
        peer = hasty.connect(b"GET / HTTP/1.1\r\nX: ")
        began = time.monotonic()
        data = b""
        while not data:
            assert time.monotonic() < began + PATIENCE
            hasty.work()
            try:
                peer.send(b"x")
                data = peer.recv(4096)
            except BlockingIOError:
                time.sleep(0.01)
        assert data.startswith(b"HTTP/1.1 408 ")

    def test_a_socket_without_a_frame_gets_a_goodbye(self, hasty: Door) -> None:
        data = hasty.read(hasty.upgraded())
        assert b'"code":"join-timeout"' in events(data)
        assert data.endswith(b"\x88\x02\x03\xe8")

    def test_the_time_for_a_nickname_includes_the_wait_for_the_frame(self, door: Door) -> None:
        connection = door.admit(UPGRADE + HELLO)
        assert connection.session.next_deadline(time.monotonic()) < time.monotonic() + Limits().join_timeout


class TestCrowds:
    def test_one_address_cannot_keep_others_from_being_heard(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(web_requests, "MAX_HEARD", 5)
        idle = [door.connect(b"GET / HTTP/1.1\r\n") for _ in range(5)]
        door.until(lambda: len(door.listener._requests or ()) == 5, "all are heard")
        assert door.read(door.connect(GET)).endswith(b"the page css js")
        assert door.read(idle[0]).startswith(b"HTTP/1.1 408 ")

    def test_many_are_answered_a_few_at_a_time(self, door: Door) -> None:
        peers = [door.connect(GET) for _ in range(300)]
        for peer in peers:
            assert door.read(peer).endswith(b"the page css js")


class TestFullRoom:
    @pytest.fixture
    def full(self, door: Door) -> Door:
        """A room with one place, which a member from another address has."""
        door.listener.max_clients = 1
        door.members.joined.add(door.admit(b"ada\n").number)
        return door

    def test_a_socket_is_told_in_its_dialect(self, full: Door) -> None:
        data = full.read(full.connect(UPGRADE + HELLO))
        assert data.startswith(b"HTTP/1.1 101 ")
        assert b'"code":"full"' in events(data)
        assert data.endswith(b"\x88\x02\x03\xe8")

    def test_a_socket_of_a_returning_operator_is_admitted(self, full: Door) -> None:
        full.admit(UPGRADE + OPERATOR)
        assert len(full.admitted) == 2

    def test_a_nickname_in_a_frame_takes_the_place_of_a_silent_connection(self, full: Door) -> None:
        full.members.joined.clear()
        full.admit(UPGRADE + HELLO)
        assert full.evicted == [1]

    def test_plain_and_rich_peers_are_told_as_before(self, full: Door) -> None:
        for data in (b"bob\n", b'{"type":"hello","nick":"bob"}\n', b""):
            assert full.read(full.connect(data)) == b"*** goodbye: the room is full: it takes 1 connection\n"

    def test_a_member_that_loads_the_page_again_gets_it(self, full: Door) -> None:
        """Its browser asks for the page before it closes the WebSocket of the old one."""
        assert full.read(full.connect(GET)).endswith(b"the page css js")

    def test_a_newcomer_gets_503_and_the_reason(self, full: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(full.listener._places, "count", lambda group: 0)
        monkeypatch.setattr(full.listener._places, "has_own_share", lambda group, limit: False)
        answer = full.read(full.connect(GET))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"the room is full: it takes 1 connection." in answer
        full.members.joined.clear()
        assert full.read(full.connect(GET)).endswith(b"the page css js"), "a silent connection would make room"

    def test_too_many_from_one_address_are_told(self, door: Door) -> None:
        door.listener.max_per_ip = 1
        door.members.joined.add(door.admit(UPGRADE + HELLO).number)
        assert door.read(door.connect(GET)).endswith(b"the page css js")
        assert b"there is 1 connection from your address already" in events(door.read(door.connect(UPGRADE + HELLO)))


class TestRejections:
    def test_a_flood_is_told_in_the_dialect_of_each(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("server.admission_queue.MAX_DELAYED", 1)
        monkeypatch.setattr("server.address_limits.AddressLimits.available", lambda *_: 0.0)
        monkeypatch.setattr("server.address_limits.AddressLimits.try_consume", lambda *_: False)
        door.connect()
        door.work()
        browser, silent, plain = door.connect(GET), door.connect(), door.connect(b"ada\n")
        socket_ = door.connect(UPGRADE)
        words = b"many connections come from your address: try again in"
        answer = door.read(browser)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert words in answer
        assert door.read(silent).startswith(b"*** goodbye: " + words)
        assert door.read(plain).startswith(b"*** goodbye: " + words)
        assert words in events(door.read(socket_))

    def test_the_end_of_the_server_is_told_in_the_dialect_of_each(self, door: Door) -> None:
        browser, silent, half = door.upgraded(), door.connect(), door.connect(b"GET / HT")
        door.until(lambda: len(door.listener._requests or ()) == 3, "all are heard")
        asking = door.connect(GET)
        door.listener._accept_from(door.listener.sources[0], time.monotonic())
        door.listener.reject_waiting("the server ends")
        assert b"the server ends" in events(door.read(browser))
        assert door.read(silent) == b"*** goodbye: the server ends\n"
        for peer in (half, asking):
            answer = door.read(peer)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"the server ends." in answer

    def test_a_connection_that_cannot_be_served_is_told_in_its_dialect(self, door: Door) -> None:
        def start(connection: Connection) -> None:
            raise OSError(11, "no process left")

        peer = door.connect(UPGRADE + HELLO)

        def has_answer() -> bool:
            door.listener.wake_if_waiting()
            door.listener.admit(start)
            return b"no process left" in peek(peer)

        wait_until(has_answer, "it is told")
        assert door.dialects == {}
        assert b'"code":"full"' in events(door.read(peer))

    def test_without_descriptors_a_browser_gets_a_page(self, door: Door) -> None:
        browser, plain = door.connect(GET), door.connect(b"ada\n")
        for _ in range(2):
            door.listener._accept_on_spare(door.listener.sources[0])
        words = b"the room is full: the server has no file descriptor left"
        answer = door.read(browser)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert words in answer
        assert door.read(plain).startswith(b"*** goodbye: " + words)


def peek(peer: socket.socket) -> bytes:
    try:
        return peer.recv(1 << 16, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


class TestWithoutWeb:
    def test_all_connections_are_admitted_at_once(self) -> None:
        sock = listen("127.0.0.1", 0)
        listener = Listener([sock], Limits())
        peer = socket.create_connection(sock.getsockname(), PATIENCE)
        peer.send(GET)
        (connection,) = listener.accept()
        (reply,) = connection.read(time.monotonic())
        assert reply.data.startswith(b"HTTP/1.1 400 ")
        for one in (connection, peer, sock):
            one.close()
