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
    store = EntryStore()
    store.set_columns(WIDE)
    for length in lengths:
        store.append(said("word " * length))
    return store


def every_row(store: EntryStore) -> list[Place]:
    return [Place(serial, row) for serial in range(store.first, store.next) for row in range(store.count(serial))]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=700), st.integers(0, 800))
def test_each_row_is_found_and_counts_add_up(lengths: list[int], mark: int) -> None:
    store = filled(lengths)
    store.set_mark(mark)
    places = every_row(store)
    assert store.rows == len(places)
    for y in {0, 1, len(places) // 3, len(places) - 1}:
        if y < len(places):
            assert store.locate(y) == places[y]
            assert store.top(places[y].serial) + places[y].row == y


def test_settle_after_a_new_width_makes_rows_exact() -> None:
    store = filled([30] * 2_000)
    store.set_columns(SMALL)
    store.settle(1_990, 1_999)
    assert store.count(1_999) == 8
    assert store.top(1_999) - store.top(1_998) == 8
    while store.settle_more(1_999):
        pass
    assert store.rows == len(every_row(store)) == 2_000 * 8
    assert store.locate(store.rows - 1) == Place(1_999, 7)


def test_an_estimate_is_near_enough_for_a_scroll_bar() -> None:
    store = filled([30] * 5_000)
    store.set_columns(SMALL)
    estimated = store.rows
    while store.settle_more(0):
        pass
    assert estimated == pytest.approx(store.rows, rel=0.3)


def test_unsettled_rows_are_found_about_where_they_are() -> None:
    store = filled([30] * 5_000)
    store.set_columns(SMALL)
    assert store.locate(store.rows // 2).serial == pytest.approx(2_500, abs=10)
    assert store.locate(0) == Place(0, 0)


def test_the_nearest_block_is_settled_first() -> None:
    store = filled([30] * (BLOCK * 5))
    store.set_columns(SMALL)
    store.settle_more(BLOCK * 2)
    assert store.top(BLOCK * 2 + 1) - store.top(BLOCK * 2) == 8


def test_the_oldest_fall_off_and_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_ENTRIES", BLOCK * 4)
    store = EntryStore()
    for index in range(BLOCK * 10 + 7):
        assert store.append(said(str(index))) == index
    assert len(store) <= BLOCK * 4
    assert store.first == BLOCK * 7
    assert store.entry(store.first - 1) is None
    for serial, entry in store.entries(0):
        assert entry.text == str(serial)
    assert store.top(0) == 0
    assert store.rows == len(every_row(store))


def test_a_hundred_thousand_entries_are_kept() -> None:
    store = EntryStore()
    entry = said("x")
    for _ in range(MAX_ENTRIES + BLOCK * 2):
        store.append(entry)
    assert MAX_ENTRIES - BLOCK <= len(store) <= MAX_ENTRIES


def test_huge_texts_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_CHARACTERS", 100_000)
    store = EntryStore()
    for _ in range(BLOCK * 10):
        store.append(said("x" * 100))
    assert sum(len(entry.text) for _, entry in store.entries(0)) <= 100_000 + BLOCK * 100


def test_what_waits_lies_behind_all_others_until_it_arrives() -> None:
    store = filled([1, 1])
    store.add_pending("a", said("mine"))
    store.add_pending("b", said("mine too " * 30))
    store.append(said("another's"))
    assert [entry.text for serial in range(6) if (entry := store.entry(serial))][3:] == ["mine", "mine too " * 30]
    assert store.locate(3) == Place(3, 0)
    assert store.locate(store.rows - 1).serial == 4
    assert store.top(4) == 4
    assert store.rows == sum(store.count(serial) for serial in range(5))
    assert store.remove_pending("a") is not None
    assert store.remove_pending("a") is None
    assert store.locate(3).serial == 3
    assert store.entry(4) is None


def test_the_last_entry_can_change() -> None:
    store = filled([1, 1])
    store.change_last(Entry(Kind.CROWD, "word " * 60))
    assert store.count(1) > 1
    assert store.rows == len(every_row(store))


def test_the_mark_adds_a_row_and_moves() -> None:
    store = filled([1] * 600)
    store.set_mark(300)
    assert (store.rows, store.count(300), store.top(301)) == (601, 2, 302)
    store.set_mark(10)
    assert (store.rows, store.count(300), store.count(10)) == (601, 1, 2)
    store.set_mark(None)
    assert store.rows == 600


def test_clear_keeps_serial_numbers_and_pending_lines() -> None:
    store = filled([1] * 300)
    store.add_pending("a", said("mine"))
    store.clear()
    assert (store.rows, len(store), store.next) == (1, 0, 300)
    assert store.append(said("on")) == 300
    assert store.locate(0) == Place(300, 0)


def test_an_empty_log_has_no_rows() -> None:
    store = EntryStore()
    assert (store.rows, store.locate(0), store.top(5), store.count(0)) == (0, Place(0, 0), 0, 0)
    assert not store.settle_more(0)
    assert not store.settle(0, 10)
