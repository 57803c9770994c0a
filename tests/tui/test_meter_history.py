import pytest

from protocol.format import format_bytes
from protocol.messages import MeterReading, ModelSwitched, Totals
from tui.meter_history import (
    MAX_READINGS,
    MeterHistory,
    comparison,
    format_cores,
    format_rate,
    format_seconds,
    totals_rows,
)


def reading(model: str = "event", **fields: float | Totals) -> MeterReading:
    values: dict[str, object] = {
        "at": 1000.0,
        "model": model,
        "connections": 3,
        "people": 3,
        "lines": 0.0,
        "deliveries": 0.0,
        "p50": 0.0,
        "p99": 0.0,
        "processes": 1,
        "threads": 1,
        "memory": 2**20,
        "memory_each": 1024,
        "cpu": 0.1,
        "tally": Totals(),
        **fields,
    }
    return MeterReading(**values)  # type: ignore[arg-type]  # as given


def switched(model: str, pause: float) -> ModelSwitched:
    return ModelSwitched(1, 1000.0, model, "event", pause, 3)


def cells(metering: MeterHistory, name: str) -> list[str]:
    return next(cells for row, cells in comparison(metering)[1] if row.strip() == name)


def test_each_model_is_shown_by_its_busiest_second_as_a_whole() -> None:
    metering = MeterHistory()
    metering.add(reading(deliveries=10.0, p50=0.001, memory=5 * 2**20))
    metering.add(reading(deliveries=900.0, p50=0.004, memory=7 * 2**20))
    metering.add(reading(deliveries=20.0, p50=0.002, memory=9 * 2**20))
    assert cells(metering, "deliveries/s") == ["900"]
    assert cells(metering, "a line takes, p50") == ["4 ms"]
    assert cells(metering, "memory") == ["7.0 MiB"]


def test_processor_cores_are_a_mean_over_seconds() -> None:
    metering = MeterHistory()
    for cpu in (0.5, 0.5, 0.1, 0.0, 0.0, 0.0):
        metering.add(reading(cpu=cpu))
    metering.add(reading(deliveries=900.0, cpu=0.0))
    assert cells(metering, "processor cores") == ["0.02"]
    assert metering.cores == 0.02


def test_another_models_processor_time_is_not_counted_in() -> None:
    metering = MeterHistory()
    metering.add(reading("event", cpu=1.5))
    metering.add(reading("thread", cpu=1.5))  # Half of that second was the other's.
    metering.add(reading("thread", cpu=0.25))
    assert cells(metering, "processor cores") == ["0.25", "1.50"]


@pytest.mark.parametrize(("number", "text"), [(0.0, "<0.01"), (0.004, "<0.01"), (0.018, "0.02"), (1.5, "1.50")])
def test_cores_in_words(number: float, text: str) -> None:
    assert format_cores(number) == text


def test_without_lines_the_latest_second_stands_for_the_model() -> None:
    metering = MeterHistory()
    metering.add(reading(memory=5 * 2**20))
    metering.add(reading(memory=6 * 2**20))
    assert cells(metering, "memory") == ["6.0 MiB"]
    assert cells(metering, "a line takes, p50") == ["–"]


def test_the_first_second_after_a_switch_is_not_compared() -> None:
    metering = MeterHistory()
    metering.add(reading("event", deliveries=900.0))
    metering.add(reading("event", deliveries=900.0))
    metering.switched(switched("thread", 0.1))
    metering.add(reading("thread", deliveries=800.0))
    assert comparison(metering)[0] == ["event"]
    metering.add(reading("thread", deliveries=30.0))
    assert comparison(metering)[0] == ["thread", "event"]
    assert cells(metering, "deliveries/s") == ["30", "900"]


def test_models_have_a_fixed_order_with_unknown_ones_last() -> None:
    metering = MeterHistory()
    for model in ("event", "fibre", "process", "thread"):
        for _ in range(2):
            metering.add(reading(model))
    assert comparison(metering)[0] == ["process", "thread", "event", "fibre"]
    assert {len(row) for _, row in comparison(metering)[1]} == {4}


def test_pause_of_a_switch_belongs_to_the_new_model() -> None:
    metering = MeterHistory()
    metering.add(reading("event"))
    metering.switched(switched("thread", 0.041))
    metering.add(reading("thread"))
    metering.add(reading("thread"))
    assert cells(metering, "switch to it") == ["41 ms", "–"]
    metering.switched(switched("event", 0.007))
    assert cells(metering, "switch to it") == ["41 ms", "7 ms"]


def test_a_minute_is_drawn_and_no_more() -> None:
    metering = MeterHistory()
    for number in range(MAX_READINGS + 10):
        metering.add(reading(lines=float(number)))
    assert list(metering.lines) == [float(number) for number in range(10, MAX_READINGS + 10)]


def test_totals_rows_omit_zeros() -> None:
    assert totals_rows(Totals()) == [("most people", "0"), ("lines said", "0")]
    told = dict(
        totals_rows(Totals(most_people=37, lines=1200, slowed=3, died=1, escaped=2, look_alikes=1, longest=0.25))
    )
    assert told == {
        "most people": "37",
        "lines said": "1,200",
        "longest a line took": "250 ms",
        "slowed": "3",
        "died": "1",
        "attacks bounced:": "3",
        "with escape sequences": "2",
        "by look-alikes": "1",
    }


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0"), (0.25, "0.2"), (3.0, "3"), (9.94, "9.9"), (12.4, "12"), (48210.2, "48,210")]
)
def test_rates_in_words(number: float, text: str) -> None:
    assert format_rate(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00004, "0.04 ms"),
        (0.0004, "0.4 ms"),
        (0.0012, "1.2 ms"),
        (0.003, "3 ms"),
        (0.0234, "23 ms"),
        (0.9994, "999 ms"),
        (1.24, "1.2 s"),
        (0.0, "0.00 ms"),
    ],
)
def test_spans_in_words(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "–"), (-5, "–"), (430 * 1024, "430 KiB"), (2**20, "1.0 MiB"), (2**31, "2,048.0 MiB")],
)
def test_sizes_in_words(amount: int, text: str) -> None:
    assert format_bytes(amount) == text
