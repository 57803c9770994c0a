"""What the room writes is understood once, and compared once, for the whole crowd."""

from typing import get_args

import pytest

from protocol.json_lines import encode
from protocol.messages import Event, ModelSwitched, Notice, Presence, Rules, RulesChanged, Said, Sequenced, Status
from tui.crowd.shared_decoder import IRREGULAR, Line, SharedDecoder


def said(seq: int, id: str = "", text: str = "hello") -> bytes:
    return encode(Said(seq, "ada", text, 1.0, id))


def test_a_chunk_of_whole_lines_that_follow_each_other_is_understood_as_one() -> None:
    wire = SharedDecoder()
    wire.sends("a", Line(0, 1, "hello", 7.0))

    chunk = wire.chunk(said(4, "a") + said(5, "b") + encode(ModelSwitched(6, 1.0, "thread", "event", 0.1, 3)))

    assert (chunk.first, chunk.last, chunk.said, chunk.own) == (4, 6, ("a", "b"), (7.0,))
    assert [switched.model for switched in chunk.switched] == ["thread"]


def test_a_chunk_with_half_a_line_a_gap_or_a_letter_is_irregular() -> None:
    wire = SharedDecoder()

    assert wire.chunk(said(1)[:-3]) is IRREGULAR
    assert wire.chunk(said(1) + said(3)) is IRREGULAR
    assert wire.chunk(said(1) + encode(Status("event", 1, "event loop"))) is IRREGULAR
    assert wire.chunk(b"*** goodbye: the room is full\n") is IRREGULAR


@pytest.mark.parametrize(
    "event",
    [
        Said(5, "ada", "hello", 1.0),
        Presence(5, 1.0, joined=["bob"]),
        ModelSwitched(5, 1.0, "thread", "event", 0.1, 3),
        Notice("the history was cleared", 5, 1.0),
        RulesChanged(5, 1.0, "the room is locked", Rules(locked=True)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_whatever_is_told_to_everybody_has_its_number(event: Event) -> None:
    assert type(event) in get_args(Sequenced)
    assert SharedDecoder().heard(encode(event)[:-1]).seq == 5
    assert (SharedDecoder().chunk(encode(event)).first, SharedDecoder().chunk(encode(event)).last) == (5, 5)


def test_the_same_bytes_are_understood_once() -> None:
    wire = SharedDecoder()

    assert wire.chunk(said(1)) is wire.chunk(said(1))


def test_a_number_that_means_two_things_is_a_conflict() -> None:
    wire = SharedDecoder()
    wire.heard(said(1, text="this")[:-1])
    wire.heard(said(1, text="this")[:-1])
    assert wire.conflicts == []

    wire.heard(said(1, text="that")[:-1])

    assert len(wire.conflicts) == 1
    assert "event 1" in wire.conflicts[0]


def test_one_of_our_lines_under_two_numbers_is_doubled() -> None:
    wire = SharedDecoder()
    wire.sends("a", Line(0, 1, "hello", 7.0))
    wire.heard(said(1, "a")[:-1])
    wire.heard(said(2, "a")[:-1])

    assert wire.doubled == 1


def test_lines_of_one_member_in_another_order_than_said_are_a_conflict() -> None:
    wire = SharedDecoder()
    wire.sends("a", Line(0, 1, "hello", 7.0))
    wire.sends("b", Line(0, 2, "hello", 8.0))
    wire.heard(said(1, "b")[:-1])
    wire.heard(said(2, "a")[:-1])

    assert len(wire.conflicts) == 1
    assert "member 0" in wire.conflicts[0]


def test_a_line_in_other_words_than_said_is_a_conflict() -> None:
    wire = SharedDecoder()
    wire.sends("a", Line(0, 1, "hello", 7.0))
    wire.heard(said(1, "a", "hullo")[:-1])

    assert len(wire.conflicts) == 1
    assert "hullo" in wire.conflicts[0]


def test_after_a_restart_numbers_begin_anew_and_lines_may_come_again() -> None:
    wire = SharedDecoder()
    wire.sends("a", Line(0, 1, "hello", 7.0))
    wire.heard(said(1, "a")[:-1])
    wire.restarted()
    wire.heard(said(1, "b", "something else")[:-1])
    wire.heard(said(2, "a")[:-1])

    assert (wire.conflicts, wire.doubled) == ([], 0)


def test_what_it_remembers_is_bounded() -> None:
    wire = SharedDecoder()
    for number in range(30_000):
        wire.sends(f"{number}", Line(0, number, "hello", 7.0))
        wire.chunk(said(number + 1, f"{number}"))

    assert max(len(value) for value in vars(wire).values() if isinstance(value, dict)) <= 20_000
    assert wire.line("0") is None
    assert wire.line("29999") is not None
