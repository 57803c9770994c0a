import json

import pytest
from hypothesis import given

from protocol import json_lines
from protocol.client import ClientConnection, Gap, HistoryEnd
from protocol.messages import (
    Goodbye,
    Hello,
    Notice,
    People,
    Ping,
    Presence,
    Refused,
    Rename,
    Resume,
    Say,
    Status,
    Who,
)
from tests.protocol.clients import again, connected, ids, in_room, said, sent, told, welcome
from tests.protocol.strategies import (
    sendable_text,
)


class TestJoining:
    def test_connected_sends_hello(self) -> None:
        assert sent(connected()) == [Hello("ada")]

    def test_welcome_sets_the_state(self) -> None:
        ours = connected()
        told(ours, welcome(7, you="ada2", token="secret", nonce="once", operator=True))
        assert (ours.nick, ours.token, ours.seq, ours.nonce) == ("ada2", "secret", 7, "once")
        assert ours.in_room
        assert ours.is_operator

    def test_welcome_returns_its_history_and_its_end(self) -> None:
        history = [said(2), said(5)]
        first = welcome(7, history=history)
        ours = connected()
        assert told(ours, first) == [first, *history, HistoryEnd(first)]
        assert told(ours, said(8)) == [said(8)]

    def test_welcome_without_history_has_no_end_of_it(self) -> None:
        assert told(connected(), welcome(7)) == [welcome(7)]

    def test_retry_hello_after_a_refusal_sends_the_new_nickname(self) -> None:
        ours = connected()
        ours.data_to_send()
        assert told(ours, Refused("nickname-taken", "ada is taken", suggestion="ada2"))
        assert not ours.in_room
        ours.retry_hello("ada2")
        assert sent(ours) == [Hello("ada2")]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"*** goodbye: the room is full\n", "the room is full"),
            (b"*** goodbye: come back \x1b[2Jlater\r\n", "come back ␛[2Jlater"),
            (b"*** goodbye: \xff\n", "\ufffd"),
        ],
    )
    def test_plain_goodbye_before_hello_is_a_goodbye(self, line: bytes, reason: str) -> None:
        assert connected().receive(line) == [Goodbye("refused", reason)]

    def test_client_greeted_before_its_hello_skips_the_greeting(self) -> None:
        ours = connected()
        assert ours.receive(b"*** this is a chat room\n\xff\xfe\n") == []
        assert told(ours, Refused("nickname-taken", "ada is taken"))

    def test_plain_goodbye_on_a_second_connection_is_a_goodbye(self) -> None:
        ours = in_room()
        ours.disconnected()
        ours.connected()
        assert ours.receive(b"*** goodbye: the room is full\n") == [Goodbye("refused", "the room is full")]

    def test_plain_goodbye_after_a_rich_event_is_ignored(self) -> None:
        ours = connected()
        told(ours, Refused("nickname-taken", "ada is taken"))
        assert ours.receive(b"*** goodbye: imitated\n") == []

    def test_other_plain_lines_are_ignored(self) -> None:
        assert connected().receive(b"Connected to chat server\nbob: *** hi\n") == []


class TestSaying:
    def test_line_is_unacknowledged_until_its_said(self) -> None:
        ours = in_room()
        id = ours.say("hi")
        assert sent(ours) == [Say(id, "hi")]
        assert list(ours.unacknowledged) == [id]
        assert told(ours, said(1, "hi", id, "ada")) == [said(1, "hi", id, "ada")]
        assert ours.unacknowledged == {}

    def test_refusal_acknowledges_a_line(self) -> None:
        ours = in_room()
        id = ours.say("")
        told(ours, Refused("empty", "nothing", id))
        assert ours.unacknowledged == {}

    def test_lines_before_the_welcome_are_sent_after_it(self) -> None:
        ours = ClientConnection("ada", ids())
        first = ours.say("early")
        ours.connected()
        second = ours.say("waves", action=True)
        assert sent(ours) == [Hello("ada")]
        told(ours, welcome())
        assert sent(ours) == [Say(first, "early"), Say(second, "waves", action=True)]

    def test_unacknowledged_lines_are_sent_again_in_order(self) -> None:
        ours = in_room()
        lines = [ours.say(text) for text in ("one", "two", "three")]
        told(ours, said(1, "one", lines[0], "ada"))
        again(ours, welcome(1, resumed=True))
        assert sent(ours) == [Say(lines[1], "two"), Say(lines[2], "three")]

    def test_own_lines_in_the_welcome_are_not_sent_again(self) -> None:
        ours = in_room()
        id = ours.say("hi")
        again(ours, welcome(1, resumed=True, history=[said(1, "hi", id, "ada")]))
        assert sent(ours) == []

    def test_repeated_said_acknowledges_and_is_not_returned(self) -> None:
        ours = in_room()
        id = ours.say("hi")
        again(ours, welcome(9, resumed=True, missed=9))
        assert told(ours, said(5, "hi", id, "ada")) == []
        assert ours.unacknowledged == {}

    def test_ids_are_not_reused(self) -> None:
        ours = in_room()
        assert len({ours.say("hi") for _ in range(100)}) == 100


class TestResuming:
    def test_hello_on_a_second_connection_resumes(self) -> None:
        ours = in_room()
        told(ours, said(1), said(2))
        ours.disconnected()
        assert not ours.in_room
        ours.connected()
        assert sent(ours) == [Hello("ada", Resume("t", 2))]

    def test_half_a_line_of_the_old_connection_is_dropped(self) -> None:
        ours = in_room()
        ours.receive(json_lines.encode(said(1))[:-5])
        assert again(ours, welcome(1, resumed=True, history=[said(1)]))[1:] == [said(1)]

    def test_missed_events_are_returned_and_applied(self) -> None:
        ours = in_room()
        told(ours, said(1))
        missed = [said(2), Presence(3, 0.0, ["cleo"]), Notice("hear", 4)]
        assert again(ours, welcome(4, resumed=True, history=missed))[1:] == missed
        assert told(ours, said(5)) == [said(5)]

    def test_lost_events_are_a_gap_before_the_others(self) -> None:
        ours = in_room()
        told(ours, said(1))
        assert again(ours, welcome(9, resumed=True, missed=6, history=[said(8), said(9)]))[1:] == [
            Gap(6),
            said(8),
            said(9),
        ]

    def test_welcome_of_a_restarted_server_is_a_gap_of_unknown_size(self) -> None:
        ours = in_room(100)
        id = ours.say("unheard")
        heard = again(ours, welcome(2, token="new", history=[said(2)]))
        assert heard[1:] == [Gap(None), said(2), HistoryEnd(welcome(2, token="new", history=[said(2)]))]
        assert (ours.token, ours.seq) == ("new", 2)
        assert sent(ours) == [Say(id, "unheard")]

    def test_nickname_of_the_welcome_wins_over_the_history(self) -> None:
        ours = in_room()
        history = [
            Presence(1, 0.0, left=["ada"]),
            Presence(2, 0.0, joined=["ada"]),
            Presence(3, 0.0, renamed=[("ada", "bob")]),
        ]
        again(ours, welcome(3, resumed=True, history=history))
        assert ours.nick == "ada"


class TestState:
    def test_roster_follows_presence(self) -> None:
        ours = in_room()
        told(ours, People(0, ["ada", "bob", "cleo"]))
        told(ours, Presence(1, 0.0, joined=["dan", "bob"], left=["bob"], renamed=[("cleo", "eve")]))
        assert ours.people == {"ada", "bob", "dan", "eve"}

    def test_presence_with_swapped_names_swaps_them(self) -> None:
        ours = in_room()
        told(ours, People(0, ["ada", "bob"]), Presence(1, 0.0, renamed=[("ada", "bob"), ("bob", "ada")]))
        assert ours.people == {"ada", "bob"}
        assert ours.nick == "bob"

    def test_roster_before_the_last_seq_is_ignored(self) -> None:
        ours = in_room(5)
        told(ours, People(5, ["ada"]), Presence(6, 0.0, joined=["bob"]), People(5, ["ada"]))
        assert ours.people == {"ada", "bob"}

    def test_own_renaming_changes_the_nickname(self) -> None:
        ours = in_room()
        ours.rename("eve")
        assert sent(ours) == [Rename("eve")]
        assert ours.nick == "ada"
        told(ours, Presence(1, 0.0, renamed=[("ada", "eve")]))
        assert ours.nick == "eve"

    def test_status_is_kept(self) -> None:
        ours = in_room()
        status = Status("thread", 3, "thread 2")
        assert told(ours, status) == [status]
        assert ours.status == status


def test_data_to_send_returns_data_once() -> None:
    ours = in_room()
    ours.who()
    ours.ping("p")
    assert sent(ours) == [Who(), Ping("p")]
    assert ours.data_to_send() == b""


@given(sendable_text)
def test_say_sends_any_text_as_one_line_of_json(text: str) -> None:
    ours = in_room()
    ours.say(text)
    (line,) = ours.data_to_send().splitlines(keepends=True)
    assert json.loads(line)["text"] == text
