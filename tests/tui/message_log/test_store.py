import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.message_log import store as store_module
from tui.message_log.entries import Entry, Kind
from tui.message_log.layout import columns_for, count_rows
from tui.message_log.store import MAX_ENTRIES, EntryStore, Place, Viewport

WIDE, SMALL = columns_for(100, True), columns_for(30, False)


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


@given(st.lists(st.integers(0, 60), min_size=1, max_size=100), st.integers(0, 100), st.integers(10, 200))
def test_a_new_width_counts_all_rows_again(lengths: list[int], mark: int, width: int) -> None:
    store, fresh = filled(lengths), EntryStore()
    store.set_mark(mark)
    store.set_columns(columns_for(width, True))
    fresh.set_columns(columns_for(width, True))
    for length in lengths:
        fresh.append(said("word " * length))
    fresh.set_mark(mark)
    assert [store.count(serial) for serial in range(len(store))] == [
        fresh.count(serial) for serial in range(len(fresh))
    ]
    assert store.rows == fresh.rows == len(every_row(store))


def test_the_oldest_are_removed_and_numbers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_ENTRIES", 1000)
    store = EntryStore()
    for index in range(2500):
        assert store.append(said(str(index))) == index
        assert len(store) <= 1000
    assert len(store) > 900
    assert store.first == 2500 - len(store)
    assert store.entry(store.first - 1) is None
    for serial, entry in store.entries(0):
        assert entry.text == str(serial)
    assert store.top(0) == 0
    assert store.rows == len(every_row(store))


def test_removal_of_the_marked_entry_removes_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_ENTRIES", 100)
    store = filled([1] * 50)
    store.set_mark(10)
    for _ in range(100):
        store.append(said("x"))
    assert (store.mark, store.rows) == (None, len(store))


@pytest.mark.parametrize("characters", [100, 90_000])
def test_huge_texts_fill_no_memory(characters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_CHARACTERS", 100_000)
    store = EntryStore()
    for _ in range(3000):
        store.append(said("x" * characters))
        assert store._characters == sum(len(entry.text) for _, entry in store.entries(0)) <= 100_000 + characters
    assert len(store) > 0


def test_pending_lines_follow_all_others() -> None:
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


@pytest.mark.parametrize("mark", [None, 0, 1])
def test_the_last_entry_can_change(mark: int | None) -> None:
    store = filled([1, 1])
    store.set_mark(mark)
    longer = Entry(Kind.CROWD, "word " * 60)
    store.change_last(longer)
    assert store.count(1) == count_rows(longer, WIDE) + (mark == 1) > 1
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


def viewed(count: int, length: int = 20) -> tuple[EntryStore, Viewport]:
    store = EntryStore()
    store.set_columns(columns_for(100, True))
    viewport = Viewport(store)
    viewport.height = 40
    add(store, count, length)
    return store, viewport


def add(store: EntryStore, count: int, length: int = 20) -> None:
    for index in range(count):
        store.append(Entry(Kind.SAID, "word " * (length + index % 7), "ada", 1e9))


def test_the_window_follows_the_end() -> None:
    store, viewport = viewed(500)
    assert viewport.y == store.rows - 40
    add(store, 10)
    assert viewport.y == store.rows - 40


def test_a_window_that_is_not_full_begins_at_the_top() -> None:
    _, viewport = viewed(3, 1)
    assert viewport.y == 0
    assert viewport.follows_end


def test_view_that_was_scrolled_up_stays_in_place() -> None:
    store, viewport = viewed(500)
    viewport.look_at(100)
    add(store, 10)
    assert (viewport.y, viewport.follows_end) == (100, False)


def test_scrolling_to_the_end_follows_it_again() -> None:
    store, viewport = viewed(500)
    viewport.look_at(100)
    viewport.look_at(store.rows - 40)
    assert viewport.follows_end


def test_view_stays_while_old_entries_are_removed() -> None:
    store, viewport = viewed(MAX_ENTRIES, 1)
    viewport.look_at(5_000)
    at = store.locate(viewport.y)
    add(store, 1_000, 1)
    assert store.first > 0
    assert store.locate(viewport.y) == at


def test_view_of_removed_entries_shows_the_oldest() -> None:
    store, viewport = viewed(MAX_ENTRIES, 1)
    viewport.look_at(0)
    add(store, 1_000, 1)
    assert viewport.y == 0
    assert store.locate(viewport.y) == Place(store.first, 0)


@given(st.integers(0, 2_900), st.booleans(), st.lists(st.integers(20, 150), min_size=1, max_size=4))
def test_view_stays_through_changes_of_width(serial: int, at_its_end: bool, widths: list[int]) -> None:
    store, viewport = viewed(3_000)
    viewport.look_at(store.top(serial) + (store.count(serial) - 1) * at_its_end)
    for width in widths:
        store.set_columns(columns_for(width, True))
        assert viewport.follows_end or store.locate(viewport.y).serial == serial


def test_an_entry_is_shown_in_the_middle_unless_it_is_in_view() -> None:
    store, viewport = viewed(2_000)
    viewport.show(700)
    assert viewport.y < store.top(700) < viewport.y + 40
    before = viewport.y
    viewport.show(701)
    assert viewport.y == before


def test_the_entry_at_the_bottom_is_known() -> None:
    store, viewport = viewed(500)
    assert viewport.bottom == 499
    viewport.look_at(0)
    assert viewport.bottom == store.locate(39).serial
