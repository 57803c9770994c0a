"""Latencies are counted in buckets, which keep them to within one per cent."""

import pytest

from tui.crowd.latency import Histogram, Timeline


def test_a_quantile_is_within_a_per_cent_of_the_measurement() -> None:
    histogram = Histogram()
    for milliseconds in range(1, 1001):
        histogram.record(milliseconds / 1000)

    assert histogram.total == 1000
    assert histogram.quantile(0.5) == pytest.approx(0.5, rel=0.011)
    assert histogram.quantile(0.99) == pytest.approx(0.99, rel=0.011)
    assert histogram.quantile(1.0) == pytest.approx(1.0, rel=0.011)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9])
def test_histogram_counts_less_than_a_microsecond_as_one(seconds: float) -> None:
    histogram = Histogram()
    histogram.record(seconds)

    assert histogram.quantile(1.0) == pytest.approx(1e-6, rel=0.011)


def test_nothing_measured_is_zero() -> None:
    assert Histogram().quantile(0.5) == 0.0
    assert Timeline(0.0, 1.0).samples() == []


def test_timeline_has_a_sample_for_each_measured_interval() -> None:
    timeline = Timeline(100.0, 0.5)
    for now, seconds in ((100.1, 0.010), (100.4, 0.030), (102.0, 0.5)):
        timeline.record(now, seconds)

    first, second = timeline.samples()

    assert (first.at, first.deliveries) == (0.0, 2)
    assert first.p50 == pytest.approx(0.010, rel=0.011)
    assert first.longest == pytest.approx(0.030, rel=0.011)
    assert (second.at, second.deliveries) == (2.0, 1)
    assert timeline.whole().total == 3
