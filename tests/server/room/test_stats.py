import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.room.stats import MAX_LATENCIES, RoomStats


def test_count_line_counts_a_delivery_for_each_recipient() -> None:
    stats = RoomStats()
    stats.rates(100.0)
    for _ in range(10):
        stats.count_line(37)
    assert stats.rates(102.0) == (5.0, 185.0)
    assert stats.totals.lines == 10


def test_each_reading_begins_anew() -> None:
    stats = RoomStats()
    stats.rates(100.0)
    stats.count_line(3)
    stats.rates(101.0)
    assert stats.rates(102.0) == (0.0, 0.0)


def test_percentiles_and_longest_cover_delivered_lines() -> None:
    stats = RoomStats()
    stats.add_latencies([100.0 - second / 100 for second in range(100)], 100.0)
    assert stats.percentile(0.5) == pytest.approx(0.5)
    assert stats.percentile(0.99) == pytest.approx(0.99)
    assert stats.totals.longest == pytest.approx(0.99)


def test_without_a_line_there_is_no_percentile() -> None:
    assert RoomStats().percentile(0.99) == 0.0


def test_forget_latencies_keeps_the_totals() -> None:
    stats = RoomStats()
    stats.add_latencies([90.0], 100.0)
    stats.forget_latencies()
    assert stats.percentile(0.5) == 0.0
    assert stats.totals.longest == 10.0


def test_a_clock_that_is_set_back_makes_no_negative_latency() -> None:
    stats = RoomStats()
    stats.add_latencies([100.0], 50.0)
    assert stats.percentile(0.5) == stats.totals.longest == 0.0


def test_only_the_last_lines_count_for_the_percentiles() -> None:
    stats = RoomStats()
    stats.add_latencies([0.0], 100.0)
    stats.add_latencies([99.0] * MAX_LATENCIES, 100.0)
    assert stats.percentile(1.0) == 1.0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0, 1), st.floats(0, 1))
def test_percentiles_are_times_that_were_taken_and_grow(taken: list[float], one: float, other: float) -> None:
    stats = RoomStats()
    stats.add_latencies([100.0 - seconds for seconds in taken], 100.0)
    low, high = stats.percentile(min(one, other)), stats.percentile(max(one, other))
    assert low <= high
    for figure in (low, high):
        assert min(abs(figure - seconds) for seconds in taken) < 1e-9


@pytest.mark.parametrize(
    ("code", "counted"),
    [
        ("slow", {"slowed": 1}),
        ("escaped", {"escaped": 1}),
        ("look-alike", {"look_alikes": 1}),
        ("line-too-long", {"oversized": 1, "refused": 1}),
        ("text-too-long", {"oversized": 1, "refused": 1}),
        ("muted", {"refused": 1}),
        ("nickname-taken", {"refused": 1}),
        ("too-slow", {"let_go": 1}),
        ("kicked", {"let_go": 1}),
        ("banned", {"let_go": 1}),
        ("join-timeout", {"let_go": 1}),
        ("quit", {}),
        ("closing", {}),
        ("taken-over", {}),
        ("help", {}),
    ],
)
def test_count_code_updates_the_matching_total(code: str, counted: dict[str, int]) -> None:
    stats = RoomStats()
    stats.count_code(code)
    tally = {name: getattr(stats.totals, name) for name in stats.totals.__struct_fields__}
    assert {name: count for name, count in tally.items() if count} == counted


def test_the_record_keeps_the_most_people_at_once() -> None:
    stats = RoomStats()
    for count in (3, 37, 12):
        stats.count_people(count)
    assert stats.totals.most_people == 37
