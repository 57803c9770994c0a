import pytest

from protocol.messages import (
    Mute,
    Notice,
    People,
    Ping,
    Pong,
    Presence,
    Refused,
    Rename,
    Said,
    Say,
    Slow,
    Status,
    StatusRequest,
    Where,
    Who,
)
from tests.server.guests import Party, only


@pytest.fixture
def party() -> Party:
    party = Party()
    for nick in ("ada", "bob"):
        party.join(nick)
    party.later(1)
    party.drain()
    return party


def test_line_and_its_id_go_to_all_members(party: Party) -> None:
    party.send(party.numbers["ada"], Say("7", "hello"))
    for nick in ("ada", "bob", "boss"):
        (said,) = only(Said, party.hears(nick))
        assert (said.nick, said.text, said.id) == ("ada", "hello", "7")


def test_repeated_line_is_answered_again_and_sent_once(party: Party) -> None:
    first = only(Said, party.ask("ada", Say("7", "hello")))
    again = only(Said, party.ask("ada", Say("7", "hello")))
    assert first == again
    assert len(only(Said, party.hears("bob"))) == 1


def test_without_an_id_there_is_no_telling(party: Party) -> None:
    party.ask("ada", Say("", "hello"), Say("", "hello"))
    assert len(only(Said, party.hears("bob"))) == 2


def test_line_refused_by_slow_mode_can_be_repeated_later(party: Party) -> None:
    party.order(Slow(30))
    party.say("ada", "one", "1")
    assert party.say("ada", "two", "2") is not None
    party.later(30)
    assert party.say("ada", "two", "2") is None
    assert [said.text for said in only(Said, party.hears("bob"))][-1:] == ["two"]


def test_a_line_that_was_refused_for_good_stays_refused(party: Party) -> None:
    party.order(Mute("ada"))
    assert party.say("ada", "psst", "1") is not None
    party.order(Mute("ada", on=False))
    assert party.say("ada", "psst", "1") is not None
    assert party.say("ada", "hello", "2") is None


def test_a_newcomers_first_line_comes_after_its_coming(party: Party) -> None:
    party.join("eve")
    party.send(party.numbers["eve"], Say("", "hi"))
    kinds = [type(event) for event in party.hears("bob") if isinstance(event, Presence | Said)]
    assert kinds == [Presence, Said]


def test_a_rename_is_told_once_and_to_a_free_name_only(party: Party) -> None:
    (refused,) = only(Refused, party.ask("ada", Rename("bob")))
    assert refused.code == "nickname-taken"
    assert refused.suggestion
    party.ask("ada", Rename("lovelace"))
    party.step(0.5)
    assert [event.renamed for event in only(Presence, party.hears("bob"))] == [[("ada", "lovelace")]]


def test_people_are_listed_in_order(party: Party) -> None:
    (people,) = only(People, party.ask("bob", Who()))
    assert people.people == ["ada", "bob", "boss"]


def test_status_tells_the_server_of_its_member(party: Party) -> None:
    party.join("eve", served_by="process 4321")
    (status,) = only(Status, party.ask("eve", StatusRequest()))[-1:]
    assert (status.served_by, status.connections, status.people) == ("process 4321", 4, 4)
    assert (status.processes, status.threads, status.memory) == (1, 1, 2**20)


def test_where_describes_the_member_and_the_room(party: Party) -> None:
    party.join("eve", served_by="process 4321")
    (notice,) = only(Notice, party.ask("eve", Where()))
    assert notice.seq == 0
    assert notice.text == (
        "you: process 4321 · 0 KiB; everybody: 4 connections by the event model, 1 process, 1 thread, 1.0 MiB"
    )
    assert not only(Notice, party.hears("ada"))


def test_a_ping_comes_back_after_the_answers_before_it(party: Party) -> None:
    told = party.ask("ada", Who(), Ping("7"))
    assert [type(event) for event in told[-2:]] == [People, Pong]
    assert told[-1] == Pong("7")
