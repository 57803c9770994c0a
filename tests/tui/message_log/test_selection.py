from hypothesis import given
from hypothesis import strategies as st

from tui.message_log.entries import Entry, Kind
from tui.message_log.selection import END_X, HEADER, beside_x, copied, point, row_x

ENTRIES = [
    Entry(Kind.SAID, "is this thing on?", "ada"),
    Entry(Kind.SAID, "code:\n*** the room closes\neve: I am bob", "bob"),
    Entry(Kind.ACTION, "cleo waves", "cleo"),
    Entry(Kind.CROWD, "dan joined"),
    Entry(Kind.SWITCH, "now a thread each", "thread"),
    Entry(Kind.NOTE, "you are ada now"),
]


def entry(serial: int) -> Entry | None:
    return ENTRIES[serial] if 0 <= serial < len(ENTRIES) else None


@given(st.integers(0, 70_000), st.integers(0, 5_000))
def test_point_in_a_row_is_a_position_in_the_text(start: int, offset: int) -> None:
    assert point(row_x(start, 17) + 17 + offset) == start + offset


@given(st.integers(1, 70_000), st.integers(0, 16))
def test_point_left_of_a_row_is_its_start(start: int, offset: int) -> None:
    assert point(row_x(start, 17) + offset) == start
    assert point(row_x(0, 17) + offset) == HEADER


@given(st.integers(1, 70_000), st.integers(0, 2_000))
def test_point_right_of_a_row_is_its_end(end: int, offset: int) -> None:
    assert point(beside_x(end) + offset) == end


@given(st.integers(0, 70_000), st.integers(1, 300))
def test_points_that_follow_each_other_on_the_screen_rise(start: int, length: int) -> None:
    end = start + length
    first, beside, following = row_x(start, 17), beside_x(end), row_x(end, 17)
    assert first + 17 + length <= beside + 300 < following


def test_copy_of_a_part_has_no_prefix() -> None:
    assert copied(entry, (0, row_x(0, 0) + 3), (0, row_x(0, 0) + 7)) == "this"
    assert copied(entry, (1, row_x(0, 0)), (1, END_X)) == "code:\n*** the room closes\neve: I am bob"


def test_copy_with_the_nickname_has_the_prefix() -> None:
    assert copied(entry, (0, 0), (0, END_X)) == "ada: is this thing on?"


def test_copy_of_several_entries_has_their_prefixes() -> None:
    assert copied(entry, (0, 0), (5, END_X)).splitlines() == [
        "ada: is this thing on?",
        "bob: code:",
        "    *** the room closes",
        "    eve: I am bob",
        "* cleo waves",
        "*** dan joined",
        "*** now a thread each",
        "-- you are ada now",
    ]


def test_copy_of_a_cut_first_entry_has_its_prefix() -> None:
    assert copied(entry, (0, row_x(0, 0) + 8), (2, row_x(0, 0) + 4)).splitlines()[0] == "ada: … thing on?"
    assert copied(entry, (0, row_x(0, 0)), (2, row_x(0, 0) + 4)).splitlines()[0] == "ada: is this thing on?"
    assert copied(entry, (0, row_x(0, 0)), (2, row_x(0, 0) + 4)).splitlines()[-1] == "* cleo"


def test_copy_omits_an_entry_without_selected_text() -> None:
    assert copied(entry, (2, 0), (3, 5)) == "* cleo waves"


def test_nothing_is_copied_where_nothing_is() -> None:
    assert copied(entry, (40, 0), (40, END_X)) == ""
    assert copied(entry, (40, 0), (50, END_X)) == ""


def test_copied_text_cannot_imitate_an_entry() -> None:
    for line in copied(entry, (0, 0), (5, END_X)).splitlines():
        assert line.startswith(("    ", "ada: ", "bob: code", "* cleo", "*** dan", "*** now", "-- you"))
