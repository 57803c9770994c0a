"""Tests of the inbox in front of a real room."""

import time

import pytest

from protocol.dialects import PLAIN
from protocol.messages import Hello, Say
from server.room.inbox import Inbox
from server.room.room import Room
from server.session_types import DeliveryFlags, Request
from tests.server.without_sockets import new_room

NOW = 1000.0


@pytest.fixture
def inbox() -> Inbox:
    """A room with ada (1) and bob (2) in it."""
    inbox = Inbox(new_room())
    for number, nick in ((1, "ada"), (2, "bob")):
        inbox.open(number, "event loop")
        inbox.handle(number, Hello(nick, dialect=PLAIN.name), NOW)
    inbox.flush(NOW)
    return inbox


def test_requests_wait_until_flush(inbox: Inbox) -> None:
    inbox.open(3, "event loop")
    inbox.handle(1, Say("1", "hello"), NOW)
    assert inbox.has_work
    assert 3 not in inbox.room.seats
    assert b"ada: hello\n" in {data for _, data, _ in inbox.flush(NOW)}
    assert 3 in inbox.room.seats
    assert not inbox.has_work


def test_requests_are_applied_in_order(inbox: Inbox) -> None:
    inbox.handle(1, Say("1", "one"), NOW)
    inbox.handle(2, Say("1", "two"), NOW)
    inbox.close(1)
    inbox.handle(1, Say("2", "three"), NOW)
    inbox.handle(2, Say("2", "four"), NOW)
    inbox.apply(NOW)
    assert [said.text for said in inbox.room.history.recent_lines(PLAIN)[0]] == ["one", "two", "four"]


def test_has_work_includes_output_of_the_room_itself(inbox: Inbox) -> None:
    inbox.room.announce("hello all", NOW)
    assert inbox.has_work


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The room raises an exception for the line `poison`."""
    apply = Room.apply

    def fail(self: Room, number: int, item: Request, now: float, since: float) -> None:
        if isinstance(item, Say) and item.text == "poison":
            raise RuntimeError("a bug in the room")
        apply(self, number, item, now, since)

    monkeypatch.setattr(Room, "apply", fail)


@pytest.mark.usefixtures("poisoned")
def test_an_exception_in_the_room_closes_only_the_sender(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.handle(1, Say("1", "poison"), NOW)
    inbox.handle(2, Say("1", "hello"), NOW)
    inbox.handle(1, Say("2", "unheard"), NOW)
    marks = {number: flags for number, _, flags in inbox.flush(NOW)}
    assert marks[1] & DeliveryFlags.CLOSE
    assert not marks.get(2, DeliveryFlags.NONE) & DeliveryFlags.CLOSE
    assert [said.text for said in inbox.room.history.recent_lines(PLAIN)[0]] == ["hello"]
    assert [member.nick for member in inbox.room.roster.present()] == ["bob"]
    assert inbox.room.stats.totals.died == 1
    assert caplog.messages == ["connection 1 failed, and ends"]


@pytest.mark.usefixtures("poisoned")
def test_a_second_exception_of_one_connection_counts_once(inbox: Inbox) -> None:
    inbox.handle(1, Say("1", "poison"), NOW)
    inbox.handle(1, Say("2", "poison"), NOW)
    inbox.flush(NOW)
    inbox.close(1)
    inbox.flush(NOW)
    assert inbox.room.stats.totals.died == 1
    assert 1 not in inbox.room.seats


def test_a_line_counts_as_waiting_since_it_may_have_been_ready(inbox: Inbox) -> None:
    began = time.time()
    inbox.handle(1, Say("1", "hello"), began - 2.0)
    assert inbox.flush(began).said_at == [began - 2.0]
