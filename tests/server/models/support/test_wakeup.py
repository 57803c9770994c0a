"""Tests of sleeping and waking threads, with a real socket and real descriptors."""

import os
import resource
import select
import threading
import time
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE

import pytest

from server.control import StopEvent
from server.models.support.threads import Waiter, Wakeup
from tests.server.sessions import Pair


def is_readable(wakeup: Wakeup) -> bool:
    poller = select.poll()
    poller.register(wakeup, select.POLLIN)
    return bool(poller.poll(0))


@pytest.fixture(params=["eventfd", "pipe"])
def wakeup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wakeup]:
    if request.param == "pipe":
        monkeypatch.delattr(os, "eventfd", raising=False)
    elif not hasattr(os, "eventfd"):
        pytest.skip("this system has no eventfd")
    made = Wakeup()
    yield made
    if not made._closed:
        made.close()


class TestWakeup:
    def test_is_readable_from_set_to_clear(self, wakeup: Wakeup) -> None:
        assert not is_readable(wakeup)
        wakeup.set()
        wakeup.set()
        assert is_readable(wakeup)
        wakeup.clear()
        assert not is_readable(wakeup)
        wakeup.clear()

    def test_never_waits_however_often_it_is_set(self, wakeup: Wakeup) -> None:
        for _ in range(20_000):
            wakeup.set()
        assert is_readable(wakeup)
        wakeup.clear()

    def test_set_after_close_touches_no_descriptor(self, wakeup: Wakeup) -> None:
        wakeup.close()
        reading, writing = os.pipe()
        wakeup.set()
        os.set_blocking(reading, False)
        with pytest.raises(BlockingIOError):
            os.read(reading, 1)
        os.close(reading)
        os.close(writing)

    def test_without_a_descriptor_it_is_an_error_of_the_system(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest_free = os.open(os.devnull, os.O_RDONLY)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                Wakeup()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def stopping() -> StopEvent:
    return StopEvent()


@pytest.fixture
def waiter(pair: Pair, stopping: StopEvent) -> Iterator[Waiter]:
    made = Waiter(pair.connection, stopping)
    yield made
    made.close()


class TestWaiter:
    def test_returns_when_the_peer_has_sent_something(self, pair: Pair, waiter: Waiter) -> None:
        threading.Timer(0.05, pair.peer.send, [b"x"]).start()
        assert waiter.wait() == EVENT_READ

    def test_returns_when_the_peer_hangs_up(self, pair: Pair, waiter: Waiter) -> None:
        threading.Timer(0.05, pair.peer.close).start()
        assert waiter.wait() == EVENT_READ

    def test_returns_when_unsent_bytes_can_be_written(self, pair: Pair, waiter: Waiter) -> None:
        pair.connection.session.unsent += b"x"
        assert waiter.wait() == EVENT_WRITE

    def test_returns_when_it_is_woken(self, waiter: Waiter) -> None:
        threading.Timer(0.05, waiter.wake).start()
        assert waiter.wait() == 0

    def test_a_wake_up_before_the_sleep_is_not_lost_and_not_repeated(self, pair: Pair, waiter: Waiter) -> None:
        waiter.wake()
        assert waiter.wait() == 0
        threading.Timer(0.05, pair.peer.send, [b"x"]).start()
        assert waiter.wait() == EVENT_READ

    def test_returns_when_the_model_is_to_stop(self, waiter: Waiter, stopping: StopEvent) -> None:
        threading.Timer(0.05, stopping.set).start()
        assert waiter.wait() == 0

    def test_returns_when_the_session_is_due(self, pair: Pair, waiter: Waiter) -> None:
        due = pair.connection.session.join_by = time.monotonic() + 0.1
        assert waiter.wait() == 0
        assert time.monotonic() >= due

    def test_a_year_is_not_too_long_for_poll(self, pair: Pair, waiter: Waiter) -> None:
        pair.connection.session.join_by = time.monotonic() + 365 * 86_400
        pair.peer.send(b"something")
        assert waiter.wait() == EVENT_READ

    def test_a_peer_that_is_not_read_does_not_wake(self, pair: Pair, waiter: Waiter) -> None:
        pair.connection.session.join_by = time.monotonic() + 0.1
        pair.connection.session.eof_received = True
        pair.peer.send(b"something")
        pair.peer.close()
        assert waiter.wait() == 0
