from protocol.messages import Refused
from server.room.away import KEPT_MEMBERS, FormerMembers
from server.room.member import ESTABLISHED_S, Member


def passer_by(nick: str) -> Member:
    return Member(nick, nick, stayed=1.0)


def speaker(nick: str) -> Member:
    return Member(nick, nick, stayed=1.0, results={"1": Refused("muted", "you are muted", "1")})


def reader(nick: str) -> Member:
    return Member(nick, nick, stayed=ESTABLISHED_S)


def operator(nick: str) -> Member:
    return Member(nick, nick, operator=True)


def test_who_left_is_found_until_it_comes_back() -> None:
    away, ada = FormerMembers(), passer_by("ada")
    away.keep(ada)
    assert away.find("ada") is ada
    away.drop("ada")
    assert away.find("ada") is None
    away.drop("ada")


def test_of_those_alike_the_last_are_remembered() -> None:
    away = FormerMembers()
    for number in range(KEPT_MEMBERS + 10):
        away.keep(passer_by(f"{number}"))
    assert away.find("9") is None
    assert away.find("10") is not None


def test_passers_by_are_forgotten_before_who_spoke_or_stayed_and_operators_last() -> None:
    kinds = [operator, reader, speaker, passer_by]
    away = FormerMembers()
    for kind in kinds:
        away.keep(kind(kind.__name__))
    for forgotten in reversed(kinds):
        assert away.find(forgotten.__name__) is not None
        for number in range(KEPT_MEMBERS + 1):
            away.keep(forgotten(f"{number}"))
        assert away.find(forgotten.__name__) is None
        for kept in kinds[: kinds.index(forgotten)]:
            assert away.find(kept.__name__) is not None


def test_whatever_they_are_there_are_never_more_than_so_many() -> None:
    away = FormerMembers()
    for number in range(2 * KEPT_MEMBERS):
        away.keep([passer_by, speaker, reader, operator][number % 4](f"{number}"))
    assert sum(away.find(f"{number}") is not None for number in range(2 * KEPT_MEMBERS)) == KEPT_MEMBERS
