"""The measured round trip, and the detection of silence."""

import pytest

from protocol.messages import Limits
from tui.link.pings import FIRST_PING_DELAY_S, PING_INTERVAL_S, Pings, first_delay, interval, is_silent


def test_only_the_answer_to_our_own_ping_tells_the_round_trip() -> None:
    pings = Pings()
    assert pings.round_trip is None
    first = pings.begin(10.0)
    assert pings.waiting
    assert not pings.answered("another", 11.0)
    assert pings.answered(first, 10.5)
    assert (pings.round_trip, pings.waiting) == (0.5, False)
    assert not pings.answered(first, 12.0)
    assert pings.begin(20.0) != first


def test_round_trip_changes_only_where_that_is_notable() -> None:
    pings = Pings()
    shown = []
    for measured in (0.015, 0.0003, 0.007, 0.0004, 0.2, 0.25, 0.09, 0.001):
        pings.answered(pings.begin(1.0), 1.0 + measured)
        shown.append(round(pings.round_trip or 0, 4))
    assert shown == [0.015, 0.0003, 0.0003, 0.0003, 0.0003, 0.0003, 0.09, 0.001]


def test_slow_ping_among_fast_ones_changes_nothing() -> None:
    """A busy machine is slow for a moment, and an idle client must not redraw."""
    pings = Pings()
    for measured in (0.001, 1.0, 0.001, 1.0, 1.0, 0.001):
        pings.answered(pings.begin(1.0), 1.0 + measured)
        assert pings.round_trip == pytest.approx(0.001)


def test_slow_pings_in_a_row_are_shown() -> None:
    pings = Pings()
    for measured in (0.001, 0.5, 0.4, 0.6):
        pings.answered(pings.begin(1.0), 1.0 + measured)
    assert pings.round_trip == pytest.approx(0.4)


def test_a_new_connection_knows_nothing_of_the_one_before() -> None:
    pings = Pings()
    old = pings.begin(1.0)
    pings.forget()
    assert not pings.answered(old, 2.0)
    assert pings.round_trip is None


def test_pings_take_a_tenth_of_the_flood_allowance_at_most() -> None:
    assert [interval(Limits(rate=rate)) for rate in (0, 2.0, 100.0)] == [PING_INTERVAL_S] * 3
    assert interval(Limits(rate=0.1)) == 100


def test_a_room_that_lets_the_silent_go_is_pinged_in_time() -> None:
    assert interval(Limits(idle_timeout=3.0)) == 1.5
    assert interval(Limits(idle_timeout=600.0)) == PING_INTERVAL_S


def test_silence_is_too_long_after_three_pings() -> None:
    assert is_silent(15, Limits(rate=0))
    assert not is_silent(14.9, Limits(rate=0))
    assert not is_silent(15, Limits(rate=0.1))
    assert not is_silent(14.9, Limits(idle_timeout=1.0))


def test_first_ping_waits_until_the_room_is_shown() -> None:
    assert first_delay(Limits()) == FIRST_PING_DELAY_S
    assert first_delay(Limits(idle_timeout=1.0)) == 0.5
