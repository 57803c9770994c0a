"""Browsers in the room, under each model."""

import socket
import time
from random import Random

import pytest

from protocol.messages import Model
from tests.pace import allowed
from tests.peers import GET, PATIENCE, UPGRADE, Closed
from tests.running import Server
from tests.server.slow import talk_until_gone


def test_a_browser_is_a_member_like_all_others(room: Server) -> None:
    ada, bob, cleo = room.web("ada"), room.plain("bob"), room.rich("cleo")
    ada.say("is this thing on? ü" + "!" * 1900, id="1")
    bob.expect("ada: is this thing on? ü")
    assert cleo.expect("said")["nick"] == "ada"
    assert ada.expect("said")["id"] == "1"
    bob.say("loud and clear")
    assert ada.expect("said")["text"] == "loud and clear"
    assert ada.welcome["served_by"].split()[0] in ("process", "thread", "event")
    cleo.sees("ada", "bob")


def test_quit_ends_a_websocket_with_1000(room: Server) -> None:
    ada = room.web("ada")
    ada.command("quit")
    assert ada.expect("goodbye")["code"] == "quit"
    assert ada.close_code() == 1000
    with pytest.raises(Closed):
        ada.line()


def test_a_close_frame_is_answered_and_ends_the_connection(room: Server) -> None:
    ada, bob = room.web("ada"), room.rich("bob")
    bob.sees("ada")
    ada.say("my last words")
    ada.library.send_close(1000)
    ada.send_frames()
    assert ada.close_code() == 1000
    bob.expect("said", text="my last words")
    bob.expect_presence(left=["ada"])


def test_a_ping_is_answered(room: Server) -> None:
    ada = room.web("ada")
    ada.library.send_ping(b"a\nb\0")
    ada.send_frames()
    ada.sync()
    assert ada.pongs == [b"a\nb\0"]


def test_a_reload_resumes_as_the_same_member(room: Server) -> None:
    ada, bob = room.web("ada"), room.rich("bob")
    ada.say("before", id="1")
    seq = ada.expect("said")["seq"]
    ada.close()
    bob.expect("said", text="before")
    bob.say("meanwhile")
    bob.expect("said", text="meanwhile")
    again = room.web("ada", resume={"token": ada.welcome["token"], "after": seq})
    assert again.welcome["resumed"]
    assert "meanwhile" in [event.get("text") for event in again.welcome["history"]]


def test_the_page_is_no_connection_of_the_room(room: Server) -> None:
    watcher = room.rich("watcher")
    children = len(room.children())
    for _ in range(20):
        assert room.http(GET).startswith(b"HTTP/1.1 200 OK\r\n")
    assert watcher.status()["connections"] == 1
    assert len(room.children()) == children
    assert room.web("ada").welcome["connections"] == 2


def test_a_websocket_without_a_hello_is_no_connection_of_the_room(room: Server) -> None:
    watcher, stranger = room.rich("watcher"), room.web_stranger()
    assert watcher.status()["connections"] == 1
    stranger.hello("ada")
    assert watcher.status()["connections"] == 2


def test_a_head_and_a_hello_may_come_a_byte_at_a_time(room: Server) -> None:
    peer = room.connect()
    hello = b"\x81\x9c\0\0\0\0" + b'{"type":"hello","nick":"bo"}'
    for place in range(len(UPGRADE)):
        peer.send(UPGRADE[place : place + 1])
    peer.send(hello[:9])
    peer.send(hello[9:])
    data = b""
    while b'"welcome"' not in data:
        data += peer.socket.recv(4096)
    assert data.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in data


def test_half_a_frame_crosses_a_switch(start, model: str) -> None:
    room: Server = start()
    boss, ada = room.operator(), room.web("ada")
    ada.library.send_text(b'{"type":"say","id":"1","text":"in two pieces"}')
    frame = b"".join(ada.library.data_to_send())
    ada.socket.sendall(frame[:9])
    ada_is_read = room.rich("bob")
    ada_is_read.sync()
    for other in [name for name in Model if name != model] + [Model(model)]:
        boss.switch(other)
    ada.socket.sendall(frame[9:])
    assert boss.expect("said")["text"] == "in two pieces"
    ada.expect("said", id="1")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x05hello", 1002),
        (b"\xc1\x85\0\0\0\0hello", 1002),
        (b"\x82\x85\0\0\0\0hello", 1003),
        (b"\x80\x85\0\0\0\0hello", 1002),
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\x89\xfe\x01\x00" + bytes(260), 1002),
        (b"\x81\xff\x7f" + b"\xff" * 7 + bytes(4), 1009),
    ],
    ids=["unmasked", "reserved bit", "binary", "continuation", "not UTF-8", "long ping", "2^63"],
)
def test_a_malformed_frame_ends_only_its_connection(room: Server, data: bytes, code: int) -> None:
    ada, bob = room.web("ada"), room.web("bob")
    ada.say("my last words")
    ada.socket.sendall(data)
    assert ada.close_code() == code
    bob.expect("said", text="my last words")
    bob.say("still here", id="1")
    bob.expect("said", id="1")


def test_a_slow_browser_loses_whole_messages_and_hears_why(room: Server) -> None:
    slow, bob = room.web_stranger(receive_buffer=4096), room.rich("bob")
    slow.hello("slow")
    talk_until_gone("slow", bob)
    events = [slow.event()]
    while events[-1]["type"] != "goodbye":
        events.append(slow.event())
    assert events[-1]["code"] == "too-slow"
    assert slow.close_code() == 1000


def test_the_room_says_goodbye_in_frames(start) -> None:
    room: Server = start()
    boss, ada, eve = room.operator(), room.web("ada"), room.web("eve")
    boss.command("kick", nick="ada", reason="enough")
    boss.command("ban", nick="eve")
    boss.command("lock")
    boss.expect("rules")
    late, back = room.web_stranger(), room.web_stranger()
    late.command("hello", nick="late")
    back.command("hello", nick="eve", resume={"token": eve.welcome["token"], "after": 0})
    for peer, code in ((ada, "kicked"), (eve, "banned"), (late, "locked"), (back, "banned")):
        assert peer.expect("goodbye")["code"] == code
        assert peer.close_code() == 1000
    assert room.http(GET).startswith(b"HTTP/1.1 200 "), "members that return need the page"


def test_the_end_of_the_server_is_told_in_frames(start) -> None:
    room: Server = start()
    ada, stranger = room.web("ada"), room.web_stranger()
    assert room.terminate() == 0
    for peer in (ada, stranger):
        peer.expect("goodbye")
        assert peer.close_code() == 1000


def test_idle_requests_disturb_no_member(start) -> None:
    """Half a head, an open WebSocket and a silent connection each end at their time."""
    seconds = round(allowed(2))
    room: Server = start("--join-timeout", str(seconds))
    ada, bob = room.web("ada"), room.rich("bob")
    half, stranger, silent = room.connect(), room.web_stranger(), room.connect()
    half.send(b"GET / HTTP/1.1\r\nX: ")
    for number in range(20):
        half.send(b"x")
        ada.say(f"{number}", id=str(number))
        bob.expect("said", id=str(number))
    assert half.line().startswith("HTTP/1.1 408 ")
    assert stranger.expect("goodbye")["code"] == "join-timeout"
    assert f"no nickname came within {seconds} seconds" in silent.lines_until_closed()[-1]
    ada.sync()


def test_random_bytes_disturb_no_member(room: Server) -> None:
    ada, random = room.web("ada"), Random(5)
    for number in range(100):
        garbage = random.randbytes(random.randrange(200))
        request = b"GET /" + bytes(random.choices(b"/ HTTP/1.1\r\n:aX\0\xff", k=random.randrange(300)))
        peer = room.connect()
        peer.send(UPGRADE + garbage if number % 2 else request)
        if number % 3 == 0:
            peer.reset()
        else:
            peer.close()
    ada.say("still here", id="1")
    ada.expect("said", id="1")


def test_500_browsers_at_once_get_the_page(room: Server) -> None:
    peers = []
    for _ in range(500):
        peer = socket.create_connection(room.address, PATIENCE)
        peer.sendall(GET)
        peers.append(peer)
    deadline = time.monotonic() + PATIENCE
    for peer in peers:
        data = b""
        while part := peer.recv(1 << 16):
            data += part
        assert data.startswith(b"HTTP/1.1 200 OK\r\n")
        assert data.endswith(b"</html>\n")
        peer.close()
    assert time.monotonic() < deadline


def test_without_web_a_request_gets_a_sentence(start) -> None:
    room: Server = start("--no-web")
    for request in (GET, UPGRADE):
        answer = room.http(request)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answer.endswith(b"This is a chat room, not a web site. Join it with nc, telnet or chat-tui.\n")
    assert room.plain("ada").heard[0] == "Connected to chat server"


def test_a_name_of_the_server_is_known_by_its_option(start) -> None:
    room: Server = start("--web-name", "chat.example.org", "--web-name", "room.example.org")
    for host, status in ((b"chat.example.org", 200), (b"room.example.org:443", 200), (b"evil.example.org", 421)):
        assert room.http(GET.replace(b"localhost", host)).startswith(b"HTTP/1.1 %d " % status)
