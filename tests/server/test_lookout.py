import pytest

from server.lookout import Lookout


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
        (2.0, 0.0, 2.0),  # It was there already, and may have come as soon as nobody looked.
        (0.001, 0.25, 0.0),  # It came just now.
        (0.0, 0.0, 0.0),
    ],
)
def test_what_is_found_without_sleeping_may_have_waited_as_long_as_nobody_looked(
    busy: float, slept: float, waited: float
) -> None:
    clock = Clock()
    lookout = Lookout(clock)
    assert lookout.wait(clock.sleep, 1.0) == "something"
    clock.now += busy
    lookout.wait(clock.sleep, slept)
    assert clock.now - lookout.since == pytest.approx(waited)
