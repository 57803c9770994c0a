"""A member of the crowd without its socket: its counts, and the faults that it finds."""

import pytest

from protocol.client import ClientConnection
from protocol.json_lines import encode
from protocol.messages import Event, Limits, ModelSwitched, People, Presence, Said, Welcome
from tui.crowd.checker import SharedDecoder
from tui.crowd.member import Member


def welcome(seq: int, history: list[Said] | None = None, **more: object) -> Welcome:
    past: list[Said | Presence] = list(history or [])
    return Welcome("ada", "token", seq, "event", 1, "event loop", Limits(), "nonce", past, **more)  # type: ignore[arg-type]


def said(seq: int, id: str = "", text: str = "hello") -> Said:
    return Said(seq, "ada", text, 1.0, id)


class Crowded:
    """A member in a crowd of one, with a method that sends it events."""

    def __init__(self, *, is_checking: bool) -> None:
        self.ids = iter(f"id{number}" for number in range(100))
        self.member = Member(
            0, ClientConnection("ada", lambda: next(self.ids)), SharedDecoder(), is_checking=is_checking
        )
        self.latencies: list[float] = []
        self.now = 0.0
        self.member.connected()

    def told(self, *events: Event, cut: int = 0) -> list[Event]:
        data = b"".join(encode(event) for event in events)
        self.now += 1.0
        news: list[Event] = []
        for piece in (data[:cut], data[cut:]) if cut else (data,):
            news += self.member.receive(piece, self.now, lambda now, seconds: self.latencies.append(seconds))
        return news


@pytest.fixture(params=[False, True], ids=["counting", "checking"])
def crowded(request: pytest.FixtureRequest) -> Crowded:
    return Crowded(is_checking=request.param)


def test_member_counts_events_for_any_chunking(crowded: Crowded) -> None:
    crowded.told(welcome(5))
    crowded.told(said(6), said(7))
    crowded.told(said(8), said(9), cut=30)

    assert crowded.member.deliveries == 4
    assert crowded.member.checker.last == crowded.member.client.seq == 9
    assert crowded.member.checker.lost == 0


def test_its_own_line_is_acknowledged_and_timed(crowded: Crowded) -> None:
    crowded.told(welcome(5))
    crowded.member.say("hello", 1.5)
    crowded.told(said(6, "id0"))

    assert crowded.latencies == [0.5]
    assert not crowded.member.client.unacknowledged


def test_a_gap_a_double_and_a_swap_are_found(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    crowded.told(said(1))
    crowded.told(said(3), said(2), said(4), said(4), said(6))

    checker = crowded.member.checker
    assert (checker.lost, checker.doubled, checker.disordered) == (1, 1, 1)


def test_member_incomplete_resume_counts_as_lost(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    crowded.told(said(1))
    crowded.member.connected()
    crowded.told(welcome(4, [said(2), said(4)], resumed=True))

    assert crowded.member.checker.lost == 1
    assert crowded.member.checker.last == 4


def test_a_resume_that_brings_something_again_is_a_double(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    crowded.told(said(1))
    crowded.member.connected()
    crowded.told(welcome(2, [said(1), said(2)], resumed=True))

    assert crowded.member.checker.doubled == 1


def test_reported_gap_is_no_loss(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    crowded.member.connected()
    crowded.told(welcome(9, [said(8), said(9)], resumed=True, missed=7))

    assert (crowded.member.checker.lost, crowded.member.checker.reported_gaps) == (0, 7)


def test_the_answer_to_a_line_said_again_is_no_double(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    crowded.member.say("hello", 1.0)
    crowded.member.connected()
    crowded.told(welcome(9, [], resumed=True, missed=9))
    crowded.told(said(4, "id0"))

    assert crowded.member.checker.doubled == 0
    assert not crowded.member.client.unacknowledged


def test_a_server_that_was_started_anew_begins_its_numbers_anew(crowded: Crowded) -> None:
    crowded.told(welcome(70))
    crowded.member.connected()
    crowded.told(welcome(2))
    crowded.told(said(3))

    assert crowded.member.checker.lost == crowded.member.checker.doubled == 0
    assert crowded.member.checker.last == 3


def test_member_receive_returns_switches_and_private_events(crowded: Crowded) -> None:
    assert [type(event) for event in crowded.told(welcome(0))] == [Welcome]
    assert [type(event) for event in crowded.told(said(1), ModelSwitched(2, 1.0, "thread", "event", 0.1, 3))] == [
        ModelSwitched
    ]


def test_member_longest_wait_is_that_of_the_slowest_line(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    for said_at in (1.0, 1.5, 9.0):
        crowded.member.say("hello", said_at)
    crowded.now = 9.0
    crowded.told(said(1, "id0"), said(2, "id1"))
    crowded.told(said(3, "id2"))

    assert crowded.member.longest_wait == 9.0
    crowded.member.longest_wait = 0.0
    crowded.now = 60.0  # A long silence is no latency.
    crowded.told(said(4))
    assert crowded.member.longest_wait == 0.0


def test_a_line_without_an_answer_waits(crowded: Crowded) -> None:
    crowded.told(welcome(0))
    assert crowded.member.waits(5.0) == 0.0
    crowded.member.say("hello", 2.0)
    crowded.member.say("again", 4.0)

    assert crowded.member.waits(5.0) == 3.0
    crowded.told(said(1, "id0"), said(2, "id1"))
    assert crowded.member.waits(5.0) == 0.0


def test_words_that_are_no_event_are_kept(crowded: Crowded) -> None:
    crowded.member.receive(b"*** goodbye: the room is full\n", 1.0, lambda now, seconds: None)

    assert crowded.member.last_foreign_line == b"*** goodbye: the room is full"


def test_a_checking_member_compares_its_roster_with_the_rooms() -> None:
    crowded = Crowded(is_checking=True)
    crowded.told(welcome(0))
    crowded.told(People(0, ["ada"]))
    crowded.told(Presence(1, 1.0, joined=["bob", "cleo"]), Presence(2, 1.0, left=["bob"]))
    crowded.told(People(2, ["ada", "cleo"]))
    assert crowded.member.wrong == []

    crowded.told(People(2, ["ada", "bob", "cleo"]))

    assert len(crowded.member.wrong) == 1
    assert "bob" in crowded.member.wrong[0]


def test_a_checking_member_finds_a_roster_of_another_moment() -> None:
    crowded = Crowded(is_checking=True)
    crowded.told(welcome(0))
    crowded.told(People(3, ["ada"]))

    assert len(crowded.member.wrong) == 1
