import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.nicknames import MAX_NICKNAME, NicknameRefused, check_nickname
from server.room.names import find_free_like, keys


def checked(asked: str) -> str:
    try:
        return check_nickname(asked)
    except NicknameRefused:
        assume(False)
        raise


nicknames = st.from_regex(r"[\w][\w.-]{0,12}", fullmatch=True).map(checked)


def collide(one: str, other: str) -> bool:
    return bool(keys(one) & keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "Ada"),
        ("ada", "ADA"),
        ("paypal", "paypaI"),
        ("paypal", "PAYPAL"),
        ("Il1", "lIl"),
        ("I", "l"),
        ("l", "1"),
        ("oda", "0da"),
        ("Oda", "0da"),
        ("barn", "bam"),
        ("ada", "аdа"),  # Cyrillic а
        ("ada", "аԁа"),  # all Cyrillic
        ("paypal", "раураӀ"),
        ("ADA", "ΑDΑ"),  # Greek Α
        ("strasse", "Straße"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("kelvin", "\u212aelvin"),
        ("pit", "pıt"),  # dotless
        ("Zo\u00eb", "Zoe\u0308"),
        ("à", "а\u0300"),  # Latin, Cyrillic with an accent
    ],
)
def test_those_that_look_alike_collide(one: str, other: str) -> None:
    assert collide(one, other)
    assert collide(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "ada2"),
        ("ada", "adam"),
        ("ada", "ad.a"),
        ("bob", "rob"),
        ("李雷", "李蕾"),
        ("ада", "aba"),
        ("Zoë", "Zoe"),
    ],
)
def test_those_that_a_reader_can_tell_apart_do_not(one: str, other: str) -> None:
    assert not collide(one, other)


def test_a_full_width_name_is_the_plain_one() -> None:
    assert collide(check_nickname("ＡＤＡ"), "ada")
    assert collide("ＡＤＡ", "ada")


@given(nicknames)
def test_a_name_collides_with_itself_in_any_case(nick: str) -> None:
    assert collide(nick, nick)
    assert collide(nick, nick.casefold())
    assert collide(nick, nick.lower())


@given(st.lists(nicknames, min_size=1, max_size=20), st.integers(0, 30))
def test_a_free_name_like_a_taken_one_is_free_and_short_enough(crowd: list[str], more: int) -> None:
    nick = crowd[0]
    taken = set().union(*map(keys, crowd), *(keys(f"{nick}{number}") for number in range(2, more)))
    free = find_free_like(nick, taken, MAX_NICKNAME)
    assert not keys(free) & taken
    assert len(free) <= MAX_NICKNAME


@given(nicknames)
def test_free_name_is_a_valid_nickname(nick: str) -> None:
    assert check_nickname(find_free_like(nick, keys(nick), MAX_NICKNAME))


@pytest.mark.parametrize("nick", ["x" * MAX_NICKNAME, "e\u0301\u0302" * 8, "ب" * 22 + "\u0661\u0662", "عادة\u0661"])
def test_a_free_name_like_a_long_or_an_arabic_one_will_be_taken(nick: str) -> None:
    nick = check_nickname(nick)
    assert check_nickname(find_free_like(nick, keys(nick), MAX_NICKNAME))


@pytest.mark.parametrize("crowd", [400, 10_000])
def test_free_name_among_many_is_found_in_a_few_tries(crowd: int) -> None:
    asked: list[str] = []

    class Taken(frozenset[str]):
        def __contains__(self, key: object) -> bool:
            asked.append(str(key))
            return super().__contains__(key)

    taken = Taken(["ada", *(f"ada{number}" for number in range(2, crowd + 1))])
    assert find_free_like("ada", taken, MAX_NICKNAME) == f"ada{crowd + 1}"
    assert len(asked) < 100


def test_the_thousandth_of_a_name_gets_a_number_like_the_second() -> None:
    taken: set[str] = set()
    given = []
    for _ in range(1000):
        free = "ada" if not given else find_free_like("ada", taken, MAX_NICKNAME)
        given.append(free)
        taken |= keys(free)
    assert given[:3] == ["ada", "ada2", "ada3"]
    assert len(set(given)) == 1000
