"""The bell that wakes threads, with real threads that sleep by it."""

import os
import select
import threading

import pytest

from server.bell import Bell

PATIENCE = 10.0


def sleep_by(bell: Bell, milliseconds: int) -> bool:
    """Whether it rang within that time."""
    poller = select.poll()
    poller.register(bell, select.POLLIN)
    return bool(poller.poll(milliseconds))


def test_nobody_wakes_before_it_rings() -> None:
    assert not sleep_by(Bell(), 50)


def test_all_who_sleep_by_it_wake() -> None:
    bell, woken = Bell(), []
    sleepers = [threading.Thread(target=lambda: woken.append(sleep_by(bell, 10_000))) for _ in range(20)]
    for sleeper in sleepers:
        sleeper.start()
    bell.ring()
    for sleeper in sleepers:
        sleeper.join(PATIENCE)
    assert woken == [True] * 20


def test_who_comes_late_does_not_fall_asleep_by_it_and_it_may_ring_twice() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert sleep_by(bell, 0)


@pytest.mark.parametrize("rings", [0, 1])
def test_it_gives_its_descriptors_back_when_nobody_has_it_any_more(rings: int) -> None:
    bell = Bell()
    number = bell.fileno()
    for _ in range(rings):
        bell.ring()
    del bell
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
