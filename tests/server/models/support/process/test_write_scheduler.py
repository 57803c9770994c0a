"""Tests of the write scheduler, with objects that have the methods `write` and `track` of a worker."""

from math import inf
from typing import cast

import pytest

from server.models.support.process.worker_handle import BATCH, WAKEUP_COST, Worker, WriteScheduler
from server.room.outbox import Outbox


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Listener:
    """Records each write."""

    def __init__(self, name: int, turns: list[int]) -> None:
        self._name = name
        self._turns = turns
        self.tracked: list[Outbox] = []

    def write(self) -> None:
        self._turns.append(self._name)

    def track(self, outbox: Outbox) -> None:
        self.tracked.append(outbox)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns() -> list[int]:
    return []


@pytest.fixture
def crowd(turns: list[int]) -> list[Worker]:
    return [cast(Worker, Listener(name, turns)) for name in range(3 * BATCH)]


@pytest.fixture
def scheduler(clock: Clock, crowd: list[Worker]) -> WriteScheduler:
    """Add all of the crowd to the scheduler."""
    scheduler = WriteScheduler(clock)
    for worker in crowd:
        scheduler.add(worker)
    return scheduler


def said() -> Outbox:
    """An outbox with a line. The meter measures its latency."""
    outbox = Outbox()
    outbox.said_at.append(0.0)
    return outbox


def go_round(scheduler: WriteScheduler, clock: Clock) -> None:
    while (due := scheduler.delay()) < inf:
        clock.now += due
        scheduler.write_next(Outbox())


def test_scheduler_without_workers_does_nothing(clock: Clock) -> None:
    scheduler = WriteScheduler(clock)
    scheduler.write_next(Outbox())
    assert scheduler.delay() == inf


def test_scheduler_writes_to_each_worker_once_in_order(
    scheduler: WriteScheduler, clock: Clock, crowd: list[Worker], turns: list[int]
) -> None:
    go_round(scheduler, clock)
    assert turns == list(range(len(crowd)))


def test_scheduler_pauses_after_each_batch(scheduler: WriteScheduler, clock: Clock, turns: list[int]) -> None:
    scheduler.write_next(Outbox())
    scheduler.write_next(Outbox())
    assert len(turns) == BATCH
    assert scheduler.delay() == pytest.approx(BATCH * WAKEUP_COST)
    clock.now += scheduler.delay()
    scheduler.write_next(Outbox())
    assert len(turns) == 2 * BATCH


def test_scheduler_keeps_the_order_of_waiting_workers(
    scheduler: WriteScheduler, clock: Clock, crowd: list[Worker], turns: list[int]
) -> None:
    scheduler.write_next(Outbox())
    for worker in crowd:  # A second line for all: the workers that still wait get it together with the first.
        scheduler.add(worker)
    scheduler.write_next(said())
    assert [len(worker.tracked) for worker in crowd].index(1) == BATCH - 1, "the last one in the circle reports"
    go_round(scheduler, clock)
    assert turns == [*range(len(crowd)), *range(BATCH)]


def test_scheduler_does_not_write_to_an_ended_worker(
    scheduler: WriteScheduler, clock: Clock, crowd: list[Worker], turns: list[int]
) -> None:
    scheduler.forget(crowd[-1])
    scheduler.forget(crowd[-1])
    scheduler.write_next(said())
    assert [len(worker.tracked) for worker in crowd].index(1) == len(crowd) - 2
    go_round(scheduler, clock)
    assert turns == list(range(len(crowd) - 1))


def test_a_turn_without_a_worker_to_wait_for_is_flushed_at_once(clock: Clock) -> None:
    outbox = said()
    assert WriteScheduler(clock).write_next(outbox) == [outbox]


def test_a_turn_is_flushed_once_its_last_worker_reports(scheduler: WriteScheduler, crowd: list[Worker]) -> None:
    assert scheduler.write_next(said()) == []
    scheduler.flushed += crowd[-1].tracked
    assert scheduler.write_next(Outbox()) == crowd[-1].tracked
    assert scheduler.write_next(Outbox()) == []
