import pytest

from protocol import json_lines
from protocol.dialects import PLAIN, RICH, Dialect
from protocol.json_lines import AnyCommand
from protocol.messages import Hello, Limits, Ping, Quit, Refused, Rename, Resume, Say, Who
from server.session import CLOSE_TIMEOUT
from server.session_types import DeliveryFlags, SessionReply
from tests.protocol.strategies import ways_to_cut
from tests.server.sessions import codes, in_room, opened, said, until_quiet


class TestTheFirstLine:
    def test_a_nickname_is_a_hello_in_the_plain_dialect(self) -> None:
        session = opened()
        assert session.receive(b"ada\r\n", 0.0) == [Hello("ada", None, PLAIN.name)]
        assert session.dialect is PLAIN

    def test_object_is_a_hello_in_the_rich_dialect(self) -> None:
        session = opened()
        items = session.receive(b'{"type":"hello","nick":"ada","dialect":"plain"}\n', 0.0)
        assert items == [Hello("ada", None, RICH.name)]

    def test_hello_of_a_returning_member_has_its_token(self) -> None:
        items = opened().receive(b'{"type":"hello","nick":"ada","resume":{"token":"t","after":7}}\n', 0.0)
        assert items == [Hello("ada", Resume("t", 7), RICH.name)]

    @pytest.mark.parametrize(
        "first",
        [b"", b" ", b"*", b"***", b"two words", b"\x1b[2J", b"a\0b", b"x" * 3000, "a\u202eb".encode(), b"/who", b"-"],
    )
    def test_bad_nickname_is_refused_and_another_may_be_tried(self, first: bytes) -> None:
        session = opened()
        assert codes(session.receive(first + b"\n", 0.0)) == ["bad-nickname"]
        assert session.receive(b"ada\n", 0.0) == [Hello("ada", None, PLAIN.name)]

    def test_a_nickname_of_10_kb_is_refused_as_an_overlong_line(self) -> None:
        session = opened()
        assert codes(session.receive(b"x" * 10_000 + b"\nada\n", 0.0)) == ["line-too-long", "hello"]

    def test_a_nickname_that_is_not_utf8_is_refused(self) -> None:
        session = opened()
        assert codes(session.receive(b"\xff\nada\n", 0.0)) == ["bad-utf8", "hello"]

    def test_a_rich_client_says_hello_first(self) -> None:
        session = opened()
        assert (
            codes(session.receive(b'{"type":"who"}\n{"type":"say","id":"1","text":"hi"}\n', 0.0)) == ["not-joined"] * 2
        )

    def test_a_rich_client_may_leave_before_it_came(self) -> None:
        assert opened().receive(b'{"type":"quit"}\n', 0.0) == [Quit()]

    @pytest.mark.parametrize(
        ("start", "name"),
        [
            (b"GET / HTTP/1.1\r\nHost: room\r\n\r\n", "HTTP"),
            (b"GET / HTTP/1.1", "HTTP"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2, "TLS"),
            (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH"),
        ],
    )
    def test_another_protocol_gets_one_reply_and_is_let_go(self, start: bytes, name: str) -> None:
        for pieces in ways_to_cut(start, [3, 9]):
            session = opened()
            items = [item for piece in pieces for item in session.receive(piece, 0.0)]
            assert codes(items) == ["other-protocol"]
            assert isinstance(items[0], SessionReply)
            assert items[0].flags == DeliveryFlags.CLOSE
            assert items[0].data.startswith(b"HTTP/1.1 400" if name == "HTTP" else b"*** goodbye: ")
            assert session.receive(b"ada\nhi\n", 0.0) == []

    def test_request_after_a_silence_is_too_late_where_browsers_are_served(self) -> None:
        """A connection that a browser has opened in advance is taken for a person at `nc`, until its request comes."""
        session = opened()
        session.serves_web = True
        (reply,) = session.receive(b"GET / HTTP/1.1\r\nHost: room\r\n\r\n", 0.0)
        assert isinstance(reply, SessionReply)
        assert reply.data.startswith(b"HTTP/1.1 408 ")
        assert reply.data.endswith(b"\r\n\r\nthe request came too late: load the page again\n")

    def test_line_after_the_nickname_may_look_like_http(self) -> None:
        session = in_room()
        lines = ["GET / HTTP/1.1", "SSH-2.0-OpenSSH_9.9"]
        assert said(session.receive("\n".join([*lines, ""]).encode(), 0.0)) == lines


class TestLines:
    def test_a_hundred_in_one_read_are_a_hundred(self) -> None:
        lines = [f"line {number}" for number in range(100)]
        assert said(in_room().receive("".join(f"{line}\n" for line in lines).encode(), 0.0)) == lines

    def test_a_code_point_may_be_cut_between_two_reads(self) -> None:
        session = in_room()
        data = "Zoë 李雷 😀\n".encode()
        assert said([item for byte in data for item in session.receive(bytes([byte]), 0.0)]) == ["Zoë 李雷 😀"]

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\0b", "a␀b"),
            ("\x1b[31m", "␛[31m"),
            ("a\x9bb", "a\ufffdb"),
            ("a\u2028b", "a␤b"),
            ("a\x85b", "a␤b"),
            ("a\u202eb\u200b", "ab"),
            ("*** bob left", "*** bob left"),
        ],
    )
    def test_control_characters_become_harmless_and_end_no_line(self, text: str, shown: str) -> None:
        assert said(in_room().receive(text.encode() + b"\n", 0.0)) == [shown]

    @pytest.mark.parametrize("dialect", [PLAIN, RICH], ids=["plain", "rich"])
    def test_line_that_is_not_utf8_is_refused(self, dialect: Dialect) -> None:
        session = in_room(dialect)
        good = b"hi\n" if dialect is PLAIN else json_lines.encode(Say("1", "hi"))
        assert codes(session.receive(b"\xfe\xff\n" + good, 0.0)) == ["bad-utf8", "say"]

    def test_one_that_is_too_long_is_refused_and_not_cut(self) -> None:
        session = in_room()
        items = session.receive(b"x" * 4097 + b"\n" + b"y" * 2000 + b"\n", 0.0)
        assert codes(items) == ["line-too-long", "say"]
        assert isinstance(items[0], SessionReply)
        assert b"4097" in items[0].data
        assert said(items) == ["y" * 2000]

    def test_a_text_that_is_too_long_is_refused_with_its_id(self) -> None:
        items = in_room(RICH).receive(json_lines.encode(Say("7", "x" * 2001)), 0.0)
        assert codes(items) == ["text-too-long"]
        assert isinstance(items[0], SessionReply)
        refused = json_lines.decode_event(items[0].data)
        assert isinstance(refused, Refused)
        assert refused.id == "7"

    def test_a_text_has_its_line_ends_and_at_most_so_many(self) -> None:
        session = in_room(RICH)
        assert said(session.receive(json_lines.encode(Say("1", "\na\r\nb\n\nc\n")), 0.0)) == ["a\nb\n\nc"]
        assert codes(session.receive(json_lines.encode(Say("2", "\n".join(["x"] * 41))), 0.0)) == ["too-many-lines"]

    @pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b\u202e", "\u3000 "])
    def test_one_with_nothing_to_see_is_refused(self, text: str) -> None:
        assert codes(in_room(RICH).receive(json_lines.encode(Say("1", text)), 0.0)) == ["empty"]

    def test_a_blank_one_of_a_plain_client_says_nothing(self) -> None:
        assert in_room().receive(b"\n\r\n  \n", 0.0) == []

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (b"{", "bad-json"),
            (b'{"type":"frob"}', "bad-command"),
            (b'{"type":"say","id":1,"text":"x"}', "bad-command"),
            (b'{"type":"say","id":"1","text":' + b"9" * 10_000 + b"}", "bad-command"),
            (b'{"type":"say","x":' + b"[" * 10_000, "bad-json"),
            (b'{"type":"rename","nick":"***"}', "bad-nickname"),
        ],
        ids=["malformed", "unknown type", "wrong field", "10,000 digits", "10,000 deep", "nickname"],
    )
    def test_bad_object_is_refused_and_the_connection_stays(self, line: bytes, code: str) -> None:
        session = in_room(RICH, Limits(line=64 * 1024, rate=0))
        assert codes(session.receive(line + b"\n" + json_lines.encode(Ping("1")), 0.0)) == [code, "ping"]

    @pytest.mark.parametrize("text", ["\x1b[31mred", "\x9b2J", "a\0", "\u202eevil"])
    def test_a_line_that_commands_terminals_is_noted_as_such(self, text: str) -> None:
        assert codes(in_room().receive(f"{text}\n".encode(), 0.0)) == ["escaped", "say"]

    @pytest.mark.parametrize("text", ["❤\ufe0f", "👩\u200d👧", "می\u200cخواهم", "a\tb", "a\u00a0b", "\u200fעברית"])
    def test_ordinary_text_is_said_without_a_report(self, text: str) -> None:
        assert codes(in_room().receive(f"{text}\n".encode(), 0.0)) == ["say"]

    @pytest.mark.parametrize("id", ["\x9b31m", "a\u202eb", "\x1b]0;x\x07", "Zo\u00eb", "\U0001f600", "a\nb"])
    @pytest.mark.parametrize("command", [Say, Ping])
    def test_id_with_other_than_printable_ascii_is_refused(self, command: type[Say | Ping], id: str) -> None:
        asked = Say(id, "hi") if command is Say else Ping(id)
        items = in_room(RICH).receive(json_lines.encode(asked), 0.0)
        assert codes(items) == ["bad-id"]
        assert isinstance(items[0], SessionReply)
        assert items[0].data.isascii()
        refused = json_lines.decode_event(items[0].data)
        assert refused == Refused("bad-id", "an id has up to 64 printable ASCII characters")

    @pytest.mark.parametrize("id", ["", "1", "x" * 64, "a b", "{}~!"])
    def test_an_id_of_printable_ascii_is_taken(self, id: str) -> None:
        assert in_room(RICH).receive(json_lines.encode(Say(id, "hi")), 0.0) == [Say(id, "hi")]

    def test_line_after_quit_is_ignored(self) -> None:
        session = in_room()
        assert session.receive(b"bye\n/quit\nstill here\n", 0.0) == [Say("", "bye"), Quit()]
        assert session.receive(b"still here\n", 0.0) == []


class TestTheEnd:
    def test_lines_before_a_half_close_are_taken_at_their_pace(self) -> None:
        session = opened(Limits(burst=3, rate=2.0))
        items = session.receive(b"ada\n1\n2\n3\n4\n", 0.0) + session.end(0.0)
        items += until_quiet(session, 0.0)
        assert said(items) == ["1", "2", "3", "4"]
        assert items[-1] != Quit()
        assert session.advance(min(session.next_deadline(100.0), 100.0))[-1:] == [Quit()]

    def test_half_a_line_before_it_is_not_said(self) -> None:
        session = in_room()
        assert session.receive(b"hi\nhal", 0.0) + session.end(0.0) == [Say("", "hi"), Quit()]

    def test_session_is_over_after_last_bytes_and_end_of_input(self) -> None:
        session = in_room()
        session.queue(b"goodbye\n", DeliveryFlags.CLOSE, 0.0)
        session.end(0.0)
        assert not session.is_over(0.0)
        session.sent(8, 0.0)
        assert session.is_over(0.0)

    def test_it_is_closed_soon_even_if_they_are_never_taken(self) -> None:
        session = in_room()
        session.queue(b"goodbye\n", DeliveryFlags.CLOSE, 0.0)
        assert not session.is_over(CLOSE_TIMEOUT - 0.01)
        assert session.is_over(CLOSE_TIMEOUT)

    def test_input_of_a_closing_session_is_dropped(self) -> None:
        session = in_room(limits=Limits(burst=1, rate=0.001))
        session.queue(b"goodbye\n", DeliveryFlags.CLOSE, 0.0)
        assert session.wants_read(0.0)
        assert session.receive(b"x\n" * 1000, 0.0) == []
        assert session.lines.data == b""

    def test_a_broken_one_is_over_at_once(self) -> None:
        session = in_room()
        session.close()
        assert session.is_over(0.0)


@pytest.mark.parametrize("command", [Say("1", "hi"), Who(), Ping("1"), Rename("bob"), Hello("ada")])
def test_a_rich_command_comes_out_as_it_was_sent(command: AnyCommand) -> None:
    assert in_room(RICH).receive(json_lines.encode(command), 0.0) == [command]
