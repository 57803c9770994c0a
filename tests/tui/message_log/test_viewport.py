from hypothesis import given
from hypothesis import strategies as st

from tui.message_log.entries import Entry, Kind
from tui.message_log.layout import columns
from tui.message_log.store import EntryStore
from tui.message_log.viewport import Viewport


def filled(count: int, length: int = 20) -> tuple[EntryStore, Viewport]:
    store = EntryStore()
    store.set_columns(columns(100, True))
    viewport = Viewport(store)
    viewport.height = 40
    add(store, count, length)
    viewport.settle()
    return store, viewport


def add(store: EntryStore, count: int, length: int = 20) -> None:
    for index in range(count):
        store.append(Entry(Kind.SAID, "word " * (length + index % 7), "ada", 1e9))


def test_the_window_follows_the_end() -> None:
    store, viewport = filled(500)
    assert viewport.y == store.rows - 40
    add(store, 10)
    viewport.settle()
    assert viewport.y == store.rows - 40


def test_a_window_that_is_not_full_begins_at_the_top() -> None:
    _, viewport = filled(3, 1)
    assert viewport.y == 0
    assert viewport.follows_end


def test_whoever_has_scrolled_up_stays_where_they_are() -> None:
    store, viewport = filled(500)
    viewport.look_at(100)
    add(store, 10)
    viewport.settle()
    assert (viewport.y, viewport.follows_end) == (100, False)


def test_scrolling_to_the_end_follows_it_again() -> None:
    store, viewport = filled(500)
    viewport.look_at(100)
    viewport.look_at(store.rows - 40)
    assert viewport.follows_end


def test_view_stays_while_old_entries_are_removed() -> None:
    store, viewport = filled(100_000, 1)
    viewport.look_at(5_000)
    at = store.locate(viewport.y)
    add(store, 1_000, 1)
    viewport.settle()
    assert store.first > 0
    assert store.locate(viewport.y) == at


def test_view_of_removed_entries_shows_the_oldest() -> None:
    store, viewport = filled(100_000, 1)
    viewport.look_at(0)
    add(store, 1_000, 1)
    viewport.settle()
    assert viewport.y == 0
    assert viewport.anchor == store.first


@given(st.integers(0, 2_900), st.lists(st.integers(20, 150), min_size=1, max_size=4))
def test_view_stays_through_changes_of_width(serial: int, widths: list[int]) -> None:
    store, viewport = filled(3_000)
    viewport.look_at(store.top(serial))
    for width in widths:
        store.set_columns(columns(width, True))
        viewport.settle()
        assert viewport.follows_end or store.locate(viewport.y).serial == viewport.anchor == serial
        while store.settle_more(viewport.anchor):
            assert viewport.follows_end or store.locate(viewport.y).serial == serial


def test_an_entry_is_shown_in_the_middle_unless_it_is_in_view() -> None:
    store, viewport = filled(2_000)
    viewport.show(700)
    assert viewport.y < store.top(700) < viewport.y + 40
    before = viewport.y
    viewport.show(701)
    assert viewport.y == before


def test_an_entry_is_shown_though_the_layout_is_not_exact_yet() -> None:
    store, viewport = filled(5_000)
    store.set_columns(columns(30, True))
    viewport.settle()
    viewport.show(300)
    viewport.settle()
    assert viewport.y <= store.top(300) < viewport.y + 40


def test_the_entry_at_the_bottom_is_known() -> None:
    store, viewport = filled(500)
    assert viewport.bottom == 499
    viewport.look_at(0)
    assert viewport.bottom == store.locate(39).serial
