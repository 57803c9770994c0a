from protocol.messages import Refused, Said
from server.room.member import KEPT_RESULTS, KEPT_WHEN_AWAY, Member


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
