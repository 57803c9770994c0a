import json

import pytest
from hypothesis import given

from protocol import json_lines
from protocol.client import ClientConnection, Gap
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


class TestComingIn:
    def test_it_introduces_itself(self) -> None:
        assert sent(connected()) == [Hello("ada")]

    def test_it_knows_what_the_welcome_says(self) -> None:
        ours = connected()
        told(ours, welcome(7, you="ada2", token="secret", nonce="once", operator=True))
        assert (ours.nick, ours.token, ours.seq, ours.nonce) == ("ada2", "secret", 7, "once")
        assert ours.in_room
        assert ours.is_operator

    def test_it_is_shown_what_was_said_before(self) -> None:
        history = [said(2), said(5)]
        assert told(connected(), welcome(7, history=history)) == [welcome(7, history=history), *history]

    def test_it_may_ask_for_another_nickname_after_a_refusal(self) -> None:
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
    def test_it_understands_that_it_was_turned_away_at_the_door(self, line: bytes, reason: str) -> None:
        assert connected().receive(line) == [Goodbye("refused", reason)]

    def test_client_greeted_before_its_hello_skips_the_greeting(self) -> None:
        ours = connected()
        assert ours.receive(b"*** this is a chat room\n\xff\xfe\n") == []
        assert told(ours, Refused("nickname-taken", "ada is taken"))

    def test_it_may_be_turned_away_when_it_comes_back(self) -> None:
        ours = in_room()
        ours.disconnected()
        ours.connected()
        assert ours.receive(b"*** goodbye: the room is full\n") == [Goodbye("refused", "the room is full")]

    def test_three_stars_mean_nothing_once_the_server_has_spoken_our_dialect(self) -> None:
        ours = connected()
        told(ours, Refused("nickname-taken", "ada is taken"))
        assert ours.receive(b"*** goodbye: imitated\n") == []

    def test_other_plain_lines_mean_nothing(self) -> None:
        assert connected().receive(b"Connected to chat server\nbob: *** hi\n") == []


class TestSaying:
    def test_a_line_is_unacknowledged_until_it_is_heard(self) -> None:
        ours = in_room()
        id = ours.say("hi")
        assert sent(ours) == [Say(id, "hi")]
        assert list(ours.unacknowledged) == [id]
        assert told(ours, said(1, "hi", id, "ada")) == [said(1, "hi", id, "ada")]
        assert ours.unacknowledged == {}

    def test_a_refusal_is_an_answer_too(self) -> None:
        ours = in_room()
        id = ours.say("")
        told(ours, Refused("empty", "nothing", id))
        assert ours.unacknowledged == {}

    def test_what_is_said_before_it_is_in_the_room_is_sent_once_it_is(self) -> None:
        ours = ClientConnection("ada", ids())
        first = ours.say("early")
        ours.connected()
        second = ours.say("waves", action=True)
        assert sent(ours) == [Hello("ada")]
        told(ours, welcome())
        assert sent(ours) == [Say(first, "early"), Say(second, "waves", action=True)]

    def test_what_was_not_acknowledged_is_said_again_in_its_order_with_its_ids(self) -> None:
        ours = in_room()
        lines = [ours.say(text) for text in ("one", "two", "three")]
        told(ours, said(1, "one", lines[0], "ada"))
        again(ours, welcome(1, resumed=True))
        assert sent(ours) == [Say(lines[1], "two"), Say(lines[2], "three")]

    def test_what_the_welcome_brings_back_of_its_own_is_not_said_again(self) -> None:
        ours = in_room()
        id = ours.say("hi")
        again(ours, welcome(1, resumed=True, history=[said(1, "hi", id, "ada")]))
        assert sent(ours) == []

    def test_an_answer_given_once_more_acknowledges_and_is_not_heard_twice(self) -> None:
        ours = in_room()
        id = ours.say("hi")
        again(ours, welcome(9, resumed=True, missed=9))
        assert told(ours, said(5, "hi", id, "ada")) == []
        assert ours.unacknowledged == {}

    def test_an_id_is_never_used_again(self) -> None:
        ours = in_room()
        assert len({ours.say("hi") for _ in range(100)}) == 100


class TestComingBack:
    def test_it_says_whom_it_was_and_what_it_saw_last(self) -> None:
        ours = in_room()
        told(ours, said(1), said(2))
        ours.disconnected()
        assert not ours.in_room
        ours.connected()
        assert sent(ours) == [Hello("ada", Resume("t", 2))]

    def test_half_a_line_of_the_old_connection_is_forgotten(self) -> None:
        ours = in_room()
        ours.receive(json_lines.encode(said(1))[:-5])
        assert again(ours, welcome(1, resumed=True, history=[said(1)]))[1:] == [said(1)]

    def test_what_was_missed_comes_out_as_if_it_had_been_heard(self) -> None:
        ours = in_room()
        told(ours, said(1))
        missed = [said(2), Presence(3, 0.0, ["cleo"]), Notice("hear", 4)]
        assert again(ours, welcome(4, resumed=True, history=missed))[1:] == missed
        assert told(ours, said(5)) == [said(5)]

    def test_what_is_lost_is_a_gap_before_the_rest(self) -> None:
        ours = in_room()
        told(ours, said(1))
        assert again(ours, welcome(9, resumed=True, missed=6, history=[said(8), said(9)]))[1:] == [
            Gap(6),
            said(8),
            said(9),
        ]

    def test_to_a_server_that_was_started_anew_it_is_new_and_nobody_knows_how_much_is_lost(self) -> None:
        ours = in_room(100)
        id = ours.say("unheard")
        heard = again(ours, welcome(2, token="new", history=[said(2)]))
        assert heard[1:] == [Gap(None), said(2)]
        assert (ours.token, ours.seq) == ("new", 2)
        assert sent(ours) == [Say(id, "unheard")]

    def test_it_goes_by_the_name_of_the_welcome_whatever_the_history_tells_of_its_old_one(self) -> None:
        ours = in_room()
        history = [
            Presence(1, 0.0, left=["ada"]),
            Presence(2, 0.0, joined=["ada"]),
            Presence(3, 0.0, renamed=[("ada", "bob")]),
        ]
        again(ours, welcome(3, resumed=True, history=history))
        assert ours.nick == "ada"


class TestWhatIsKnown:
    def test_the_roster_follows_what_is_told(self) -> None:
        ours = in_room()
        told(ours, People(0, ["ada", "bob", "cleo"]))
        told(ours, Presence(1, 0.0, joined=["dan", "bob"], left=["bob"], renamed=[("cleo", "eve")]))
        assert ours.people == {"ada", "bob", "dan", "eve"}

    def test_two_may_swap_their_names(self) -> None:
        ours = in_room()
        told(ours, People(0, ["ada", "bob"]), Presence(1, 0.0, renamed=[("ada", "bob"), ("bob", "ada")]))
        assert ours.people == {"ada", "bob"}
        assert ours.nick == "bob"

    def test_a_roster_of_the_past_is_not_taken_for_the_present(self) -> None:
        ours = in_room(5)
        told(ours, People(5, ["ada"]), Presence(6, 0.0, joined=["bob"]), People(5, ["ada"]))
        assert ours.people == {"ada", "bob"}

    def test_its_own_renaming_is_known_once_it_is_told(self) -> None:
        ours = in_room()
        ours.rename("eve")
        assert sent(ours) == [Rename("eve")]
        assert ours.nick == "ada"
        told(ours, Presence(1, 0.0, renamed=[("ada", "eve")]))
        assert ours.nick == "eve"

    def test_the_last_status_is_kept(self) -> None:
        ours = in_room()
        status = Status("thread", 3, "thread 2")
        assert told(ours, status) == [status]
        assert ours.status == status


def test_what_is_to_be_sent_is_given_once() -> None:
    ours = in_room()
    ours.who()
    ours.ping("p")
    assert sent(ours) == [Who(), Ping("p")]
    assert ours.data_to_send() == b""


@given(sendable_text)
def test_whatever_a_person_types_goes_out_as_one_line_of_json(text: str) -> None:
    ours = in_room()
    ours.say(text)
    (line,) = ours.data_to_send().splitlines(keepends=True)
    assert json.loads(line)["text"] == text
