from server.room.away import KEPT_MEMBERS
from server.room.member import Member
from server.room.names import keys
from server.room.roster import Roster


def seated(roster: Roster, nick: str, seat: int = 1) -> Member:
    member = Member(f"token of {nick}", nick)
    roster.enter(member, nick, seat)
    return member


class TestNames:
    def test_a_name_is_taken_with_all_that_looks_like_it(self) -> None:
        roster = Roster()
        ada = seated(roster, "paypal")
        assert not roster.free_for(None, "paypaI")
        assert roster.named("PAYPAL") is ada
        assert roster.named("bob") is None

    def test_who_stands_in_the_way_of_a_new_name_is_somebody_else(self) -> None:
        roster = Roster()
        iris, lris = seated(roster, "iris", 1), seated(roster, "lris", 2)
        assert not roster.free_for(iris, "Iris")
        assert roster.named("Iris", besides=iris) is lris
        assert roster.named("Iris", besides=lris) is iris

    def test_who_holds_a_name_may_write_it_in_another_way(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        assert roster.free_for(ada, "Ada")
        roster.rename(ada, "Ada")
        assert ada.nick == "Ada"
        assert not roster.free_for(None, "ada")

    def test_a_name_that_was_given_up_is_free(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        roster.rename(ada, "bob")
        assert roster.free_for(None, "ada")
        roster.leave(ada, 0.0)
        assert roster.free_for(None, "bob")

    def test_a_suggested_name_is_free(self) -> None:
        roster = Roster()
        seated(roster, "ada", 1)
        seated(roster, "ada2", 2)
        assert roster.suggest("ada", 24) == "ada3"

    def test_a_name_that_two_keys_stand_for_is_wholly_free_when_given_up(self) -> None:
        roster = Roster()
        member = seated(roster, "0Il1")
        assert len(keys("0Il1")) > 1
        roster.leave(member, 0.0)
        assert all(roster.free_for(None, nick) for nick in ("0Il1", "oIl1", "0lll", "OIL1"))


class TestComingAndGoing:
    def test_those_present_are_told_in_the_order_they_came(self) -> None:
        roster = Roster()
        people = [seated(roster, nick, seat) for seat, nick in enumerate(["cleo", "ada", "bob"], start=1)]
        assert list(roster.present()) == people
        assert len(roster) == 3

    def test_who_left_is_remembered_without_a_seat(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        roster.leave(ada, 0.0)
        assert len(roster) == 0
        assert roster.find(ada.token) is ada
        assert ada.seat == 0

    def test_who_comes_back_is_present_again(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        roster.leave(ada, 0.0)
        roster.enter(ada, "ada", 7)
        assert list(roster.present()) == [ada]
        assert ada.seat == 7

    def test_a_made_up_token_finds_nobody(self) -> None:
        assert Roster().find("made up") is None

    def test_who_is_present_is_never_forgotten(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        for number in range(KEPT_MEMBERS + 10):
            roster.leave(seated(roster, f"n{number}", 2), 0.0)
        assert roster.find(ada.token) is ada


def test_former_of_a_member_that_is_back_is_none() -> None:
    roster, ada = Roster(), Member("token", "ada")
    roster.enter(ada, "ada", 1)
    roster.leave(ada, 1.0)
    assert roster.former("ada", 2.0) is ada
    roster.enter(ada, "ada", 2)
    assert roster.former("ada", 2.0) is None
