from math import inf

from hypothesis import given
from hypothesis import strategies as st

from server.models.support.poller import TimerHeap

numbers = st.integers(1, 5)
times = st.integers(0, 50).map(float)
steps = st.lists(
    st.tuples(st.just("plan"), numbers, times) | st.tuples(st.sampled_from(["forget", "take"]), numbers, times),
    max_size=60,
)


@given(steps)
def test_timer_fires_once_at_the_earliest_time(steps: list[tuple[str, int, float]]) -> None:
    timers, wished, now = TimerHeap(), dict[int, float](), 0.0
    for step, number, time in steps:
        if step == "plan":
            timers.schedule(number, time)
            wished[number] = min(time, wished.get(number, inf))
        elif step == "forget":
            timers.cancel(number)
            wished.pop(number, None)
        else:
            now = max(now, time)
            due = sorted((when, number) for number, when in wished.items() if when <= now)
            assert timers.pop_due(now) == [number for _, number in due]
            for _, number in due:
                del wished[number]
        assert timers.next_due() <= min(wished.values(), default=inf)


def test_without_a_wish_there_is_no_deadline() -> None:
    timers = TimerHeap()
    timers.schedule(1, inf)
    assert timers.next_due() == inf
    assert timers.pop_due(1e9) == []


def test_a_deadline_is_due_at_its_time_and_not_before() -> None:
    timers = TimerHeap()
    timers.schedule(1, 5.0)
    assert timers.pop_due(4.999) == []
    assert timers.next_due() == 5.0
    assert timers.pop_due(5.0) == [1]
    assert timers.next_due() == inf


def test_timers_with_far_deadlines_stay_bounded() -> None:
    timers = TimerHeap()
    for second in range(10_000):
        timers.schedule(1, second + 3600.0)
        timers.schedule(1, second + 0.5)
        assert timers.pop_due(second + 0.5) == [1]
    assert len(timers) <= 100


def test_timers_of_ended_connections_leave_nothing() -> None:
    timers = TimerHeap()
    for number in range(5000):
        timers.schedule(number, number + 10.0)
        timers.cancel(number)
    assert len(timers) <= 100
