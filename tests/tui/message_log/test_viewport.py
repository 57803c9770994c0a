from hypothesis import given
from hypothesis import strategies as st

from tui.message_log.entries import Entry, Kind
from tui.message_log.layout import columns
from tui.message_log.store import EntryStore
from tui.message_log.viewport import Viewport


def filled(count: int, length: int = 20) -> tuple[EntryStore, Viewport]:
    log = EntryStore()
    log.set_columns(columns(100, True))
    window = Viewport(log)
    window.height = 40
    add(log, count, length)
    window.settle()
    return log, window


def add(log: EntryStore, count: int, length: int = 20) -> None:
    for index in range(count):
        log.append(Entry(Kind.SAID, "word " * (length + index % 7), "ada", 1e9))


def test_the_window_follows_the_end() -> None:
    log, window = filled(500)
    assert window.y == log.rows - 40
    add(log, 10)
    window.settle()
    assert window.y == log.rows - 40


def test_a_window_that_is_not_full_begins_at_the_top() -> None:
    _, window = filled(3, 1)
    assert window.y == 0
    assert window.follow


def test_whoever_has_scrolled_up_stays_where_they_are() -> None:
    log, window = filled(500)
    window.look_at(100)
    add(log, 10)
    window.settle()
    assert (window.y, window.follow) == (100, False)


def test_scrolling_to_the_end_follows_it_again() -> None:
    log, window = filled(500)
    window.look_at(100)
    window.look_at(log.rows - 40)
    assert window.follow


def test_what_the_reader_looks_at_stays_while_the_oldest_fall_off() -> None:
    log, window = filled(100_000, 1)
    window.look_at(5_000)
    at = log.place(window.y)
    add(log, 1_000, 1)
    window.settle()
    assert log.first > 0
    assert log.place(window.y) == at


def test_who_looks_at_what_falls_off_sees_the_oldest_that_is_left() -> None:
    log, window = filled(100_000, 1)
    window.look_at(0)
    add(log, 1_000, 1)
    window.settle()
    assert window.y == 0
    assert window.anchor == log.first


@given(st.integers(0, 2_900), st.lists(st.integers(20, 150), min_size=1, max_size=4))
def test_what_the_reader_looks_at_stays_through_any_change_of_width(serial: int, widths: list[int]) -> None:
    log, window = filled(3_000)
    window.look_at(log.top(serial))
    for width in widths:
        log.set_columns(columns(width, True))
        window.settle()
        assert window.follow or log.place(window.y).serial == window.anchor == serial
        while log.settle_more(window.anchor):
            assert window.follow or log.place(window.y).serial == serial


def test_an_entry_is_shown_in_the_middle_unless_it_is_in_view() -> None:
    log, window = filled(2_000)
    window.show(700)
    assert window.y < log.top(700) < window.y + 40
    before = window.y
    window.show(701)
    assert window.y == before


def test_an_entry_is_shown_though_the_layout_is_not_exact_yet() -> None:
    log, window = filled(5_000)
    log.set_columns(columns(30, True))
    window.settle()
    window.show(300)
    window.settle()
    assert window.y <= log.top(300) < window.y + 40


def test_the_entry_at_the_bottom_is_known() -> None:
    log, window = filled(500)
    assert window.bottom == 499
    window.look_at(0)
    assert window.bottom == log.place(39).serial
