"""The poller of a loop, with real sockets."""

import time
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE

import pytest

from server.control import StopEvent
from server.models.support.poller import Poller
from server.session_types import DeliveryFlags
from tests.server.sessions import Pair


@pytest.fixture
def stop() -> StopEvent:
    return StopEvent()


@pytest.fixture
def poller(stop: StopEvent) -> Iterator[Poller]:
    made = Poller(stop)
    yield made
    made.close()


def test_yields_a_source_that_is_ready(poller: Poller, stop: StopEvent) -> None:
    assert list(poller.select(0)) == []
    stop.set()
    assert list(poller.select(60)) == [(stop, EVENT_READ)]


def test_yields_a_connection_that_is_ready(poller: Poller, pair: Pair) -> None:
    poller.watch(pair.connection)
    pair.peer.send(b"x")
    assert list(poller.select(60)) == [(pair.connection, EVENT_READ)]


def test_watch_follows_the_interest_of_a_connection(poller: Poller, pair: Pair) -> None:
    poller.watch(pair.connection)
    pair.connection.session.queue(b"x", DeliveryFlags.NONE, time.monotonic())
    poller.watch(pair.connection)
    assert list(poller.select(60)) == [(pair.connection, EVENT_WRITE)]
    pair.connection.session.unsent.clear()
    pair.connection.session.eof_received = True
    poller.watch(pair.connection)
    pair.peer.send(b"x")
    assert list(poller.select(0)) == []


def test_select_yields_a_connection_past_its_deadline(poller: Poller, pair: Pair) -> None:
    due = pair.connection.session.join_by = time.monotonic() + 0.05
    poller.watch(pair.connection)
    found: list[tuple[object, int]] = []
    while not found:
        found = list(poller.select(60))
    assert found == [(pair.connection, 0)]
    assert time.monotonic() >= due


def test_deadline_does_not_overtake_earlier_bytes(poller: Poller, pair: Pair) -> None:
    """The server was suspended meanwhile, but the peer has sent its nickname in time."""
    pair.connection.session.join_by = time.monotonic()
    poller.watch(pair.connection)
    pair.peer.send(b"ada\n")
    assert list(poller.select(60)) == [(pair.connection, EVENT_READ), (pair.connection, 0)]


def test_a_connection_that_is_over_is_due_at_once(poller: Poller, pair: Pair) -> None:
    pair.connection.session.close()
    poller.watch(pair.connection)
    assert (pair.connection, 0) in list(poller.select(60))


def test_a_forgotten_connection_is_not_yielded(poller: Poller, pair: Pair) -> None:
    """Not even if an earlier result of the same `select` causes the removal."""
    pair.connection.session.join_by = time.monotonic()
    poller.watch(pair.connection)
    pair.peer.send(b"x")
    found = poller.select(60)
    assert next(found) == (pair.connection, EVENT_READ)
    poller.forget(pair.connection)
    assert list(found) == []
    assert list(poller.select(0)) == []
    poller.forget(pair.connection)
