"""The frames of WebSockets, with the library `websockets` as the other end."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol

from protocol import websocket
from protocol.dialects import WEB
from protocol.messages import Goodbye, Said
from protocol.websocket import FrameDecoder, encode_close, encode_line, encode_masked, message_end
from tests.protocol.strategies import places, ways_to_cut

MASK = b"\x11\x22\x33\x44"
LIMIT = 70_000
sizes = st.one_of(
    st.sampled_from([1, 2, 9, 10, 11, 125, 126, 134, 135, 136, 250, 251, 255, 256, 257, 2559, 2560, 2815, 2816, 2817]),
    st.sampled_from([65_279, 65_280, 65_534, 65_535, 65_536, 65_537, 655_359, 655_360, 655_370, 720_895, 720_896]),
    st.integers(1, 3000),
)


def read_by_library(data: bytes, side: str = "client") -> tuple[list[Frame], Protocol]:
    """The frames that the library reads."""
    protocol = Protocol(CLIENT if side == "client" else SERVER, state=OPEN, max_size=2**24)
    protocol.receive_data(data)
    return [event for event in protocol.events_received() if isinstance(event, Frame)], protocol


def messages_in(data: bytes) -> list[bytes]:
    """The text messages that the library reads."""
    frames, protocol = read_by_library(data)
    assert protocol.parser_exc is None
    messages: list[bytes] = []
    for frame in frames:
        if frame.opcode is Opcode.TEXT:
            messages.append(b"")
        if frame.opcode in (Opcode.TEXT, Opcode.CONT):
            messages[-1] += bytes(frame.data)
    return messages


class TestEncodeLine:
    @given(st.lists(sizes, max_size=4))
    @example([10, 126, 135, 2560, 655_360, 10])
    def test_the_library_reads_each_line_and_nothing_else(self, sizes: list[int]) -> None:
        lines = [b"x" * (size - 1) + b"\n" for size in sizes]
        read = messages_in(b"".join(map(encode_line, lines)))
        assert [message.rstrip() for message in read] == [line.rstrip() for line in lines]
        assert all(message.endswith(b"\n") for message in read)

    @given(sizes)
    def test_lf_stands_only_at_the_end(self, size: int) -> None:
        data = encode_line(b"x" * (size - 1) + b"\n")
        assert data.index(b"\n") == len(data) - 1

    @given(sizes.filter(lambda size: size < 65_000))
    def test_below_64_kib_there_is_no_nul(self, size: int) -> None:
        assert b"\0" not in encode_line(b"x" * (size - 1) + b"\n")

    def test_every_size_near_a_change_of_form_has_these_properties(self) -> None:
        for size in (*range(1, 3000), *range(65_200, 65_600)):
            head = encode_line(b"x" * (size - 1) + b"\n").replace(b"x", b"")
            assert head.index(b"\n") == len(head) - 1, size
            assert b"\0" not in head or size > 65_279, size

    def test_a_short_line_becomes_little_longer(self) -> None:
        """Most events have less than 250 bytes, and the padding of a size in two bytes would double some of them."""
        assert all(len(encode_line(b"x" * (size - 1) + b"\n")) <= size + 5 for size in range(1, 251))

    def test_spaces_change_no_event(self) -> None:
        said = Said(7, "ada", "x" * 2600, at=1.0)
        (message,) = messages_in(WEB.encode(said))
        assert message.endswith(b" \n"), "this size is padded"
        assert json.loads(message)["text"] == said.text

    def test_a_goodbye_has_its_close_frame(self) -> None:
        frames, protocol = read_by_library(WEB.encode(Goodbye("quit", "see you")))
        assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.CLOSE]
        assert protocol.close_rcvd is not None
        assert protocol.close_rcvd.code == 1000

    @given(st.lists(sizes.filter(lambda size: size < 3000), min_size=1, max_size=5), st.data())
    def test_message_end_is_the_end_of_the_message_that_is_half_sent(
        self, sizes: list[int], data: st.DataObject
    ) -> None:
        messages = [encode_line(b"x" * (size - 1) + b"\n") for size in sizes]
        sent = data.draw(st.integers(0, len(messages[0]) - 1))
        queue = bytearray(b"".join(messages)[sent:])
        assert message_end(queue) == len(messages[0]) - sent

    def test_message_end_is_not_in_a_pong(self) -> None:
        pong, message = b"\x8a\x03a\nb", encode_line(b"hello\n")
        assert message_end(pong[1:] + message + message) == len(pong) - 1 + len(message)
        assert message_end(pong[1:]) == 0


class TestAcceptKey:
    def test_is_that_of_the_rfc(self) -> None:
        assert websocket.accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def feed(*pieces: bytes, limit: int = LIMIT) -> tuple[list[bytes], bytes, FrameDecoder]:
    """The lines and the last pong of a decoder that is fed with these pieces. It moves to another process each time."""
    decoder, lines, pong = FrameDecoder(), b"", b""
    for piece in pieces:
        received = decoder.feed(piece, limit)
        lines += received.lines
        pong = received.pong or pong
        decoder = msgspec.msgpack.decode(msgspec.msgpack.encode(decoder), type=FrameDecoder)
    return lines.splitlines(), pong, decoder


def frame(opcode: Opcode, data: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    """A frame as the library writes it."""
    return Frame(opcode, data, fin=fin).serialize(mask=mask)


VIOLATIONS = {
    "not masked": (frame(Opcode.TEXT, b"hello", mask=False), 1002),
    "first reserved bit": (b"\xc1\x85\0\0\0\0hello", 1002),
    "last reserved bit": (b"\x91\x85\0\0\0\0hello", 1002),
    "unknown opcode": (b"\x83\x80\0\0\0\0", 1002),
    "unknown control opcode": (b"\x8b\x80\0\0\0\0", 1002),
    "continuation of nothing": (frame(Opcode.CONT, b"hello"), 1002),
    "text within a message": (frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.TEXT, b"b"), 1002),
    "long ping": (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
    "ping in fragments": (b"\x09\x80\0\0\0\0", 1002),
    "half a close code": (frame(Opcode.CLOSE, b"\x03"), 1002),
    "close code 1005": (frame(Opcode.CLOSE, b"\x03\xed"), 1002),
    "close code 1": (frame(Opcode.CLOSE, b"\x00\x01"), 1002),
    "close reason not UTF-8": (frame(Opcode.CLOSE, b"\x03\xe8\xff"), 1007),
    "binary": (frame(Opcode.BINARY, b"hello"), 1003),
    "not UTF-8": (frame(Opcode.TEXT, b"\xff"), 1007),
    "half a character": (frame(Opcode.TEXT, "ü".encode()[:1]), 1007),
    "2^63 bytes": (b"\x81\xff\x80" + bytes(7) + b"mask", 1009),
    "one byte too many": (b"\x81\xff\x00\x00\x00\x00\x00\x01\x11\x71mask", 1009),
    "one byte too many in fragments": (
        frame(Opcode.TEXT, b"x" * LIMIT, fin=False) + frame(Opcode.CONT, b"x"),
        1009,
    ),
}


first_bytes = st.sampled_from([0x81, 0x81, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0x09, 0x83, 0x8B, 0xC1, 0x82])
texts = st.text(
    st.characters(exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85", exclude_categories=["Cs"]), max_size=300
)


class TestFrameDecoder:
    @given(st.lists(texts, max_size=5), places)
    def test_reads_the_messages_of_the_library_in_any_pieces(self, texts: list[str], places: list[int]) -> None:
        data = b"".join(frame(Opcode.TEXT, text.encode()) for text in texts)
        for pieces in ways_to_cut(data, places):
            lines, _, decoder = feed(*pieces)
            assert lines == [text.encode() for text in texts]
            assert (decoder.data, decoder.close_code) == (b"", 0)

    @given(st.binary(max_size=400), places)
    @example(b"\x81\x85\0\0\0\0hello\x88\x80\0\0\0\0\x81\x85\0\0\0\0after", [3])
    @example(b"\x01\x81\0\0\0\0a\x89\x81\0\0\0\0p\x80\x81\0\0\0\0b", [9])
    def test_any_bytes_in_any_pieces_have_one_result(self, data: bytes, places: list[int]) -> None:
        results = []
        for pieces in ways_to_cut(data, places):
            lines, pong, decoder = feed(*pieces)
            results.append((lines, pong, decoder))
        assert results[0] == results[1] == results[2]

    @given(st.lists(st.tuples(first_bytes, st.booleans(), st.binary(max_size=5)), max_size=6))
    def test_finds_the_violations_that_the_library_finds(self, frames: list[tuple[int, bool, bytes]]) -> None:
        """The library also takes binary messages, and leaves the check of their UTF-8 to its callers."""
        decoder = FrameDecoder()
        data = b""
        for first, is_masked, payload in frames:
            data += bytes((first, is_masked << 7 | len(payload))) + bytes(4 * is_masked) + payload
        decoder.feed(data, LIMIT)
        _, protocol = read_by_library(data, "server")
        if decoder.close_code in (0, websocket.PROTOCOL_ERROR):
            assert (protocol.parser_exc is not None) == bool(decoder.close_code)
            assert (protocol.close_rcvd is not None) == decoder.is_closed

    def test_fragments_become_one_line_with_a_ping_between_them(self) -> None:
        data = (
            frame(Opcode.TEXT, "ü".encode()[:1], fin=False)
            + frame(Opcode.PING, b"are you there")
            + frame(Opcode.CONT, "ü".encode()[1:], fin=False)
            + frame(Opcode.CONT, b"ber")
        )
        lines, pong, decoder = feed(data)
        assert lines == ["über".encode()]
        assert pong == b"\x8a\x0dare you there"
        assert not decoder.close_code

    def test_a_line_end_in_a_message_counts_once(self) -> None:
        assert feed(encode_masked(b"hello\n", MASK))[0] == [b"hello"]

    def test_the_last_ping_is_answered(self) -> None:
        assert feed(frame(Opcode.PING, b"one") + frame(Opcode.PING, b"two"))[1] == b"\x8a\x03two"

    def test_bytes_behind_a_close_frame_are_dropped(self) -> None:
        lines, _, decoder = feed(frame(Opcode.CLOSE, b"\x03\xe8") + frame(Opcode.TEXT, b"more"))
        assert (lines, decoder.is_closed, decoder.close_code, decoder.data) == ([], True, 0, b"")

    def test_lines_before_a_violation_are_read(self) -> None:
        lines, _, decoder = feed(
            frame(Opcode.TEXT, b"first") + frame(Opcode.BINARY, b"x") + frame(Opcode.TEXT, b"more")
        )
        assert lines == [b"first"]
        assert decoder.close_code == 1003

    @pytest.mark.parametrize(("data", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
    def test_a_violation_has_its_close_code(self, data: bytes, code: int) -> None:
        for pieces in ([data], [data[place : place + 1] for place in range(len(data))]):
            lines, pong, decoder = feed(*pieces)
            assert (lines, pong, decoder.close_code, decoder.data) == ([], b"", code, b"")
        _, protocol = read_by_library(encode_close(decoder.close_code, decoder.close_reason))
        assert protocol.close_rcvd is not None
        assert (protocol.close_rcvd.code, protocol.close_rcvd.reason) == (code, decoder.close_reason)

    def test_a_ping_fits_beside_a_message_of_the_largest_size(self) -> None:
        data = frame(Opcode.TEXT, b"x" * LIMIT, fin=False) + frame(Opcode.PING, b"p" * 125) + frame(Opcode.CONT, b"")
        lines, pong, _ = feed(data)
        assert (len(lines[0]), len(pong)) == (LIMIT, 127)

    def test_overhead_counts_control_frames_and_fragments(self) -> None:
        def overhead(data: bytes) -> int:
            return FrameDecoder().feed(data, LIMIT).overhead

        cost = websocket.FRAME_COST_BYTES
        assert overhead(frame(Opcode.TEXT, b"hello")) == 0
        assert overhead(frame(Opcode.PING, b"hello")) == cost + 5
        assert overhead(frame(Opcode.TEXT, b"", fin=False) + frame(Opcode.CONT, b"", fin=False) * 9) == 10 * cost

    def test_keeps_no_more_than_the_limit(self) -> None:
        decoder = FrameDecoder()
        for _ in range(100):
            decoder.feed(frame(Opcode.CONT if decoder.is_fragmented else Opcode.TEXT, b"x" * 1000, fin=False), 4000)
            assert len(decoder.message) + len(decoder.data) <= 4000
        assert decoder.close_code == 1009


class TestClientSide:
    @given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
    def test_the_library_reads_a_masked_frame(self, payload: bytes, mask: bytes) -> None:
        frames, protocol = read_by_library(encode_masked(payload, mask), "server")
        assert protocol.parser_exc is None
        assert [bytes(frame.data) for frame in frames] == [payload]

    @given(st.lists(sizes.filter(lambda size: size < 3000), max_size=4), places)
    def test_reads_the_lines_of_the_server(self, sizes: list[int], places: list[int]) -> None:
        lines = [b"x" * (size - 1) + b"\n" for size in sizes]
        for pieces in ways_to_cut(b"".join(map(encode_line, lines)), places):
            decoder = FrameDecoder(from_server=True)
            read = b"".join(decoder.feed(piece, LIMIT).lines for piece in pieces)
            assert [line.rstrip() for line in read.splitlines()] == [line.rstrip() for line in lines]

    def test_refuses_a_masked_frame_of_a_server(self) -> None:
        decoder = FrameDecoder(from_server=True)
        decoder.feed(encode_masked(b"hello", MASK), LIMIT)
        assert decoder.close_code == 1002
