import pytest

from protocol.messages import Presence
from tui.message_log.presence_summary import MAX_PEOPLE, PresenceSummary


def folded(*events: Presence) -> str:
    fold = PresenceSummary()
    for event in events:
        fold.add(event)
    return fold.text()


def came(*nicks: str) -> Presence:
    return Presence(1, 1e9, joined=list(nicks))


def went(*nicks: str) -> Presence:
    return Presence(1, 1e9, left=list(nicks))


def became(*pairs: tuple[str, str]) -> Presence:
    return Presence(1, 1e9, renamed=list(pairs))


@pytest.mark.parametrize(
    ("nicks", "words"),
    [
        (["ada"], "ada joined"),
        (["ada", "bob"], "ada and bob joined"),
        (["ada", "bob", "cleo"], "ada, bob and cleo joined"),
        (["ada", "bob", *map(str, range(23))], "ada, bob and 23 others joined"),
        (["ada", "bob", *map(str, range(1200))], "ada, bob and 1,200 others joined"),
    ],
)
def test_many_people_become_one_quiet_line(nicks: list[str], words: str) -> None:
    assert folded(came(*nicks)) == words
    assert folded(*(came(nick) for nick in nicks)) == words


def test_joins_and_departures_are_separate() -> None:
    assert folded(came("ada", "bob"), went("cleo")) == "ada and bob joined; cleo left"


def test_whoever_came_and_went_is_counted_apart() -> None:
    assert folded(came("ada", "bob"), went("ada")) == "bob joined; ada came and went"


def test_whoever_left_and_came_back_has_come() -> None:
    assert folded(went("ada"), came("ada")) == "ada joined"
    assert folded(came("ada"), went("ada"), came("ada")) == "ada joined"


def test_names_changed_twice_are_told_once() -> None:
    assert folded(became(("ada", "adele")), became(("adele", "alma"))) == "ada is now alma"


def test_a_name_changed_there_and_back_comes_to_nothing() -> None:
    assert folded(became(("ada", "adele")), became(("adele", "ada"))) == ""


def test_two_may_swap_their_names() -> None:
    assert folded(became(("ada", "bob"), ("bob", "ada"))) == "ada is now bob; bob is now ada"


def test_whoever_has_just_come_is_known_by_the_last_name_only() -> None:
    assert folded(came("ada"), became(("ada", "adele"))) == "adele joined"


def test_rename_then_departure_has_the_old_name() -> None:
    assert folded(became(("ada", "adele")), went("adele")) == "ada left"


def test_many_changed_names_are_counted() -> None:
    pairs = [(f"a{index}", f"b{index}") for index in range(10)]
    assert folded(became(*pairs)).endswith("a2 is now b2; 7 more changed names")


def test_what_a_nickname_hides_does_not_reach_the_line() -> None:
    assert "\x1b" not in folded(came("\x1b[2J"), went("\x1b]0;x\x07"), became(("a\n", "b\u202e")))


def test_a_fold_says_when_it_is_full() -> None:
    fold = PresenceSummary()
    fold.add(came(*map(str, range(MAX_PEOPLE))))
    assert not fold.full
    fold.add(came("one more"))
    assert fold.full
