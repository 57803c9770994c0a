"""Tests of returning members and repeated lines."""

import tracemalloc

from protocol import json_lines
from protocol.client import MAX_EVENT_BYTES
from protocol.messages import Goodbye, Hello, Ping, Refused, Resume, Said, Say, Welcome
from server.room.admission import MIN_REPLAY_BYTES
from server.room.history import MAX_REPLAY_BYTES
from server.room.roster import ESTABLISHED_S, MAX_FORMER
from server.room.state import REPLAY_KIB_AT_ONCE
from tests.server.guests import Party
from tests.server.without_sockets import House, hello, only, plain, rich


class TestComingBack:
    def test_brings_exactly_the_missed_events(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        bob = plain(house, "bob")
        house.send(bob, "one")
        seen = house.events(ada)[-1]
        assert isinstance(seen, Said)
        house.close(ada)
        house.send(bob, "two", "three")
        house.step(1.0)
        back = hello(house, house.open(), "ada", welcome.token, seen.seq)
        assert back.resumed
        assert back.missed == 0
        assert [event.seq for event in back.history] == list(range(seen.seq + 1, back.seq + 1))
        assert [event.text for event in back.history if isinstance(event, Said)] == ["two", "three"]

    def test_beyond_the_history_tells_the_number_of_lost_events(self) -> None:
        house = House(keep=5)
        ada, welcome = rich(house, "ada")
        bob = plain(house, "bob")
        house.close(ada)
        house.send(bob, *(f"line {number}" for number in range(20)))
        house.step()
        back = hello(house, house.open(), "ada", welcome.token, welcome.seq)
        assert len(back.history) == 5
        assert back.missed == back.seq - welcome.seq - 5

    def test_beyond_a_welcome_brings_the_newest_and_tells_the_rest(self) -> None:
        house = House(keep=100_000)
        ada, welcome = rich(house, "ada")
        bob = plain(house, "bob")
        house.close(ada)
        for number in range(2000):
            house.room.apply(bob, Say("", f"{number} " + "x" * 1900), house.now)
        house.step(), house.taken(bob)
        new = house.open()
        house.send(new, Hello("ada", Resume(welcome.token, 0)))
        house.step()
        data = house.taken(new)
        assert len(data) < MAX_REPLAY_BYTES + 4096 < MAX_EVENT_BYTES
        back = json_lines.decode_event(data.splitlines()[0])
        assert isinstance(back, Welcome)
        assert back.missed > 0
        assert [event.seq for event in back.history] == list(range(back.missed + 1, back.seq + 1))

    def test_after_more_than_there_is_finds_nothing_missed(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        house.close(ada)
        back = hello(house, house.open(), "ada", welcome.token, 2**53)
        assert (back.resumed, back.history, back.missed) == (True, [], 0)

    def test_with_a_made_up_token_is_coming_new(self) -> None:
        house = House()
        rich(house, "ada")
        number = house.open()
        house.send(number, Hello("ada", Resume("made up", 0)))
        (refused,) = house.events(number)
        assert isinstance(refused, Refused)
        welcome = hello(house, number, "bob", "made up")
        assert not welcome.resumed
        assert welcome.token != "made up"

    def test_before_the_old_connection_ends_takes_it_over_unnoticed(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        bob = plain(house, "bob")
        house.taken(ada), house.taken(bob)
        new = house.open()
        assert hello(house, new, "ada", welcome.token, welcome.seq).you == "ada"
        assert only(Goodbye, house.events(ada)) == [Goodbye("taken-over", "you are here on another connection now")]
        house.send(new, Say("1", "still me"))
        house.step(1.0)
        assert house.heard(bob) == ["ada: still me"]

    def test_replaced_connection_is_ignored_and_gets_nothing(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        new = house.open()
        house.send(new, Hello("ada", Resume(welcome.token, 0)))
        house.send(ada, Say("1", "ghost"), Hello("ghost"), Ping("2"))
        assert house.events(ada)[-1] == Goodbye("taken-over", "you are here on another connection now")
        assert not only(Said, house.events(new))

    def test_within_a_moment_is_not_mentioned_to_anybody(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        bob = plain(house, "bob")
        house.taken(bob)
        house.close(ada)
        hello(house, house.open(), "ada", welcome.token, welcome.seq)
        house.step(1.0)
        assert house.heard(bob) == []

    def test_to_a_name_that_was_taken_meanwhile_gets_one_like_it(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        house.close(ada)
        plain(house, "ada")
        back = hello(house, house.open(), "ada", welcome.token, welcome.seq)
        assert (back.you, back.asked, back.resumed) == ("ada2", "ada", True)

    def test_after_thousands_passed_by_is_still_coming_back(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        house.step(ESTABLISHED_S)
        house.close(ada)
        for number in range(MAX_FORMER + 10):
            house.close(rich(house, f"n{number}")[0])
        assert hello(house, house.open(), "ada", welcome.token, 0).resumed

    def test_costs_little_while_one_is_away(self) -> None:
        house = House(keep=10, history=0)
        visits, lines, text = 200, 9, "x" * 1999 + "\U0001f600"
        tracemalloc.start()
        for visit in range(visits):
            number, _ = rich(house, f"n{visit}")
            house.send(number, *(Say(str(line), text) for line in range(lines)))
            house.step()
            house.close(number)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size < visits * 8192


class TestTheSameLineTwice:
    def test_is_answered_with_the_first_result_and_heard_once(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        bob = plain(house, "bob")
        house.step(1.0), house.taken(ada), house.taken(bob)
        house.send(ada, Say("1", "hi"))
        first = house.events(ada)
        house.send(ada, Say("1", "something else"))
        assert house.events(ada) == first
        assert house.heard(bob) == ["ada: hi"]

    def test_after_a_reconnect_too(self) -> None:
        house = House()
        ada, welcome = rich(house, "ada")
        house.send(ada, Say("1", "hi"))
        (first,) = only(Said, house.events(ada))
        house.close(ada)
        new = house.open()
        hello(house, new, "ada", welcome.token, 0)
        house.send(new, Say("1", "hi"))
        assert only(Said, house.events(new)) == [first]

    def test_is_acknowledged_after_the_line_left_the_history(self) -> None:
        house = House(keep=2)
        ada, _ = rich(house, "ada")
        bob = plain(house, "bob")
        house.send(ada, Say("1", "hi", action=True))
        (first,) = only(Said, house.events(ada))
        house.send(bob, "one", "two", "three")
        house.step(), house.taken(ada), house.taken(bob)
        house.send(ada, Say("1", "hi", action=True))
        assert house.events(ada) == [first]
        assert house.heard(bob) == []

    def test_from_somebody_else_is_another_line(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        bob, _ = rich(house, "bob")
        house.send(ada, Say("1", "hi"))
        house.send(bob, Say("1", "hi"))
        assert [(said.nick) for said in only(Said, house.events(bob))] == ["ada", "bob"]

    def test_without_an_id_there_is_no_telling(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.send(ada, Say("", "hi"), Say("", "hi"))
        assert len(only(Said, house.events(ada))) == 2


def test_a_flood_of_resumes_from_an_address_is_cut_short() -> None:
    """Each welcome has at least the newest events, and tells how many are missing. Other addresses get all events."""
    party = Party()
    for number in range(600):
        party.say("boss", f"{number} " + "x" * 1900)
    for number in range(60):
        party.join(f"eve{number}", host="192.0.2.7")
        party.close(party.numbers[f"eve{number}"])
    brought = 0
    for number in range(60):
        (welcome,) = only(Welcome, party.join(f"eve{number}", host="192.0.2.7", token=party.tokens[f"eve{number}"]))
        brought += sum(len(event.text) for event in welcome.history if isinstance(event, Said))
    assert welcome.history
    assert welcome.history[-1].seq == welcome.seq
    assert welcome.history[0].seq == welcome.missed + 1
    assert brought <= (REPLAY_KIB_AT_ONCE * 1024 + 60 * MIN_REPLAY_BYTES)
    party.join("ada", host="192.0.2.8")
    (other,) = only(Welcome, party.join("ada", host="192.0.2.8", token=party.tokens["ada"]))
    assert len(other.history) > 2 * len(welcome.history)
