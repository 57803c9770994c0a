"""A session of a WebSocket: its frames, their cost, and its end."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from protocol.dialects import WEB
from protocol.messages import Goodbye, Hello, Limits, Quit, Say
from protocol.websocket import encode_close, encode_masked
from server.session import MAX_OVERLONG_BYTES, OVERHEAD_BYTES_A_LINE
from server.session_types import DeliveryFlags, Request, SessionReply, State
from tests.protocol.strategies import copied, cut, places, ways_to_cut
from tests.server.sessions import (
    ADA,
    MASK,
    SMALL,
    UNLIMITED,
    all_items,
    codes,
    in_room,
    opened_socket,
    said,
    until_quiet,
)

PINGS_PER_LINE = OVERHEAD_BYTES_A_LINE // 32


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def say(text: str) -> bytes:
    return encode_masked(f'{{"type":"say","id":"1","text":"{text}"}}'.encode(), MASK)


frames = st.one_of(
    st.builds(frame, st.sampled_from([Opcode.TEXT, Opcode.CONT]), st.binary(max_size=40), fin=st.booleans()),
    st.builds(frame, st.sampled_from([Opcode.PING, Opcode.PONG, Opcode.BINARY]), st.binary(max_size=20)),
    st.sampled_from([say("hello"), say("x" * 60), encode_masked(ADA, MASK), frame(Opcode.CLOSE, b"\x03\xe8")]),
    st.binary(max_size=20),
)
streams = st.lists(frames, max_size=8).map(b"".join)
limits = st.sampled_from([UNLIMITED, SMALL])


def without_pongs(items: list[Request]) -> list[Request]:
    """Pings that are read at once are answered once."""
    return [item for item in items if not (isinstance(item, SessionReply) and item.data[:1] == b"\x8a")]


class TestAnyBytes:
    @given(streams, places, limits)
    @example(encode_masked(ADA, MASK) + say("one") + b"\x82\x80\0\0\0\0" + say("two"), [40], UNLIMITED)
    @example(encode_masked(ADA, MASK) + say("one") * 9 + frame(Opcode.CLOSE, b"") + say("two"), [40], SMALL)
    def test_one_result_however_they_are_cut(self, data: bytes, places: list[int], limits: Limits) -> None:
        results = []
        for pieces in ways_to_cut(data, places):
            session = opened_socket(limits)
            results.append((without_pongs(all_items(session, pieces)), session.state))
        assert results[0] == results[1] == results[2]

    @given(streams, places)
    def test_it_can_move_to_another_process_in_any_frame(self, data: bytes, places: list[int]) -> None:
        stays = opened_socket(SMALL)
        moves = copied(stays)
        for number, piece in enumerate(cut(data, places)):
            assert stays.receive(piece, float(number)) == moves.receive(piece, float(number))
            moves = copied(moves)
            assert moves == stays


class TestInput:
    def test_a_message_is_a_command(self) -> None:
        session = opened_socket()
        assert session.receive(encode_masked(ADA, MASK), 0.0) == [Hello("ada", dialect="web")]
        assert session.state is State.NAMED
        assert said(session.receive(say("hello"), 0.0)) == ["hello"]

    def test_it_is_never_greeted_and_never_read_as_telnet(self) -> None:
        session = opened_socket()
        assert session.advance(5.0) == []
        assert codes(session.receive(frame(Opcode.TEXT, "ÿý".encode() + b"\x08"), 5.0)) == ["bad-json"]

    def test_a_long_line_is_refused_and_a_longer_one_ends_it(self) -> None:
        session = in_room(WEB)
        assert codes(session.receive(say("x" * 4096) + say("next"), 0.0)) == ["line-too-long", "say"]
        (end,) = session.receive(say("x" * (4096 + MAX_OVERLONG_BYTES)), 0.0)
        assert isinstance(end, SessionReply)
        assert end.data[2:4] == (1009).to_bytes(2, "big")

    def test_a_ping_is_answered(self) -> None:
        (pong,) = in_room(WEB).receive(frame(Opcode.PING, b"a\nb"), 0.0)
        assert pong == SessionReply(b"\x8a\x03a\nb", "")


class TestCost:
    def test_fragments_of_a_line_cost_one_line(self) -> None:
        session = in_room(WEB, Limits(burst=3, rate=1.0))
        text = b'{"type":"say","id":"","text":"hello"}'
        data = frame(Opcode.TEXT, text[:9], fin=False) + frame(Opcode.CONT, text[9:20], fin=False)
        assert codes(session.receive(data + frame(Opcode.CONT, text[20:]), 0.0)) == ["say"]
        assert codes(session.receive(say("2"), 0.0)) == ["say"]
        assert codes(session.receive(say("3"), 0.0)) == ["slow"]

    def test_a_library_that_pings_now_and_then_pays_nothing(self) -> None:
        session = in_room(WEB, Limits(burst=3, rate=0.001))
        for minute in range(20):
            session.receive(frame(Opcode.PING, b""), 60.0 * minute)
        assert session.allowance.has_token(1200.0)

    @pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG, Opcode.CONT], ids=["ping", "pong", "continuation"])
    def test_a_flood_of_frames_is_not_read_for_a_while(self, opcode: Opcode) -> None:
        session = in_room(WEB, Limits(burst=10, rate=2.0))
        session.receive(frame(Opcode.TEXT, b"", fin=False), 0.0)
        session.receive(frame(opcode, b"", fin=opcode is not Opcode.CONT) * 20 * PINGS_PER_LINE, 0.0)
        assert not session.wants_read(0.0)
        assert session.wants_read(10.0)

    def test_a_read_full_of_pings_has_one_answer(self) -> None:
        session = in_room(WEB)
        assert len(session.receive(frame(Opcode.PING, b"x") * 1000, 0.0)) == 1


class TestEnd:
    def test_a_close_frame_is_a_quit_after_the_lines_before_it(self) -> None:
        session = in_room(WEB, Limits(burst=3, rate=1.0))
        items = session.receive(say("1") + say("2") + say("3") + frame(Opcode.CLOSE, b"\x03\xe8"), 0.0)
        assert codes(items) == ["say", "say", "slow"]
        items = until_quiet(session, 0.0) + session.advance(5.0)
        assert [type(item) for item in items] == [Say, Quit]
        session.queue(WEB.encode(Goodbye("quit", "see you")), DeliveryFlags.CLOSE, 5.0)
        assert not session.is_over(5.0)
        session.sent(len(session.unsent), 5.0)
        assert session.is_over(5.0)

    def test_a_violation_ends_it_after_the_lines_before_it(self) -> None:
        session = in_room(WEB)
        said, end = session.receive(say("first") + frame(Opcode.BINARY, b"x") + say("more"), 0.0)
        assert isinstance(said, Say)
        assert end == SessionReply(encode_close(1003, "messages are text"), "other-protocol", DeliveryFlags.CLOSE)
        assert session.receive(say("more"), 0.0) == []

    def test_the_time_for_a_nickname_began_before_the_first_frame(self) -> None:
        session = opened_socket(Limits(join_timeout=10.0), 0.0)
        (end,) = session.advance(10.0)
        assert isinstance(end, SessionReply)
        assert end.code == "join-timeout"
        assert end.data.endswith(encode_close(1000))
