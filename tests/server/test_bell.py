"""The bell that wakes threads, with real threads that sleep by it."""

import os
import resource
import select
import threading

import pytest

from server.bell import Bell, Ring

PATIENCE = 10.0


def sleep_by(ring: Ring, milliseconds: int) -> bool:
    """Whether it came within that time."""
    poller = select.poll()
    poller.register(ring, select.POLLIN)
    return bool(poller.poll(milliseconds))


def test_nobody_wakes_before_it_rings() -> None:
    assert not sleep_by(Bell().next, 50)


def test_all_who_sleep_wake_and_can_sleep_again_by_the_next_ring() -> None:
    bell, woken = Bell(), []
    ring = bell.next
    sleepers = [threading.Thread(target=lambda: woken.append(sleep_by(ring, 10_000))) for _ in range(20)]
    for sleeper in sleepers:
        sleeper.start()
    assert bell.ring()
    for sleeper in sleepers:
        sleeper.join(PATIENCE)
    assert woken == [True] * 20
    assert not sleep_by(bell.next, 50)


def test_who_comes_late_to_a_ring_does_not_fall_asleep_by_it() -> None:
    bell = Bell()
    ring = bell.next
    bell.ring()
    bell.ring()
    assert sleep_by(ring, 0)


def test_after_the_last_ring_nobody_falls_asleep() -> None:
    bell = Bell()
    bell.toll()
    bell.toll()
    assert sleep_by(bell.next, 0)


def test_a_ring_gives_its_descriptors_back_when_nobody_has_it_any_more() -> None:
    bell = Bell()
    number = bell.next.fileno()
    os.fstat(number)
    bell.toll()
    del bell
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_without_descriptors_it_says_that_it_cannot_ring_and_can_later() -> None:
    bell = Bell()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        assert not bell.ring()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not sleep_by(bell.next, 0)
    assert bell.ring()
