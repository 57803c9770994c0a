"""The limits of a connection, and its end when it exceeds them."""

from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.dialects import DIALECTS, Dialect
from protocol.messages import Limits, Notice
from server.session import (
    CLOSE_TIMEOUT,
    MAX_OVERLONG_BYTES,
    MAX_UNSENT_BYTES,
    REMINDER_INTERVAL_S,
    TOO_SLOW,
    WRITE_TIMEOUT,
)
from server.session_types import DeliveryFlags, Request, SessionReply
from tests.protocol.strategies import cut
from tests.server.sessions import ADA, codes, in_room, opened, said, until_quiet


class TestALineThatNeverEnds:
    def test_is_let_go_with_a_reason(self) -> None:
        session = in_room()
        items: list[Request] = []
        for _ in range((session.limits.line + MAX_OVERLONG_BYTES) // 1024 + 2):
            items += session.receive(b"x" * 1024, 0.0)
            assert len(session.lines.data) <= session.limits.line + 1
        assert codes(items) == ["line-too-long"]
        assert isinstance(items[0], SessionReply)
        assert items[0].flags == DeliveryFlags.CLOSE
        assert session.receive(b"\nhi\n", 0.0) == []

    @pytest.mark.parametrize("limit", [256, 64 * 1024, 1024 * 1024])
    @given(places=st.lists(st.integers(1, 2 * MAX_OVERLONG_BYTES), max_size=4), more=st.integers(-2, 2))
    @example(places=[], more=1)
    @example(places=[MAX_OVERLONG_BYTES], more=1)
    def test_is_let_go_at_the_same_length_however_it_is_cut(self, limit: int, places: list[int], more: int) -> None:
        session = in_room(limits=Limits(line=limit, rate=0))
        data = b"x" * (limit + MAX_OVERLONG_BYTES + more) + b"\nhi\n"
        items = [item for piece in cut(data, places) for item in session.receive(piece, 0.0)]
        assert codes(items) == (["line-too-long"] if more > 0 else ["line-too-long", "say"])


class TestAFlood:
    LINES = b"".join(b"line %d\n" % number for number in range(50))

    def test_is_slowed_to_its_pace_and_loses_nothing(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        times = [0.0] * len(said(session.receive(self.LINES, 0.0)))
        now, texts = 0.0, []
        while session.lines.has_line:
            now = session.next_deadline(now)
            new = said(session.advance(now))
            times += [now] * len(new)
            texts += new
        assert len(times) == 50
        assert texts[-1] == "line 49"
        # The nickname was a line as well.
        assert all(index + 2 <= 10 + 2.0 * time + 1e-3 for index, time in enumerate(times))
        assert times[-1] == pytest.approx((50 + 1 - 10) / 2.0, abs=0.01)

    def test_is_told_once(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        items = session.receive(self.LINES, 0.0) + until_quiet(session, 0.0)
        assert codes(items).count("slow") == 1
        assert len(said(items)) == 50

    def test_is_reminded_while_lines_wait(self) -> None:
        """A peer that has closed answers what it is told with a reset: so its lines do not go on."""
        session = in_room(limits=Limits(burst=10, rate=2.0))
        items = session.receive(self.LINES, 0.0) + until_quiet(session, 0.0)
        assert codes(items).count("reminded") == (50 - 10) / 2.0 // REMINDER_INTERVAL_S

    def test_is_told_again_after_a_pause(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        items = session.receive(self.LINES, 0.0) + until_quiet(session, 0.0)
        items += session.receive(self.LINES, 100.0) + until_quiet(session, 100.0)
        assert codes(items).count("slow") == 2

    def test_is_told_once_although_the_server_pauses(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        items = session.receive(self.LINES, 0.0) + session.receive(b"more\n", 30.0) + until_quiet(session, 30.0)
        assert codes(items).count("slow") == 1
        assert len(said(items)) == 51

    def test_is_told_once_although_a_burst_is_earned_in_a_moment(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=1000.0))
        items = session.receive(self.LINES, 0.0) + until_quiet(session, 0.0)
        items += session.receive(self.LINES, 0.2) + until_quiet(session, 0.2)
        assert codes(items).count("slow") == 1
        assert len(said(items)) == 100

    def test_is_not_read_until_the_next_line_is_earned(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        session.receive(self.LINES, 0.0)
        assert not session.wants_read(0.0)
        assert session.next_deadline(0.0) == pytest.approx(0.5, abs=1e-3)
        assert session.wants_read(session.next_deadline(0.0))

    @pytest.mark.parametrize("blank", [b"\n", b" \r\n"])
    def test_of_blank_lines_costs_as_much(self, blank: bytes) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        assert codes(session.receive(blank * 100, 0.0)) == ["slow"]
        assert not session.wants_read(0.0)

    @pytest.mark.parametrize("line", [b"\xff\n", b"/frob\n", b"x" * 5000 + b"\n"])
    def test_of_lines_that_are_refused_costs_as_much(self, line: bytes) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        items = session.receive(line * 20, 0.0)
        assert len(items) == 10
        assert codes(items)[-1] == "slow"

    def test_member_at_the_allowed_pace_is_never_slowed(self) -> None:
        session = in_room(limits=Limits(burst=10, rate=2.0))
        items = [item for second in range(100) for item in session.receive(b"a\nb\n", float(second + 1))]
        assert codes(items) == ["say"] * 200

    @given(
        st.lists(st.tuples(st.floats(0, 5), st.integers(0, 30)), max_size=20),
        st.integers(1, 20),
        st.floats(0.5, 20),
    )
    def test_never_gets_more_lines_than_the_burst_and_its_pace(
        self, sent: list[tuple[float, int]], burst: int, rate: float
    ) -> None:
        session, now, taken = opened(Limits(burst=burst, rate=rate, join_timeout=1e9)), 0.0, 0
        for wait, count in sent:
            now += wait
            taken += sum(code not in ("slow", "reminded") for code in codes(session.receive(b"***\n" * count, now)))
            assert taken <= burst + rate * now + 1e-3


class TestDeadlines:
    def test_join_timeout_ends_a_silent_connection(self) -> None:
        session = opened()
        session.advance(1.0)
        assert session.next_deadline(1.0) == 10.0
        assert session.advance(9.99) == []
        assert codes(session.advance(10.0)) == ["join-timeout"]
        assert session.advance(11.0) == []

    def test_a_byte_a_second_does_not_put_it_off(self) -> None:
        session = opened()
        for second in range(10):
            assert session.receive(b"x", float(second)) == []
            assert session.advance(second + 0.6) == []
            assert session.next_deadline(second + 0.6) == 10.0
        assert codes(session.receive(b"x", 10.0)) == ["join-timeout"]

    def test_nickname_read_late_gets_time_for_the_answer_once(self) -> None:
        session = opened()
        assert codes(session.receive(b"ada\n", 12.0)) == ["hello"]
        assert session.next_deadline(12.0) == 14.0
        assert session.advance(13.9) == []
        assert codes(session.advance(14.0)) == ["join-timeout"]

    def test_taken_nicknames_do_not_put_it_off(self) -> None:
        session = opened()
        for second in range(9):
            assert codes(session.receive(b'{"type":"hello","nick":"ada"}\n', float(second))) == ["hello"]
        assert codes(session.receive(b'{"type":"hello","nick":"ada"}\n', 10.0)) == ["hello", "join-timeout"]

    def test_bad_nicknames_do_not_put_it_off(self) -> None:
        session = opened()
        for second in range(10):
            assert codes(session.receive(b"***\n", float(second))) == ["bad-nickname"]
        assert codes(session.receive(b"***\n", 10.0)) == ["bad-nickname", "join-timeout"]

    def test_member_may_be_silent_for_ever(self) -> None:
        session = in_room()
        assert session.next_deadline(0.0) == inf
        assert session.advance(1e9) == []

    def test_idle_timeout_counts_from_the_last_whole_line(self) -> None:
        session = in_room(limits=Limits(rate=0, idle_timeout=60.0))
        session.receive(b"hi\n", 30.0)
        session.receive(b"x", 80.0)
        assert session.next_deadline(80.0) == 90.0
        assert codes(session.advance(90.0)) == ["idle"]

    def test_a_reader_that_takes_nothing_is_let_go(self) -> None:
        session = in_room()
        session.queue(b"line\n", DeliveryFlags.NONE, 5.0)
        session.queue(b"line\n", DeliveryFlags.NONE, 14.0)
        assert session.next_deadline(14.0) == 5.0 + WRITE_TIMEOUT
        assert codes(session.advance(15.0)) == ["too-slow"]

    def test_a_slow_reader_that_takes_something_is_not(self) -> None:
        session = in_room()
        session.queue(b"x" * 1000 + b"\n", DeliveryFlags.NONE, 0.0)
        for second in range(1, 100):
            session.sent(1, float(second))
            assert session.advance(float(second)) == []


class TestTheOutbox:
    @given(
        st.lists(
            st.tuples(st.sampled_from([10, 1000, 100_000, 400_000]), st.sampled_from([0, 1, 500_000]), st.booleans()),
            max_size=12,
        )
    )
    def test_session_is_bounded_for_a_peer_that_takes_nothing(self, steps: list[tuple[int, int, bool]]) -> None:
        session, now = in_room(), 0.0
        for size, taken, close in steps:
            now += 1.0
            session.queue(b"x" * size + b"\n", DeliveryFlags.CLOSE if close else DeliveryFlags.NONE, now)
            session.sent(min(taken, len(session.unsent)), now)
            assert len(session.unsent) <= MAX_UNSENT_BYTES + 400_001

    def test_keeps_the_order(self) -> None:
        session = in_room()
        session.queue(b"a\n", DeliveryFlags.NONE, 0.0)
        session.queue(memoryview(b"b\n"), DeliveryFlags.NONE, 0.0)
        assert bytes(session.unsent) == b"a\nb\n"

    @pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
    def test_slow_reader_above_the_limit_gets_a_goodbye(self, dialect: Dialect) -> None:
        session = in_room(dialect)
        event = dialect.encode(Notice("x" * 99))
        session.queue(event[10:] + event * (MAX_UNSENT_BYTES // len(event) + 1), DeliveryFlags.NONE, 0.0)
        assert session.is_closing
        assert bytes(session.unsent) == event[10:] + dialect.encode(TOO_SLOW)
        assert session.next_deadline(0.0) == 0.0
        told = session.advance(0.0)
        assert [(item.data, item.code, item.flags) for item in told if isinstance(item, SessionReply)] == [
            (b"", "too-slow", DeliveryFlags.CLOSE)
        ], "the room hears of it, without words of its own"
        assert session.advance(0.0) == []
        assert session.next_deadline(0.0) == CLOSE_TIMEOUT
        assert session.next_deadline(0.0) == CLOSE_TIMEOUT

    def test_a_long_welcome_may_pile_up_besides(self) -> None:
        session = opened()
        session.receive(ADA, 0.0)
        session.queue(b"w" * (2 * MAX_UNSENT_BYTES) + b"\n", DeliveryFlags.JOINED, 0.0)
        session.queue(b"x" * 1000 + b"\n", DeliveryFlags.NONE, 0.0)
        assert not session.is_closing
        assert len(session.unsent) == 2 * MAX_UNSENT_BYTES + 1 + 1001

    def test_the_last_words_stay_and_nothing_comes_after_them(self) -> None:
        session = in_room()
        session.queue(b"line\n", DeliveryFlags.NONE, 0.0)
        session.queue(b"goodbye\n", DeliveryFlags.CLOSE, 0.0)
        session.queue(b"more\n", DeliveryFlags.NONE, 0.0)
        assert bytes(session.unsent) == b"line\ngoodbye\n"

    def test_a_reader_that_is_stuck_gets_only_the_last_words(self) -> None:
        session = in_room()
        session.queue(b"half a line\nmore\n", DeliveryFlags.NONE, 0.0)
        (goodbye,) = session.advance(WRITE_TIMEOUT)
        assert isinstance(goodbye, SessionReply)
        session.queue(goodbye.data, goodbye.flags, WRITE_TIMEOUT)
        assert bytes(session.unsent) == b"half a line\n" + goodbye.data
