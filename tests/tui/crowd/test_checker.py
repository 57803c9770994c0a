"""SequenceChecker distinguishes lost, doubled and out-of-order events. SharedDecoder decodes and compares the room's
output once for the whole crowd."""

from typing import get_args

import pytest

from protocol.json_lines import encode
from protocol.messages import Event, ModelSwitched, Notice, Presence, Rules, RulesChanged, Said, Sequenced, Status
from tui.crowd.checker import IRREGULAR, MAX_MISSING, OwnLine, SequenceChecker, SharedDecoder


def seen(*seqs: int) -> tuple[int, int, int]:
    checker = SequenceChecker()
    for seq in seqs:
        checker.see(seq)
    return checker.lost, checker.doubled, checker.disordered


def test_numbers_that_follow_each_other_are_all_right() -> None:
    assert seen(1, 2, 3, 4) == (0, 0, 0)


def test_a_number_that_never_comes_is_lost() -> None:
    assert seen(1, 2, 5, 6) == (2, 0, 0)


def test_a_number_that_comes_again_is_doubled() -> None:
    assert seen(1, 2, 3, 2, 3) == (0, 2, 0)


def test_checker_swapped_numbers_are_out_of_order_not_lost() -> None:
    assert seen(1, 3, 2, 4) == (0, 0, 1)


def test_a_gap_that_the_room_tells_of_is_not_lost() -> None:
    checker = SequenceChecker()
    checker.begin(10)
    checker.gap(5)
    checker.see(16)

    assert (checker.lost, checker.reported_gaps) == (0, 5)


def test_checker_expected_events_that_did_not_come_are_lost() -> None:
    checker = SequenceChecker()
    checker.begin(3)
    checker.expect(5)
    checker.expect(4)

    assert (checker.lost, checker.last) == (2, 5)


def test_a_jump_beyond_all_bounds_is_counted_and_costs_no_memory() -> None:
    checker = SequenceChecker()
    checker.see(10**12)

    assert checker.lost == 10**12 - 1
    assert MAX_MISSING < 10**12


def said(seq: int, id: str = "", text: str = "hello") -> bytes:
    return encode(Said(seq, "ada", text, 1.0, id))


def test_decoder_chunk_of_consecutive_lines_is_regular() -> None:
    decoder = SharedDecoder()
    decoder.register("a", OwnLine(0, 1, "hello", 7.0))

    chunk = decoder.decode_chunk(said(4, "a") + said(5, "b") + encode(ModelSwitched(6, 1.0, "thread", "event", 0.1, 3)))

    assert (chunk.first, chunk.last, chunk.said, chunk.own) == (4, 6, ("a", "b"), (7.0,))
    assert [switched.model for switched in chunk.switched] == ["thread"]


def test_a_chunk_with_half_a_line_a_gap_or_a_letter_is_irregular() -> None:
    decoder = SharedDecoder()

    assert decoder.decode_chunk(said(1)[:-3]) is IRREGULAR
    assert decoder.decode_chunk(said(1) + said(3)) is IRREGULAR
    assert decoder.decode_chunk(said(1) + encode(Status("event", 1, "event loop"))) is IRREGULAR
    assert decoder.decode_chunk(b"*** goodbye: the room is full\n") is IRREGULAR


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
def test_decoder_finds_the_number_of_each_broadcast_event(event: Event) -> None:
    assert type(event) in get_args(Sequenced)
    assert SharedDecoder().decode_line(encode(event)[:-1]).seq == 5
    assert (SharedDecoder().decode_chunk(encode(event)).first, SharedDecoder().decode_chunk(encode(event)).last) == (
        5,
        5,
    )


def test_the_same_bytes_are_understood_once() -> None:
    decoder = SharedDecoder()

    assert decoder.decode_chunk(said(1)) is decoder.decode_chunk(said(1))


def test_a_number_that_means_two_things_is_a_conflict() -> None:
    decoder = SharedDecoder()
    decoder.decode_line(said(1, text="this")[:-1])
    decoder.decode_line(said(1, text="this")[:-1])
    assert decoder.conflicts == []

    decoder.decode_line(said(1, text="that")[:-1])

    assert len(decoder.conflicts) == 1
    assert "event 1" in decoder.conflicts[0]


def test_one_of_our_lines_under_two_numbers_is_doubled() -> None:
    decoder = SharedDecoder()
    decoder.register("a", OwnLine(0, 1, "hello", 7.0))
    decoder.decode_line(said(1, "a")[:-1])
    decoder.decode_line(said(2, "a")[:-1])

    assert decoder.doubled == 1


def test_decoder_reordered_lines_of_a_member_are_a_conflict() -> None:
    decoder = SharedDecoder()
    decoder.register("a", OwnLine(0, 1, "hello", 7.0))
    decoder.register("b", OwnLine(0, 2, "hello", 8.0))
    decoder.decode_line(said(1, "b")[:-1])
    decoder.decode_line(said(2, "a")[:-1])

    assert len(decoder.conflicts) == 1
    assert "member 0" in decoder.conflicts[0]


def test_a_line_in_other_words_than_said_is_a_conflict() -> None:
    decoder = SharedDecoder()
    decoder.register("a", OwnLine(0, 1, "hello", 7.0))
    decoder.decode_line(said(1, "a", "hullo")[:-1])

    assert len(decoder.conflicts) == 1
    assert "hullo" in decoder.conflicts[0]


def test_decoder_after_restart_accepts_old_numbers_and_lines() -> None:
    decoder = SharedDecoder()
    decoder.register("a", OwnLine(0, 1, "hello", 7.0))
    decoder.decode_line(said(1, "a")[:-1])
    decoder.forget_numbers()
    decoder.decode_line(said(1, "b", "something else")[:-1])
    decoder.decode_line(said(2, "a")[:-1])

    assert (decoder.conflicts, decoder.doubled) == ([], 0)


def test_decoder_caches_are_bounded() -> None:
    decoder = SharedDecoder()
    for number in range(30_000):
        decoder.register(f"{number}", OwnLine(0, number, "hello", 7.0))
        decoder.decode_chunk(said(number + 1, f"{number}"))

    assert max(len(value) for value in vars(decoder).values() if isinstance(value, dict)) <= 20_000
    assert decoder.own_line("0") is None
    assert decoder.own_line("29999") is not None
