"""The members, the former members, and the changes to announce."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Presence, Refused, Said
from server.room.names import keys
from server.room.roster import (
    ESTABLISHED_S,
    KEPT_RESULTS,
    KEPT_WHEN_AWAY,
    MAX_FORMER,
    FormerMembers,
    Member,
    PendingPresence,
    Roster,
)
from tests.server.without_sockets import applied

steps = st.lists(
    st.tuples(st.sampled_from("tuvw"), st.sampled_from(["ada", "bob", "cleo", "dan", "eve", None])) | st.none(),
    max_size=40,
)


def said(number: int, id: str = "") -> Said:
    return Said(number, "ada", "hi", 0.0, id)


def test_the_first_answer_to_an_id_is_kept_without_its_text() -> None:
    ada = Member("t", "ada")
    ada.remember("1", said(7, "1"))
    assert ada.results == {"1": Said(7, "ada", "", 0.0, "1")}


def test_a_refusal_is_kept_as_it_is() -> None:
    ada = Member("t", "ada")
    ada.remember("1", Refused("muted", "you are muted", "1"))
    assert ada.results == {"1": Refused("muted", "you are muted", "1")}


def test_a_line_without_an_id_costs_no_memory() -> None:
    ada = Member("t", "ada")
    ada.remember("", said(1))
    assert ada.results == {}


def test_member_keeps_only_its_last_answers_and_fewer_while_away() -> None:
    ada = Member("t", "ada")
    for number in range(KEPT_RESULTS + 5):
        ada.remember(str(number), said(number, str(number)))
    assert len(ada.results) == KEPT_RESULTS
    assert next(iter(ada.results)) == "5"
    ada.leave(1.0)
    assert list(ada.results) == [str(number) for number in range(KEPT_RESULTS + 5)][-KEPT_WHEN_AWAY:]


def test_how_long_it_stayed_counts_all_its_visits() -> None:
    ada = Member("t", "ada")
    for came, left in ((10.0, 15.0), (100.0, 103.0), (50.0, 40.0)):
        ada.joined_at = came
        ada.leave(left)
    assert ada.stayed == 8.0


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


@given(steps)
def test_presence_events_reproduce_the_roster(steps: list[tuple[str, str | None] | None]) -> None:
    pending, here, told = PendingPresence(), dict[str, str](), set[str]()
    for step in [*steps, None]:
        if step is not None:
            token, nick = step
            if nick in here.values() and here.get(token) != nick:
                continue  # A nickname belongs to one member at a time.
            pending.record_change(token, nick)
            here.pop(token, None)
            if nick is not None:
                here[token] = nick
            continue
        if (presence := pending.flush(1, 0.0)) is not None:
            told = applied(told, presence)
        assert told == set(here.values()) == set(pending.announced.values())
        assert pending.flush(1, 0.0) is None


def test_short_visit_without_a_line_is_not_mentioned() -> None:
    pending = PendingPresence()
    pending.record_change("t", "ada")
    pending.record_change("t", None)
    assert pending.flush(1, 0.0) is None


def test_departure_and_return_are_not_mentioned() -> None:
    pending = PendingPresence({"t": "ada"})
    pending.record_change("t", None)
    pending.record_change("t", "ada")
    assert pending.flush(1, 0.0) is None


def test_return_under_another_nickname_is_a_rename() -> None:
    pending = PendingPresence({"t": "ada"})
    pending.record_change("t", None)
    pending.record_change("t", "bob")
    assert pending.flush(1, 0.0) == Presence(1, 0.0, renamed=[("ada", "bob")])


def test_names_may_move_along_a_chain_within_one_event() -> None:
    pending = PendingPresence({"t": "ada", "u": "cleo"})
    pending.record_change("t", "bob")
    pending.record_change("u", "ada")
    presence = pending.flush(1, 0.0)
    assert presence == Presence(1, 0.0, renamed=[("ada", "bob"), ("cleo", "ada")])
    assert applied({"ada", "cleo"}, presence) == {"ada", "bob"}


def test_two_may_swap_their_names_within_one_event() -> None:
    pending = PendingPresence({"t": "ada", "u": "bob"})
    for token, nick in [("t", "cleo"), ("u", "ada"), ("t", "bob")]:
        pending.record_change(token, nick)
    presence = pending.flush(1, 0.0)
    assert presence is not None
    assert sorted(presence.renamed) == [("ada", "bob"), ("bob", "ada")]


def test_released_nickname_can_be_taken_within_one_event() -> None:
    pending = PendingPresence({"t": "ada", "u": "bob"})
    pending.record_change("t", None)
    pending.record_change("u", "ada")
    pending.record_change("v", "bob")
    presence = pending.flush(7, 1.5)
    assert presence == Presence(7, 1.5, joined=["bob"], left=["ada"], renamed=[("bob", "ada")])
    assert applied({"ada", "bob"}, presence) == {"ada", "bob"}


def test_thousand_joins_are_one_event() -> None:
    pending = PendingPresence()
    for number in range(1000):
        pending.record_change(f"t{number}", f"n{number}")
    presence = pending.flush(1, 0.0)
    assert presence is not None
    assert len(presence.joined) == 1000
    assert not pending.changed


def test_departed_members_take_no_memory() -> None:
    pending = PendingPresence()
    for number in range(1000):
        pending.record_change(f"t{number}", "ada")
        pending.flush(1, 0.0)
        pending.record_change(f"t{number}", None)
        pending.flush(1, 0.0)
    assert pending == PendingPresence()
