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
from server.room.room import TICK_S
from tests.server.without_sockets import House, hello, only, plain, rich


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

    def test_of_two_simultaneous_requests_one_succeeds(self) -> None:
        house = House()
        one, other = house.open(), house.open()
        house.send(one, Hello("ada"))
        house.send(other, Hello("ada"))
        assert only(Welcome, house.events(one))
        assert only(Refused, house.events(other))

    def test_lookalike_is_refused_with_the_holder(self) -> None:
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
        house.step(1.0)
        (presence,) = only(Presence, house.events(ada))
        assert presence.renamed == [("ada", "Ada")]

    def test_names_may_move_along_a_chain_between_two_tellings(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        cleo, _ = rich(house, "cleo")
        house.events(ada)
        house.send(ada, Rename("bob"))
        house.send(cleo, Rename("ada"))
        house.step(1.0)
        (presence,) = only(Presence, house.events(ada))
        assert presence.renamed == [("ada", "bob"), ("cleo", "ada")]

    def test_returning_member_is_told_of_a_rename_to_its_old_name(self) -> None:
        house = House()
        bob, welcome = rich(house, "bob")
        rich(house, "ada")
        house.close(bob)
        back = house.open()
        house.send(back, Hello("ada", Resume(welcome.token, 0)), Rename("bob"))
        house.step(1.0)
        events = house.events(back)
        assert [event.you for event in only(Welcome, events)] == ["ada2"]
        assert [("ada2", "bob")] in [event.renamed for event in only(Presence, events)]

    def test_new_holder_of_a_released_nickname_is_not_renamed(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.send(ada, Rename("bob"))
        newcomer = house.open()
        welcome = hello(house, newcomer, "ada")
        house.step(1.0)
        assert welcome.you == "ada"
        assert all("ada" not in dict(presence.renamed) for presence in only(Presence, house.events(newcomer)))

    def test_rename_before_the_join_is_announced_is_told(self) -> None:
        house = House()
        number = house.open()
        house.send(number, Hello("ada"), Rename("bob"))
        house.step(1.0)
        told = only(Presence, house.events(number))
        assert [("ada", "bob")] in [presence.renamed for presence in told]


class TestPresence:
    def test_thousand_joins_at_once_are_one_event(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.step(1.0)
        for _ in range(1000):
            number = house.open()
            house.send(number, f"n{number}")
        house.step(1.0)
        (presence,) = only(Presence, house.events(ada))
        assert len(presence.joined) == 1000

    def test_it_is_told_at_most_four_times_a_second(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        for hundredth in range(100):
            number = house.open()
            house.send(number, f"n{hundredth}")
            house.step(0.01)
            house.close(number)
            house.step(0.01)
        assert len(only(Presence, house.events(ada))) <= 4 * 2 + 1

    def test_join_is_announced_before_the_first_line(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        bob = house.open()
        house.send(bob, b"bob\nhi\n")
        house.now += TICK_S / 2
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
