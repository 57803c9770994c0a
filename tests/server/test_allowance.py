from math import inf

from hypothesis import given
from hypothesis import strategies as st

from server.allowance import Allowance

bursts = st.integers(1, 50)
rates = st.floats(0.1, 1000)
starts = st.floats(0, 1e7)
waits = st.lists(st.floats(0, 20) | st.just(0.0), max_size=60)


def fresh(burst: int, rate: float, now: float) -> Allowance:
    return Allowance(burst, rate, float(burst), now)


def takes(allowance: Allowance, now: float) -> bool:
    """Take a line if it is there."""
    if ready := allowance.ready(now):
        allowance.take(now)
    return ready


@given(bursts, rates, starts, waits)
def test_never_more_is_taken_than_the_burst_and_what_was_earned_since(
    burst: int, rate: float, start: float, waits: list[float]
) -> None:
    allowance, now, taken = fresh(burst, rate, start), start, 0
    for wait in waits:
        now += wait
        while takes(allowance, now):
            taken += 1
            assert taken <= burst + rate * (now - start) + 1e-3


@given(bursts, rates, starts)
def test_who_waits_for_each_line_gets_each_line_in_time(burst: int, rate: float, start: float) -> None:
    allowance, now = fresh(burst, rate, start), start
    for _ in range(burst + 20):
        now = max(now, allowance.next_at())
        assert takes(allowance, now)
    assert now - start <= 20 / rate + 1e-3


@given(bursts, rates, starts)
def test_the_whole_burst_comes_back_after_a_pause(burst: int, rate: float, start: float) -> None:
    allowance = fresh(burst, rate, start)
    while takes(allowance, start):
        pass
    assert not allowance.full(start)
    assert allowance.full(start + (burst + 1) / rate)


@given(bursts, starts)
def test_a_rate_of_0_is_no_limit(burst: int, start: float) -> None:
    allowance = fresh(burst, 0.0, start)
    assert all(takes(allowance, start) for _ in range(burst * 3))
    assert allowance.ready(start)
    assert allowance.full(start)
    assert allowance.next_at() == -inf


def test_a_clock_that_goes_back_earns_nothing_and_takes_nothing_away() -> None:
    allowance = fresh(2, 1.0, 100.0)
    assert takes(allowance, 100.0)
    assert takes(allowance, 50.0)
    assert not takes(allowance, 50.0)
    assert takes(allowance, 101.0)
