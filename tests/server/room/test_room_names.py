"""Tests of nicknames, and of the presence events that announce them."""

import pytest

from protocol.messages import (
    Hello,
    Presence,
    Refused,
    Rename,
    Resume,
    Said,
    Welcome,
)
from server.room.room import TICK
from tests.server.people import hello, only, plain, rich
from tests.server.without_sockets import House


class TestNicknames:
    def test_a_plain_newcomer_gets_a_free_one_like_it_and_is_told(self) -> None:
        house = House()
        plain(house, "ada")
        second = house.open()
        house.send(second, "ada")
        assert "*** ada is taken, so you are ada2; /nick NAME changes it" in house.heard(second)

    @pytest.mark.parametrize("nick", ["ada", "ADA", "аda", "ＡＤＡ"])
    def test_a_rich_newcomer_is_refused_and_told_a_free_one(self, nick: str) -> None:
        house = House()
        plain(house, "ada")
        second = house.open()
        house.send(second, Hello(nick))
        (refused,) = house.events(second)
        assert isinstance(refused, Refused)
        assert refused.code == "nickname-taken"
        assert hello(house, second, refused.suggestion).you == refused.suggestion

    def test_of_two_who_ask_in_the_same_moment_one_gets_it(self) -> None:
        house = House()
        one, other = house.open(), house.open()
        house.send(one, Hello("ada"))
        house.send(other, Hello("ada"))
        assert only(Welcome, house.events(one))
        assert only(Refused, house.events(other))

    def test_who_asks_for_one_that_looks_like_anothers_is_told_whose(self) -> None:
        house = House()
        (iris, _), _ = rich(house, "iris"), rich(house, "lris")
        house.events(iris)
        house.send(iris, Rename("Iris"))
        (refused,) = only(Refused, house.events(iris))
        assert isinstance(refused, Refused)
        assert refused.reason == "Iris looks like lris, who is here"

    def test_it_is_free_again_once_its_holder_has_left(self) -> None:
        house = House()
        house.close(plain(house, "ada"))
        assert rich(house, "ada")[1].you == "ada"

    def test_a_new_one_may_be_the_old_one_written_differently(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.send(ada, Rename("Ada"))
        house.turn(1.0)
        (presence,) = only(Presence, house.events(ada))
        assert presence.renamed == [("ada", "Ada")]

    def test_names_may_move_along_a_chain_between_two_tellings(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        cleo, _ = rich(house, "cleo")
        house.events(ada)
        house.send(ada, Rename("bob"))
        house.send(cleo, Rename("ada"))
        house.turn(1.0)
        (presence,) = only(Presence, house.events(ada))
        assert presence.renamed == [("ada", "bob"), ("cleo", "ada")]

    def test_who_comes_back_under_another_name_and_takes_the_old_one_again_hears_of_it(self) -> None:
        house = House()
        bob, welcome = rich(house, "bob")
        rich(house, "ada")
        house.close(bob)
        back = house.open()
        house.send(back, Hello("ada", Resume(welcome.token, 0)), Rename("bob"))
        house.turn(1.0)
        events = house.events(back)
        assert [event.you for event in only(Welcome, events)] == ["ada2"]
        assert [("ada2", "bob")] in [event.renamed for event in only(Presence, events)]

    def test_who_takes_a_name_that_was_just_given_up_does_not_follow_the_renaming(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.send(ada, Rename("bob"))
        newcomer = house.open()
        welcome = hello(house, newcomer, "ada")
        house.turn(1.0)
        assert welcome.you == "ada"
        assert all("ada" not in dict(presence.renamed) for presence in only(Presence, house.events(newcomer)))

    def test_who_changes_its_name_before_its_coming_was_told_hears_of_the_change(self) -> None:
        house = House()
        number = house.open()
        house.send(number, Hello("ada"), Rename("bob"))
        house.turn(1.0)
        told = only(Presence, house.events(number))
        assert [("ada", "bob")] in [presence.renamed for presence in told]


class TestPresence:
    def test_a_thousand_who_join_at_once_are_told_in_one_event(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.turn(1.0)
        for _ in range(1000):
            number = house.open()
            house.send(number, f"n{number}")
        house.turn(1.0)
        (presence,) = only(Presence, house.events(ada))
        assert len(presence.joined) == 1000

    def test_it_is_told_at_most_four_times_a_second(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        for hundredth in range(100):
            number = house.open()
            house.send(number, f"n{hundredth}")
            house.turn(0.01)
            house.close(number)
            house.turn(0.01)
        assert len(only(Presence, house.events(ada))) <= 4 * 2 + 1

    def test_who_speaks_at_once_is_announced_first(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        bob = house.open()
        house.send(bob, b"bob\nhi\n")
        house.now += TICK / 2
        presence, said, *_ = house.events(ada)
        assert isinstance(presence, Presence)
        assert isinstance(said, Said)
        assert presence.joined == ["bob"]

    def test_a_clock_that_is_set_back_does_not_stop_it(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.now -= 500.0
        bob = house.open()
        house.send(bob, "bob")
        assert only(Presence, house.events(ada))
