"""The circle in which workers are written to, without any: whoever has a `write` will do."""

from math import inf
from typing import cast

import pytest

from server.processes.rounds import FEW, WAKING, Rounds
from server.processes.workers import Worker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Listener:
    """Stands in a circle, and notes its turn."""

    def __init__(self, name: int, turns: list[int]) -> None:
        self._name = name
        self._turns = turns

    def write(self) -> None:
        self._turns.append(self._name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns() -> list[int]:
    return []


@pytest.fixture
def crowd(turns: list[int]) -> list[Worker]:
    return [cast(Worker, Listener(name, turns)) for name in range(3 * FEW)]


@pytest.fixture
def rounds(clock: Clock, crowd: list[Worker]) -> Rounds:
    """All of the crowd wait."""
    rounds = Rounds(clock)
    for worker in crowd:
        rounds.add(worker)
    return rounds


def go_round(rounds: Rounds, clock: Clock) -> None:
    while (due := rounds.due()) < inf:
        clock.now += due
        rounds.go()


def test_where_nobody_waits_there_is_nothing_to_do(clock: Clock) -> None:
    rounds = Rounds(clock)
    rounds.go()
    assert rounds.due() == inf
    assert rounds.last is None


def test_whoever_waits_is_written_to_once_and_in_order(
    rounds: Rounds, clock: Clock, crowd: list[Worker], turns: list[int]
) -> None:
    go_round(rounds, clock)
    assert turns == list(range(len(crowd)))


def test_a_few_are_written_to_at_a_time_and_the_cores_get_time_to_wake_them(
    rounds: Rounds, clock: Clock, turns: list[int]
) -> None:
    rounds.go()
    rounds.go()
    assert len(turns) == FEW
    assert rounds.due() == pytest.approx(FEW * WAKING)
    clock.now += rounds.due()
    rounds.go()
    assert len(turns) == 2 * FEW


def test_what_is_said_in_the_middle_of_a_round_makes_nobody_wait_longer(
    rounds: Rounds, clock: Clock, crowd: list[Worker], turns: list[int]
) -> None:
    rounds.go()
    for worker in crowd:  # A second line, for all: who waits already hears it with the first.
        rounds.add(worker)
    assert rounds.last is crowd[FEW - 1]
    go_round(rounds, clock)
    assert turns == [*range(len(crowd)), *range(FEW)]


def test_who_has_ended_is_not_written_to(rounds: Rounds, clock: Clock, crowd: list[Worker], turns: list[int]) -> None:
    rounds.forget(crowd[-1])
    rounds.forget(crowd[-1])
    assert rounds.last is crowd[-2]
    go_round(rounds, clock)
    assert turns == list(range(len(crowd) - 1))
