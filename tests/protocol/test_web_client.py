"""The client's half of a WebSocket, with the library `websockets` as the server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.server import ServerProtocol

from protocol.dialects import WEB
from protocol.json_lines import decode_event, encode
from protocol.messages import Hello, Said, Say
from protocol.web_client import MAX_ANSWER_BYTES, HandshakeFailed, WebClient
from protocol.websocket import Violation
from tests.protocol.strategies import places, ways_to_cut

MAX = 1 << 20


def opened() -> tuple[WebClient, ServerProtocol]:
    """A client and a library whose handshake is done."""
    client, server = WebClient("192.0.2.7:2000", bytes), ServerProtocol()
    server.receive_data(client.request)
    (request,) = server.events_received()
    server.send_response(server.accept(request))
    assert not client.is_open
    client.decode(b"".join(server.data_to_send()), MAX)
    return client, server


def test_the_library_takes_the_handshake_and_the_lines() -> None:
    client, server = opened()
    assert client.is_open
    server.receive_data(client.encode(encode(Hello("ada")) + encode(Say("1", "hello\nyou"))))
    assert [bytes(frame.data) for frame in server.events_received()] == [
        encode(Hello("ada")),
        encode(Say("1", "hello\nyou")),
    ]


@given(st.lists(st.integers(1, 3000), max_size=5), places)
def test_lines_of_the_server_have_no_padding(sizes: list[int], places: list[int]) -> None:
    events = [Said(seq, "ada", "x" * size, at=1.0) for seq, size in enumerate(sizes, start=1)]
    for pieces in ways_to_cut(b"".join(map(WEB.encode, events)), places):
        client, _ = opened()
        lines = b"".join(client.decode(piece, MAX).lines for piece in pieces)
        assert lines == b"".join(map(encode, events))
        assert [decode_event(line) for line in lines.splitlines()] == events
        assert client.is_between_messages


def test_frames_behind_the_answer_are_read() -> None:
    client, server = WebClient("192.0.2.7:2000", bytes), ServerProtocol()
    server.receive_data(client.request)
    (request,) = server.events_received()
    server.send_response(server.accept(request))
    data = b"".join(server.data_to_send()) + WEB.encode(Said(1, "ada", "hi", at=1.0))
    assert client.decode(data[:20], MAX).lines == b""
    assert not client.is_between_messages
    assert client.decode(data[20:], MAX).lines == encode(Said(1, "ada", "hi", at=1.0))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n",
        b"*** goodbye\r\n\r\n",
        b"x" * (MAX_ANSWER_BYTES + 1),
    ],
    ids=["503", "another key", "plain text", "without an end"],
)
def test_another_answer_fails(answer: bytes) -> None:
    with pytest.raises(HandshakeFailed) as failed:
        WebClient("192.0.2.7:2000", bytes).decode(answer, MAX)
    assert str(failed.value) == answer.split(b"\r\n")[0].decode()[:200]


def test_a_violation_of_the_server_is_raised() -> None:
    client, _ = opened()
    with pytest.raises(Violation, match="not"):
        client.decode(b"\x81\x85mask\x05\x04\x1f\x07\x02", MAX)
