from textual.geometry import Offset
from textual.selection import Selection

from tests.tui.message_log.test_rendering import BACKGROUND, PAINTS, SELECTED, with_background
from tui.message_log.colours import palette
from tui.message_log.entries import Entry, line_entry
from tui.message_log.layout import columns
from tui.message_log.row_cache import RowCache
from tui.message_log.search import Search
from tui.message_log.selection import row_x
from tui.message_log.store import EntryStore


def sheet_of(*texts: str) -> tuple[EntryStore, RowCache]:
    log = EntryStore()
    sheet = RowCache(log, lambda: PAINTS)
    sheet.columns = columns(66, True)
    log.set_columns(sheet.columns)
    for text in texts:
        log.append(line_entry("ada", text, False, 1e9))
    return log, sheet


def test_rows_are_drawn_once_and_blank_behind_the_end() -> None:
    _, sheet = sheet_of("one", "two")
    assert sheet.strip(0) is sheet.strip(0)
    assert sheet.strip(1).text.strip() == "ada  two"
    assert sheet.strip(2).text == " " * 66


def test_what_changed_is_drawn_anew_and_the_rest_kept() -> None:
    log, sheet = sheet_of("one", "two")
    first = sheet.strip(0)
    assert "two" in sheet.strip(1).text
    log.change_last(Entry(log.entry(1).kind, "three", "ada"))  # type: ignore[union-attr]  # it is there
    sheet.forget(1)
    assert "three" in sheet.strip(1).text
    assert sheet.strip(0) is first


def test_huge_entry_renders_only_visible_rows() -> None:
    _, sheet = sheet_of("word " * 10_000)
    sheet.strip(150)
    drawn = sheet._drawn.get(0)
    assert drawn is not None
    assert len(drawn.strips) == 201
    assert sum(strip is not None for strip in drawn.strips) == 1


def test_the_current_match_differs_from_the_others() -> None:
    _, sheet = sheet_of("a thread", "threads")
    search = sheet.search = Search("thread")
    for serial in range(2):
        search.check(serial, line_entry("ada", "thread", False, 1e9))
    search.start_at(1)
    assert with_background([sheet.strip(0)], PAINTS.match) == ["thread"]
    assert with_background([sheet.strip(1)], PAINTS.current) == ["thread"]


def test_selection_over_entries_covers_those_between() -> None:
    _, sheet = sheet_of("first", "second", "third")
    sheet.selection = Selection(Offset(row_x(0, 0) + 2, 0), Offset(row_x(0, 0) + 2, 2))
    marked = ["".join(with_background([sheet.strip(y)], SELECTED)) for y in range(3)]
    assert marked == ["rst", "ada  second", "ada  th"]


def test_new_colours_are_asked_for_when_the_theme_changes() -> None:
    asked: list[int] = []

    def paints() -> object:
        asked.append(len(palette(BACKGROUND)))
        return PAINTS

    log, _ = sheet_of("one")
    sheet = RowCache(log, paints)  # type: ignore[arg-type]  # it returns ThemeStyles
    sheet.strip(0)
    sheet.strip(0)
    sheet.clear()
    sheet.strip(0)
    assert len(asked) == 1
    sheet.clear(styles=True)
    sheet.strip(0)
    assert len(asked) == 2
