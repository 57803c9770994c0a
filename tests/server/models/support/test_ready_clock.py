import pytest

from server.models.support.poller import ReadyClock


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> str:
        self.now += seconds
        return "something"


@pytest.mark.parametrize(
    ("busy", "slept", "waited"),
    [
        (2.0, 0.0, 2.0),  # The data was ready already, and may have arrived at any time since the last poll.
        (0.001, 0.25, 0.0),  # The data has just arrived.
        (0.0, 0.0, 0.0),
    ],
)
def test_ready_clock_without_sleep_counts_the_busy_time(busy: float, slept: float, waited: float) -> None:
    clock = Clock()
    ready_clock = ReadyClock(clock)
    assert ready_clock.wait(clock.sleep, 1.0) == "something"
    clock.now += busy
    ready_clock.wait(clock.sleep, slept)
    assert clock.now - ready_clock.ready_since == pytest.approx(waited)
