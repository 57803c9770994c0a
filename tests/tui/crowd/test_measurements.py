"""Latencies are counted in buckets, which keep them to within one per cent. Switches are measured from the request to
two seconds after the event.
"""

import pytest

from protocol.client import ClientConnection
from protocol.messages import ModelSwitched
from tui.crowd.checker import SharedDecoder
from tui.crowd.measurements import AFTERMATH_S, SWITCH_TIMEOUT_S, Histogram, SwitchWatch, Timeline
from tui.crowd.member import Member


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


SWITCHED = ModelSwitched(7, 1.0, "thread", "event", 0.25, 2)


def members(*waits: float) -> list[Member]:
    crowd = [
        Member(number, ClientConnection("ada", str), SharedDecoder(), is_checking=False) for number in range(len(waits))
    ]
    for member, wait in zip(crowd, waits, strict=True):
        member.longest_wait = wait
    return crowd


def test_switch_pause_is_the_longest_latency_of_any_member() -> None:
    watch = SwitchWatch()
    watch.on_requested(crowd := members(9.0, 9.0, 9.0), 100.0)
    assert [member.longest_wait for member in crowd] == [0.0, 0.0, 0.0]
    for member, wait in zip(crowd, (0.3, 0.1, 0.2), strict=True):
        member.longest_wait = wait

    watch.on_switched(SWITCHED, 100.5, 90.0)
    watch.on_switched(SWITCHED, 100.6, 90.0)
    watch.on_dropped()
    watch.tick(crowd, 100.6)
    assert not watch.is_idle
    watch.tick(crowd, 100.5 + AFTERMATH_S)

    (seen,) = watch.done
    assert (seen.at, seen.before, seen.after) == (10.5, "event", "thread")
    assert (seen.pause, seen.median_pause, seen.reported_pause) == (0.3, 0.2, 0.25)
    assert (seen.carried, seen.dropped, seen.took) == (2, 1, 0.5)
    assert watch.is_idle


def test_silence_around_a_switch_is_no_pause() -> None:
    watch = SwitchWatch()
    watch.on_requested(crowd := members(0.0), 100.0)
    watch.on_switched(SWITCHED, 100.007, 90.0)
    watch.tick(crowd, 102.5)

    assert watch.done[0].pause == 0.0


def test_switch_pause_includes_unanswered_lines() -> None:
    watch = SwitchWatch()
    watch.on_requested(crowd := members(0.0), 99.0)
    crowd[0].say("hello?", 99.5)
    watch.on_switched(SWITCHED, 100.0, 90.0)
    watch.tick(crowd, 105.5)

    assert watch.done[0].pause == 6.0


def test_switch_of_another_operator_is_measured() -> None:
    watch = SwitchWatch()
    watch.tick(crowd := members(9.0), 99.5)
    crowd[0].longest_wait = 0.5
    watch.on_switched(SWITCHED, 100.0, 90.0)
    watch.tick(crowd, 100.0 + AFTERMATH_S)

    assert watch.done[0].pause == 0.5


def test_a_switch_that_is_refused_or_never_comes_has_failed() -> None:
    watch = SwitchWatch()
    watch.on_requested([], 10.0)
    watch.on_refused()
    watch.on_requested([], 20.0)
    watch.tick([], 21.0 + SWITCH_TIMEOUT_S)

    assert watch.failed == 2
    assert watch.is_idle
