"""Tests of the bytes besides lines that telnet and other clients send, over real sockets."""

import socket
from collections.abc import Iterator

import pytest

from tests.peers import PlainPeer
from tests.running import Server

V1 = b"PROXY UNKNOWN\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)


@pytest.fixture
def silent(room: Server) -> Iterator[PlainPeer]:
    """A connection that has sent nothing."""
    peer = PlainPeer(room.address)
    yield peer
    peer.close()


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xfb\x1f\xff\xfd\x03",
        b"\xff\xfa\x1f\0\x0a\0\x18\xff\xf0",
        b"\xef\xbb\xbf",
        b"PROXY UNKNOWN\r\n",
        V2,
        b"x\x08",
    ],
    ids=["negotiation", "window size", "byte order mark", "PROXY 1", "PROXY 2", "backspace"],
)
def test_nickname_behind_other_bytes_is_taken(room: Server, silent: PlainPeer, start: bytes) -> None:
    bob = room.plain("bob")
    silent.send(start + b"ada\r\0hellp\x7fo\r\n")
    bob.expect("ada: hello")


def test_ctrl_c_sent_as_urgent_data_is_answered(room: Server, silent: PlainPeer) -> None:
    """telnet(1) sends the data mark out of band, which the stream must not lose (RFC 1123, 3.2.4)."""
    bob = room.plain("bob")
    silent.send(b"ada\nhalf\xff\xf4")
    silent.socket.send(b"\xff\xf2", socket.MSG_OOB)
    silent.send(b"\xff\xfd\x06next\r\n")
    bob.expect("ada: next")
    heard = b""
    while b"\xff\xfb\x06" not in heard:
        heard += silent.socket.recv(1000)


def test_silent_connection_is_greeted_and_may_ask_for_help(silent: PlainPeer) -> None:
    assert silent.line() == "*** this is a chat room, and nobody is here yet"
    assert silent.line().startswith("*** type a nickname and press Enter")
    silent.send(b"/help\r\n")
    silent.expect("/who")
    silent.send(b"/quit\r\n")
    silent.expect("goodbye: see you")


def test_http_request_with_a_long_path_is_answered(room: Server) -> None:
    bob, peer = room.plain("bob"), room.connect()
    peer.send(b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\nada\nhello\n")
    assert peer.line() == "HTTP/1.1 431 Request Header Fields Too Large\r"
    bob.say("/who")
    assert not any("ada" in line for line in bob.expect(" here: "))
