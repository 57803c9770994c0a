"""Many similar log records, and many events of a flood."""

import logging
import re

import pytest

from server import log_limit
from server.log_limit import MAX_FLOOD_KINDS, MAX_LISTED_ADDRESSES, DuplicateFilter, FloodLog
from tests.server.records import raised, record


def test_similar_records_are_limited_and_counted() -> None:
    few = DuplicateFilter()
    records = [record("no room for connection %d", number) for number in range(500)]
    for number, each in enumerate(records):
        each.created = 1000 + number / 100
    assert [each for each in records if few.filter(each)] == records[:10]
    later = record("no room for connection %d", 500)
    later.created = 1010.5
    assert few.filter(later)
    assert re.fullmatch(r"no room for connection 500 \(and 490 more like it since \d\d:\d\d:\d\d\)", later.getMessage())


def test_records_of_different_kinds_do_not_count_for_each_other() -> None:
    few = DuplicateFilter()
    assert all(few.filter(record(f"{kind} %d", number)) for kind in "abc" for number in range(10))


def test_failures_from_different_places_are_not_grouped() -> None:
    few = DuplicateFilter()

    def failing(number: int, error: Exception) -> logging.LogRecord:
        return record("connection %d failed, and ends", number, error=raised(error))

    assert [few.filter(failing(number, KeyError(number))) for number in range(12)] == [True] * 10 + [False] * 2
    assert few.filter(failing(12, ValueError("another type")))
    with pytest.raises(KeyError) as elsewhere:
        {}["the same type"]
    assert few.filter(record("connection %d failed, and ends", 13, error=elsewhere.value))


def test_failures_as_text_are_grouped_by_place() -> None:
    few = DuplicateFilter()

    def failing(number: int, place: str) -> logging.LogRecord:
        words = f"Traceback (most recent call last):\n  {place}\nKeyError: {number}\n"
        return record("connection %d failed, and ends", number, error=RuntimeError(words))

    assert [few.filter(failing(number, "line 7")) for number in range(12)] == [True] * 10 + [False] * 2
    assert few.filter(failing(12, "line 8"))


def test_debug_records_are_all_written() -> None:
    few = DuplicateFilter()
    records = [record("connection %d opened", number) for number in range(500)]
    for each in records:
        each.levelno = logging.DEBUG
    assert all(few.filter(each) for each in records)


def test_a_clock_that_is_set_back_does_not_silence_the_log() -> None:
    few = DuplicateFilter()
    for _ in range(20):
        few.filter(record("trouble"))
    back = record("trouble")
    back.created -= 3600
    assert few.filter(back)


def test_groups_of_records_are_bounded() -> None:
    few = DuplicateFilter()
    for number in range(5000):
        assert few.filter(record(f"kind {number}"))
    assert len(few._groups) <= log_limit.MAX_GROUPS


def test_the_first_is_told_at_once_and_then_a_line_a_minute() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    for second in range(121):
        for _ in range(100):
            log.count("line not said", "192.0.2.7", 1000.0 + second)
    assert lines == [
        "flood: 1 line not said from 192.0.2.7",
        "flood: 6,000 lines not said from 192.0.2.7",
        "flood: 6,000 lines not said from 192.0.2.7",
    ]


def test_kinds_and_addresses_are_in_one_line() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    log.count("proof refused", "192.0.2.1", 0.0)
    for number in range(MAX_LISTED_ADDRESSES + 2):
        log.count("proof refused", f"192.0.2.{number}", 1.0)
    for _ in range(1500):
        log.count("connection rejected", "192.0.2.0", 1.0)
    log.flush(59.9)
    assert len(lines) == 1
    log.flush(60.0)
    assert lines[1].startswith("flood: 1,500 connections rejected, 1 proof refused from 192.0.2.0; ")
    assert lines[1].endswith("; and from 2 other addresses")


def test_nothing_is_told_where_nothing_happened() -> None:
    lines: list[str] = []
    FloodLog(lines.append).flush(1e9)
    assert lines == []


def test_a_clock_set_back_silences_nothing_for_long() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    log.count("proof refused", "192.0.2.1", 1e9)
    log.count("proof refused", "192.0.2.1", 100.0)
    assert len(lines) == 2


def test_flood_counts_are_bounded() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    for number in range(2 * MAX_FLOOD_KINDS):
        log.count("proof refused", f"{number}", 0.0)
    assert len(log._counts) <= MAX_FLOOD_KINDS


def test_allowed_events_are_no_flood() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    assert [log.count("proof refused", "192.0.2.1", 0.0, allowed=2) for _ in range(4)] == [False, False, True, True]
    assert not log.count("proof refused", "192.0.2.1", 61.0, allowed=2)
    assert lines == ["flood: 1 proof refused from 192.0.2.1"]
