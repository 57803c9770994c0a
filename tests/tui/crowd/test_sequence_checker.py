"""SequenceChecker distinguishes lost, doubled and out-of-order events."""

from tui.crowd.sequence_checker import MAX_MISSING, SequenceChecker


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
