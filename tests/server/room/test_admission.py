import pytest

from protocol.messages import Goodbye, Hello, Presence, Refused, Rename, Resume, Said, Say, Welcome
from tests.server.guests import Party, only


@pytest.fixture
def party() -> Party:
    party = Party()
    party.join("ada")
    return party


def test_welcome_tells_nickname_and_served_by(party: Party) -> None:
    (welcome,) = only(Welcome, party.join("bob", served_by="thread 7"))
    assert (welcome.you, welcome.served_by, welcome.connections) == ("bob", "thread 7", 3)
    assert welcome.token
    assert welcome.nonce
    assert not welcome.resumed
    assert not welcome.operator


def test_second_hello_on_one_connection_is_refused(party: Party) -> None:
    refused = only(Refused, party.ask("ada", Hello("eve")))
    assert [event.code for event in refused] == ["already-joined"]
    assert party.room.roster.find_holder("eve") is None


def test_taken_nickname_is_refused_with_a_free_suggestion(party: Party) -> None:
    (refused,) = only(Refused, party.join("ada"))
    assert refused.code == "nickname-taken"
    assert only(Welcome, party.join(refused.suggestion))[0].you == refused.suggestion


@pytest.mark.parametrize("nick", ["ADA", "аda"])
def test_lookalike_nickname_is_refused_and_counted_once(party: Party, nick: str) -> None:
    before = party.room.stats.totals.refused
    (refused,) = only(Refused, party.join(nick))
    assert refused.code == "nickname-taken"
    assert "ada" in refused.reason
    assert party.room.stats.totals.look_alikes == 1
    assert party.room.stats.totals.refused == before + 1


@pytest.mark.parametrize("nick", ["ADA", "аda"])
def test_lookalike_nickname_of_a_plain_client_is_counted(party: Party, nick: str) -> None:
    before = party.room.stats.totals.refused
    party.send(party.open(), nick)
    party.send(party.open(), "bob")
    assert party.room.stats.totals.look_alikes == 1
    assert party.room.stats.totals.refused == before


def test_a_plain_client_gets_a_free_nickname_and_is_told_so(party: Party) -> None:
    number = party.open()
    party.send(number, "ada")
    lines = party.heard(number)
    assert lines[0] == "Connected to chat server"
    assert lines[1].startswith("*** ada is taken, so you are ada")


def test_resume_replaces_the_old_connection(party: Party) -> None:
    old = party.numbers["ada"]
    party.numbers["old ada"] = old
    (welcome,) = only(Welcome, party.join("ada", token=party.tokens["ada"]))
    assert welcome.resumed
    assert [event.code for event in only(Goodbye, party.hears("old ada"))] == ["taken-over"]
    assert len(list(party.room.roster.present())) == 2


def test_resume_brings_exactly_the_missed_events(party: Party) -> None:
    party.say("boss", "before")
    seen = party.room.history.seq
    party.close(party.numbers["ada"])
    for text in ("one", "two"):
        party.say("boss", text)
    number = party.open()
    party.send(number, Hello("ada", Resume(party.tokens["ada"], seen)))
    (welcome,) = only(Welcome, party.events(number))
    assert [said.text for said in only(Said, list(welcome.history))] == ["one", "two"]
    assert welcome.missed == 0


@pytest.mark.parametrize("token", ["token-999", "token", "x" * 1000])
def test_a_token_that_is_nobodys_is_a_newcomers(party: Party, token: str) -> None:
    (welcome,) = only(Welcome, party.join("eve", token=token))
    assert not welcome.resumed
    assert welcome.token != token


def test_resume_with_a_taken_nickname_gets_a_free_one(party: Party) -> None:
    token = party.tokens["ada"]
    party.close(party.numbers["ada"])
    party.later(1)
    party.join("ada")
    (welcome,) = only(Welcome, party.join("ada", token=token))
    assert welcome.resumed
    assert welcome.you != "ada"


def test_newcomer_with_a_nickname_just_released_is_no_rename(party: Party) -> None:
    party.join("bob")
    party.later(1)
    party.ask("ada", Rename("lovelace"))
    party.join("ada")
    events = only(Presence, party.hears("bob"))
    assert [("ada", "lovelace")] in [event.renamed for event in events]
    party.later(1)
    assert party.room.roster.find_holder("ada") is not party.room.roster.find_holder("lovelace")


def test_before_the_hello_nothing_else_is_heard(party: Party) -> None:
    number = party.open()
    party.send(number, Say("1", "let me in"))
    assert [event.code for event in only(Refused, party.events(number))] == ["not-joined"]
