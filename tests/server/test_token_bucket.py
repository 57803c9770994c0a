from math import inf

from hypothesis import given
from hypothesis import strategies as st

from server.token_bucket import TokenBucket

bursts = st.integers(1, 50)
rates = st.floats(0.1, 1000)
starts = st.floats(0, 1e7)
waits = st.lists(st.floats(0, 20) | st.just(0.0), max_size=60)


def fresh(burst: int, rate: float, now: float) -> TokenBucket:
    return TokenBucket.full(burst, rate, now)


def takes(bucket: TokenBucket, now: float) -> bool:
    """Take a line if it is there."""
    if ready := bucket.has_token(now):
        bucket.consume(now)
    return ready


@given(bursts, rates, starts, waits)
def test_bucket_gives_at_most_the_burst_and_the_rate_since(
    burst: int, rate: float, start: float, waits: list[float]
) -> None:
    bucket, now, taken = fresh(burst, rate, start), start, 0
    for wait in waits:
        now += wait
        while takes(bucket, now):
            taken += 1
            assert taken <= burst + rate * (now - start) + 1e-3


@given(bursts, rates, starts)
def test_member_that_waits_for_each_line_gets_it_in_time(burst: int, rate: float, start: float) -> None:
    bucket, now = fresh(burst, rate, start), start
    for _ in range(burst + 20):
        now = max(now, bucket.next_token_at())
        assert takes(bucket, now)
    assert now - start <= 20 / rate + 1e-3


@given(bursts, rates, starts)
def test_the_whole_burst_comes_back_after_a_pause(burst: int, rate: float, start: float) -> None:
    bucket = fresh(burst, rate, start)
    while takes(bucket, start):
        pass
    assert not bucket.is_full(start)
    assert bucket.is_full(start + (burst + 1) / rate)


@given(bursts, rates, starts)
def test_bucket_after_a_long_pause_has_no_more_than_the_burst(burst: int, rate: float, start: float) -> None:
    bucket, later = fresh(burst, rate, start), start + 1e4
    bucket.consume(start)
    assert sum(takes(bucket, later) for _ in range(burst + 1)) == burst


@given(bursts, starts)
def test_a_rate_of_0_is_no_limit(burst: int, start: float) -> None:
    bucket = fresh(burst, 0.0, start)
    assert all(takes(bucket, start) for _ in range(burst * 3))
    assert bucket.has_token(start)
    assert bucket.is_full(start)
    assert bucket.next_token_at() == -inf


def test_bucket_keeps_its_tokens_if_the_clock_goes_back() -> None:
    bucket = fresh(2, 1.0, 100.0)
    assert takes(bucket, 100.0)
    assert takes(bucket, 50.0)
    assert not takes(bucket, 50.0)
    assert takes(bucket, 101.0)
