from protocol.messages import Refused
from server.room.member import ESTABLISHED_S, Member
from server.room.names import keys
from server.room.roster import MAX_FORMER, FormerMembers, Roster


def seated(roster: Roster, nick: str, seat: int = 1) -> Member:
    member = Member(f"token of {nick}", nick)
    roster.enter(member, nick, seat)
    return member


class TestNames:
    def test_a_name_is_taken_with_all_that_looks_like_it(self) -> None:
        roster = Roster()
        ada = seated(roster, "paypal")
        assert not roster.is_free_for(None, "paypaI")
        assert roster.find_holder("PAYPAL") is ada
        assert roster.find_holder("bob") is None

    def test_holder_of_a_new_nickname_is_another_member(self) -> None:
        roster = Roster()
        iris, lris = seated(roster, "iris", 1), seated(roster, "lris", 2)
        assert not roster.is_free_for(iris, "Iris")
        assert roster.find_holder("Iris", other_than=iris) is lris
        assert roster.find_holder("Iris", other_than=lris) is iris

    def test_member_can_change_the_case_of_its_nickname(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        assert roster.is_free_for(ada, "Ada")
        roster.rename(ada, "Ada")
        assert ada.nick == "Ada"
        assert not roster.is_free_for(None, "ada")

    def test_a_name_that_was_given_up_is_free(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        roster.rename(ada, "bob")
        assert roster.is_free_for(None, "ada")
        roster.leave(ada, 0.0)
        assert roster.is_free_for(None, "bob")

    def test_a_suggested_name_is_free(self) -> None:
        roster = Roster()
        seated(roster, "ada", 1)
        seated(roster, "ada2", 2)
        assert roster.suggest("ada", 24) == "ada3"

    def test_released_nickname_with_two_keys_is_wholly_free(self) -> None:
        roster = Roster()
        member = seated(roster, "0Il1")
        assert len(keys("0Il1")) > 1
        roster.leave(member, 0.0)
        assert all(roster.is_free_for(None, nick) for nick in ("0Il1", "oIl1", "0lll", "OIL1"))


class TestComingAndGoing:
    def test_those_present_are_told_in_the_order_they_came(self) -> None:
        roster = Roster()
        people = [seated(roster, nick, seat) for seat, nick in enumerate(["cleo", "ada", "bob"], start=1)]
        assert list(roster.present()) == people
        assert len(roster) == 3

    def test_former_member_has_no_connection(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        roster.leave(ada, 0.0)
        assert len(roster) == 0
        assert roster.find(ada.token) is ada
        assert ada.connection_id == 0

    def test_returning_member_is_present_again(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        roster.leave(ada, 0.0)
        roster.enter(ada, "ada", 7)
        assert list(roster.present()) == [ada]
        assert ada.connection_id == 7

    def test_unknown_token_finds_no_member(self) -> None:
        assert Roster().find("made up") is None

    def test_present_member_is_never_dropped(self) -> None:
        roster = Roster()
        ada = seated(roster, "ada")
        for number in range(MAX_FORMER + 10):
            roster.leave(seated(roster, f"n{number}", 2), 0.0)
        assert roster.find(ada.token) is ada


def test_former_of_a_member_that_is_back_is_none() -> None:
    roster, ada = Roster(), Member("token", "ada")
    roster.enter(ada, "ada", 1)
    roster.leave(ada, 1.0)
    assert roster.find_former("ada", 2.0) is ada
    roster.enter(ada, "ada", 2)
    assert roster.find_former("ada", 2.0) is None


def passer_by(nick: str) -> Member:
    return Member(nick, nick, stayed=1.0)


def speaker(nick: str) -> Member:
    return Member(nick, nick, stayed=1.0, results={"1": Refused("muted", "you are muted", "1")})


def reader(nick: str) -> Member:
    return Member(nick, nick, stayed=ESTABLISHED_S)


def operator(nick: str) -> Member:
    return Member(nick, nick, operator=True)


def test_former_member_is_found_until_it_returns() -> None:
    former, ada = FormerMembers(), passer_by("ada")
    former.add(ada)
    assert former.find("ada") is ada
    former.remove("ada")
    assert former.find("ada") is None
    former.remove("ada")


def test_of_those_alike_the_last_are_remembered() -> None:
    former = FormerMembers()
    for number in range(MAX_FORMER + 10):
        former.add(passer_by(f"{number}"))
    assert former.find("9") is None
    assert former.find("10") is not None


def test_former_members_are_dropped_by_rank_operators_last() -> None:
    kinds = [operator, reader, speaker, passer_by]
    former = FormerMembers()
    for kind in kinds:
        former.add(kind(kind.__name__))
    for forgotten in reversed(kinds):
        assert former.find(forgotten.__name__) is not None
        for number in range(MAX_FORMER + 1):
            former.add(forgotten(f"{number}"))
        assert former.find(forgotten.__name__) is None
        for kept in kinds[: kinds.index(forgotten)]:
            assert former.find(kept.__name__) is not None


def test_former_members_of_all_ranks_are_bounded_together() -> None:
    former = FormerMembers()
    for number in range(2 * MAX_FORMER):
        former.add([passer_by, speaker, reader, operator][number % 4](f"{number}"))
    assert sum(former.find(f"{number}") is not None for number in range(2 * MAX_FORMER)) == MAX_FORMER
