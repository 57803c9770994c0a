import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.message_log import store as log_module
from tui.message_log.entries import Entry, Kind
from tui.message_log.layout import columns
from tui.message_log.store import BLOCK, MAX_ENTRIES, EntryStore, Place

WIDE, SMALL = columns(100, True), columns(30, False)


def said(text: str) -> Entry:
    return Entry(Kind.SAID, text, "ada", 1e9)


def filled(lengths: list[int]) -> EntryStore:
    log = EntryStore()
    log.set_columns(WIDE)
    for length in lengths:
        log.append(said("word " * length))
    return log


def every_row(log: EntryStore) -> list[Place]:
    return [Place(serial, row) for serial in range(log.first, log.next) for row in range(log.count(serial))]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=700), st.integers(0, 800))
def test_each_row_is_found_and_counts_add_up(lengths: list[int], mark: int) -> None:
    log = filled(lengths)
    log.set_mark(mark)
    places = every_row(log)
    assert log.rows == len(places)
    for y in {0, 1, len(places) // 3, len(places) - 1}:
        if y < len(places):
            assert log.place(y) == places[y]
            assert log.top(places[y].serial) + places[y].row == y


def test_after_a_new_width_the_settled_part_is_exact_and_the_rest_becomes_so() -> None:
    log = filled([30] * 2_000)
    log.set_columns(SMALL)
    log.settle(1_990, 1_999)
    assert log.count(1_999) == 8
    assert log.top(1_999) - log.top(1_998) == 8
    while log.settle_more(1_999):
        pass
    assert log.rows == len(every_row(log)) == 2_000 * 8
    assert log.place(log.rows - 1) == Place(1_999, 7)


def test_an_estimate_is_near_enough_for_a_scroll_bar() -> None:
    log = filled([30] * 5_000)
    log.set_columns(SMALL)
    estimated = log.rows
    while log.settle_more(0):
        pass
    assert estimated == pytest.approx(log.rows, rel=0.3)


def test_unsettled_rows_are_found_about_where_they_are() -> None:
    log = filled([30] * 5_000)
    log.set_columns(SMALL)
    assert log.place(log.rows // 2).serial == pytest.approx(2_500, abs=10)
    assert log.place(0) == Place(0, 0)


def test_the_nearest_block_is_settled_first() -> None:
    log = filled([30] * (BLOCK * 5))
    log.set_columns(SMALL)
    log.settle_more(BLOCK * 2)
    assert log.top(BLOCK * 2 + 1) - log.top(BLOCK * 2) == 8


def test_the_oldest_fall_off_and_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_ENTRIES", BLOCK * 4)
    log = EntryStore()
    for index in range(BLOCK * 10 + 7):
        assert log.append(said(str(index))) == index
    assert len(log) <= BLOCK * 4
    assert log.first == BLOCK * 7
    assert log.entry(log.first - 1) is None
    for serial, entry in log.entries(0):
        assert entry.text == str(serial)
    assert log.top(0) == 0
    assert log.rows == len(every_row(log))


def test_a_hundred_thousand_entries_are_kept() -> None:
    log = EntryStore()
    entry = said("x")
    for _ in range(MAX_ENTRIES + BLOCK * 2):
        log.append(entry)
    assert MAX_ENTRIES - BLOCK <= len(log) <= MAX_ENTRIES


def test_huge_texts_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_CHARACTERS", 100_000)
    log = EntryStore()
    for _ in range(BLOCK * 10):
        log.append(said("x" * 100))
    assert sum(len(entry.text) for _, entry in log.entries(0)) <= 100_000 + BLOCK * 100


def test_what_waits_lies_behind_all_others_until_it_arrives() -> None:
    log = filled([1, 1])
    log.wait("a", said("mine"))
    log.wait("b", said("mine too " * 30))
    log.append(said("another's"))
    assert [entry.text for serial in range(6) if (entry := log.entry(serial))][3:] == ["mine", "mine too " * 30]
    assert log.place(3) == Place(3, 0)
    assert log.place(log.rows - 1).serial == 4
    assert log.top(4) == 4
    assert log.rows == sum(log.count(serial) for serial in range(5))
    assert log.arrived("a") is not None
    assert log.arrived("a") is None
    assert log.place(3).serial == 3
    assert log.entry(4) is None


def test_the_last_entry_can_change() -> None:
    log = filled([1, 1])
    log.change_last(Entry(Kind.CROWD, "word " * 60))
    assert log.count(1) > 1
    assert log.rows == len(every_row(log))


def test_the_mark_adds_a_row_and_moves() -> None:
    log = filled([1] * 600)
    log.set_mark(300)
    assert (log.rows, log.count(300), log.top(301)) == (601, 2, 302)
    log.set_mark(10)
    assert (log.rows, log.count(300), log.count(10)) == (601, 1, 2)
    log.set_mark(None)
    assert log.rows == 600


def test_a_cleared_log_goes_on_counting_and_keeps_what_waits() -> None:
    log = filled([1] * 300)
    log.wait("a", said("mine"))
    log.clear()
    assert (log.rows, len(log), log.next) == (1, 0, 300)
    assert log.append(said("on")) == 300
    assert log.place(0) == Place(300, 0)


def test_an_empty_log_has_no_rows() -> None:
    log = EntryStore()
    assert (log.rows, log.place(0), log.top(5), log.count(0)) == (0, Place(0, 0), 0, 0)
    assert not log.settle_more(0)
    assert not log.settle(0, 10)
