import logging
import re

import pytest

from server import log_limit
from server.log_limit import DuplicateFilter
from tests.server.records import raised, record


def test_of_many_records_alike_the_first_are_written_and_the_next_period_says_how_many_were_not() -> None:
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


def test_failures_of_one_message_are_of_different_kinds_where_another_bug_is_behind_them() -> None:
    few = DuplicateFilter()

    def failing(number: int, error: Exception) -> logging.LogRecord:
        return record("connection %d failed, and ends", number, error=raised(error))

    assert [few.filter(failing(number, KeyError(number))) for number in range(12)] == [True] * 10 + [False] * 2
    assert few.filter(failing(12, ValueError("another type")))
    with pytest.raises(KeyError) as elsewhere:
        {}["the same type"]
    assert few.filter(record("connection %d failed, and ends", 13, error=elsewhere.value))


def test_a_failure_that_came_as_text_is_told_from_another_by_its_place_and_not_by_its_words() -> None:
    few = DuplicateFilter()

    def failing(number: int, place: str) -> logging.LogRecord:
        words = f"Traceback (most recent call last):\n  {place}\nKeyError: {number}\n"
        return record("connection %d failed, and ends", number, error=RuntimeError(words))

    assert [few.filter(failing(number, "line 7")) for number in range(12)] == [True] * 10 + [False] * 2
    assert few.filter(failing(12, "line 8"))


def test_what_is_logged_for_debugging_is_written_whole() -> None:
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


def test_counting_kinds_takes_no_more_memory_however_many_there_are() -> None:
    few = DuplicateFilter()
    for number in range(5000):
        assert few.filter(record(f"kind {number}"))
    assert len(few._seen) <= log_limit.MOST_KINDS
