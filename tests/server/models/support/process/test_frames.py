import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Hello, Limits, Say
from server.models.support.process import pipes as frames
from server.models.support.process.pipes import FrameBuffer
from server.session import Session
from server.session_types import DeliveryFlags, Request, SessionReply, State
from tests.protocol.strategies import commands, cut, places, ways_to_cut, wire_bytes

kinds = st.sampled_from([frames.ITEM, frames.SESSION, frames.FAILURE, frames.DELIVERY, frames.RETURN])
payloads = st.binary(max_size=40) | st.just(b"") | st.binary(min_size=300, max_size=400)
some_frames = st.lists(st.tuples(kinds, payloads), max_size=8)
replies = st.builds(
    SessionReply,
    st.binary(max_size=20),
    st.text(max_size=9),
    st.sampled_from([DeliveryFlags.NONE, DeliveryFlags.CLOSE]),
)


def the_frame_in(data: bytes) -> tuple[bytes, bytes]:
    ((kind, payload),) = FrameBuffer().feed(data)
    return kind, payload


@given(some_frames, places)
def test_frames_cut_by_the_pipe_come_out_whole(sent: list[tuple[bytes, bytes]], places: list[int]) -> None:
    for pieces in ways_to_cut(b"".join(frames.pack(kind, payload) for kind, payload in sent), places):
        buffer = FrameBuffer()
        assert [frame for piece in pieces for frame in buffer.feed(piece)] == sent


@given(some_frames, st.integers(1, 10))
def test_a_frame_that_is_not_whole_stays_back(sent: list[tuple[bytes, bytes]], missing: int) -> None:
    data = b"".join(frames.pack(kind, payload) for kind, payload in [*sent, (frames.ITEM, b"0123456789")])
    buffer = FrameBuffer()
    assert buffer.feed(data[:-missing]) == sent
    assert buffer.feed(data[-missing:]) == [(frames.ITEM, b"0123456789")]


@given(commands | replies)
def test_item_is_decoded_as_it_was(item: Request) -> None:
    kind, payload = the_frame_in(frames.pack_item(item, 1234.5))
    assert kind == frames.ITEM
    came, since = frames.item_in(payload)
    assert came == item
    assert type(came) is type(item)
    assert since == 1234.5


@given(
    st.lists(st.sampled_from([b"ada: hi\n", b"*** \xe2\x98\x83\n", frames.pack(frames.FLUSHED)]), max_size=8), places
)
def test_bytes_for_the_peer_travel_between_frames_unchanged(sent: list[bytes], places: list[int]) -> None:
    for pieces in ways_to_cut(b"".join(sent), places):
        buffer = FrameBuffer()
        came = [frame for piece in pieces for frame in buffer.feed(piece)]
        assert b"".join(payload if kind == frames.TALK else frames.pack(kind, payload) for kind, payload in came) == (
            b"".join(sent)
        )
        assert buffer.empty


def test_half_a_frame_is_waited_for() -> None:
    buffer = FrameBuffer()
    assert buffer.feed(b"ada: hi\n" + frames.pack(frames.FLUSHED)[:3]) == [(frames.TALK, b"ada: hi\n")]
    assert not buffer.empty
    assert buffer.feed(frames.pack(frames.FLUSHED)[3:]) == [(frames.FLUSHED, b"")]
    assert buffer.empty


@given(
    st.binary(min_size=1, max_size=50),
    st.sampled_from([0, DeliveryFlags.JOINED, DeliveryFlags.CLOSE, DeliveryFlags.JOINED | DeliveryFlags.CLOSE]),
)
def test_a_delivery_arrives_with_its_mark(data: bytes, mark: int) -> None:
    kind, payload = the_frame_in(frames.pack_delivery(data, mark))
    assert kind == (frames.DELIVERY if mark or b"\0" in data else frames.TALK)
    assert frames.delivery_in(kind, payload) == (data, mark)


@given(wire_bytes, places, st.sampled_from([Limits(), Limits(rate=0), Limits(burst=2, idle_timeout=60.0)]))
def test_a_session_comes_back_equal_at_any_point_of_its_life(data: bytes, places: list[int], limits: Limits) -> None:
    session = Session.open(7, limits, 1.5)
    for i, piece in enumerate(cut(data, places)):
        now = 1.5 + i
        session.receive(piece, now)
        session.queue(
            piece, DeliveryFlags.JOINED if i == 2 else DeliveryFlags.CLOSE if i == 6 else DeliveryFlags.NONE, now
        )
        session.sent(i % 4, now)
        kind, payload = the_frame_in(frames.pack_session(session))
        assert kind == frames.SESSION
        assert frames.session_in(payload) == session
        session = frames.session_in(payload)


def test_session_keeps_half_a_line_unsent_bytes_and_tokens() -> None:
    session = Session.open(7, Limits(burst=10), 0.0)
    assert session.receive(b"ada\nhi\nhal", 0.0) == [Hello("ada", None, session.dialect_name), Say("", "hi")]
    session.queue(b"not taken yet\n", DeliveryFlags.JOINED, 0.0)
    there = frames.session_in(the_frame_in(frames.pack_session(session))[1])
    assert there.state is State.JOINED
    assert bytes(there.unsent) == b"not taken yet\n"
    assert there.allowance.tokens == 8.0
    assert there.receive(b"f\n", 0.0) == [Say("", "half")]


def test_a_session_that_came_back_can_send_on() -> None:
    session = Session.open(7, Limits(), 0.0)
    session.queue(b"abc\n", DeliveryFlags.NONE, 0.0)
    there = frames.session_in(the_frame_in(frames.pack_session(session))[1])
    there.sent(2, 0.0)
    there.queue(b"d\n", DeliveryFlags.NONE, 0.0)
    assert bytes(there.unsent) == b"c\nd\n"


@pytest.mark.parametrize("size", [0, 1, 2**20])
def test_a_frame_may_have_any_size(size: int) -> None:
    assert the_frame_in(frames.pack(frames.ITEM, b"x" * size)) == (frames.ITEM, b"x" * size)


def test_a_long_frame_costs_no_more_for_coming_in_many_pieces() -> None:
    buffer = FrameBuffer()
    buffer.feed(frames.pack(frames.SESSION, b"x" * 2**20)[:-64])
    tracemalloc.start()
    try:
        assert not buffer.feed(b"x" * 32)
        assert tracemalloc.get_traced_memory()[1] < 2**16, "what came before is copied with each piece"
    finally:
        tracemalloc.stop()


def test_how_a_worker_failed_arrives_as_it_was_said() -> None:
    assert the_frame_in(frames.pack_failure("Traceback …")) == (frames.FAILURE, "Traceback …".encode())
