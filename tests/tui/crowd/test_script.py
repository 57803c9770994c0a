"""The lines of the crowd, and its nicknames."""

from itertools import islice
from random import Random

from protocol.nicknames import check_nickname
from protocol.sanitize import sanitize
from tui.crowd.script import OPENINGS, nicknames, pause, rounds, words


def test_nicknames_are_valid_and_distinct() -> None:
    names = list(islice(nicknames(), 2000))

    assert len(set(names)) == 2000
    assert [check_nickname(name) for name in names] == names


def test_nothing_said_needs_to_be_made_harmless() -> None:
    random = Random(1)

    assert all(sanitize(line, lines=True) == line.strip() == line for line in OPENINGS)
    assert all(0 < len(words(random)) < 100 for _ in range(1000))


def test_each_speaks_once_in_a_round() -> None:
    speakers = rounds(["ada", "bob", "cleo"], Random(1))

    for _ in range(5):
        assert set(islice(speakers, 3)) == {"ada", "bob", "cleo"}


def test_pauses_come_to_the_rate_that_was_asked_for() -> None:
    random = Random(1)

    assert 9.5 < 1 / (sum(pause(random, 10.0) for _ in range(10_000)) / 10_000) < 10.5
