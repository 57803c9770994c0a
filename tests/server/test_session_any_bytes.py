"""The Session under arbitrary bytes, in arbitrary pieces, at arbitrary times."""

from math import inf

from hypothesis import example, given
from hypothesis import strategies as st

from protocol.messages import Hello, Limits, Quit, Rename, Say
from protocol.sanitize import sanitize
from server.session_types import DeliveryFlags, SessionReply, State
from tests.protocol.strategies import copied, cut, places, ways_to_cut, wire_bytes
from tests.server.sessions import ADA, SMALL, UNLIMITED, all_items, opened, until_quiet

starts = st.sampled_from([b"", b"ada\n", ADA, b"\n", b"{\n", b"/quit\n"])
streams = st.builds(bytes.__add__, starts, wire_bytes)
limits = st.sampled_from([UNLIMITED, SMALL, Limits(line=120, text=50, lines=3, rate=0)])


def is_telnet(reply: SessionReply) -> bool:
    """Whether it answers commands of telnet: those are gathered by what was read at once."""
    return bool(reply.data) and reply.code == ""


class TestWhateverComes:
    @given(streams, places, limits)
    @example(b"GET / HTTP/1.1" + b"x" * 120 + b"\r\nHost: a\r\n", [], SMALL)
    @example(b"\x16\x03\x01\n", [2], SMALL)
    @example(b"x" * 121 + b"\nSSH-2.0\n", [130], SMALL)
    @example(b"x" * 130 + b"\r\n", [131], SMALL)
    def test_it_says_the_same_however_the_bytes_are_cut(self, data: bytes, places: list[int], limits: Limits) -> None:
        results = []
        for pieces in ways_to_cut(data, places):
            session = opened(limits)
            items = all_items(session, pieces)
            answers = b"".join(item.data for item in items if isinstance(item, SessionReply) and is_telnet(item))
            others = [item for item in items if not (isinstance(item, SessionReply) and is_telnet(item))]
            results.append((others, answers, session.dialect_name, session.state))
        assert results[0] == results[1] == results[2]

    @given(streams, places, st.lists(st.floats(0, 30), max_size=9), limits)
    def test_it_can_move_to_another_process_between_any_two_steps(
        self, data: bytes, places: list[int], waits: list[float], limits: Limits
    ) -> None:
        stays = moves = opened(limits)
        moves = copied(stays)
        now = 0.0
        for i, piece in enumerate(cut(data, places)):
            now += waits[i % len(waits)] if waits else 0.0
            assert stays.receive(piece, now) == moves.receive(piece, now)
            for session in (stays, moves):
                session.queue(piece, DeliveryFlags.JOINED if i == 1 else DeliveryFlags.NONE, now)
                session.sent(i % 3, now)
            assert moves == stays
            moves = copied(moves)

    @given(streams, places, limits)
    def test_all_that_comes_out_is_fit_for_the_room(self, data: bytes, places: list[int], limits: Limits) -> None:
        session = opened(limits)
        for piece in cut(data, places):
            for item in session.receive(piece, 1.0) + until_quiet(session, 1.0):
                match item:
                    case Say(id=id, text=text):
                        assert id.isascii()
                        assert id.isprintable()
                        assert sanitize(text, lines=True) == text
                        assert text.strip()
                        assert len(text) <= limits.text
                        assert text.count("\n") < limits.lines
                        assert session.state > State.CONNECTING
                    case Hello(nick=nick) | Rename(nick=nick):
                        assert sanitize(nick) == nick
                        assert nick[0].isalnum()
                        assert len(nick) <= limits.nick
                    case SessionReply() if is_telnet(item):
                        pass
                    case SessionReply(data=answer):
                        assert not answer or answer.endswith(b"\n")
                        for line in answer.decode().split("\n"):
                            # The answer to a web browser has the line ends of HTTP.
                            assert sanitize(line) == line or line.endswith("\r")

    @given(streams, places)
    def test_nothing_is_heard_of_it_once_it_is_let_go(self, data: bytes, places: list[int]) -> None:
        session = opened()
        over = False
        for piece in cut(data, places):
            for item in session.receive(piece, 1.0):
                assert not over
                over = isinstance(item, Quit) or (
                    isinstance(item, SessionReply) and bool(item.flags & DeliveryFlags.CLOSE)
                )
            assert session.is_leaving == over

    @given(streams, st.lists(st.floats(0.01, 5), max_size=20), limits)
    def test_next_deadline_is_later_after_each_wake_up(self, data: bytes, waits: list[float], limits: Limits) -> None:
        session, now = opened(limits), 50.0
        session.receive(data, now)
        for wait in waits:
            now = session.next_deadline(now) if session.next_deadline(now) < inf else now + wait
            session.advance(now)
            assert session.next_deadline(now) > now or session.is_over(now)
