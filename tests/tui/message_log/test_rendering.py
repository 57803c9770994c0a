from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from tests.tui.message_log.test_layout import COLUMNS, ENTRIES
from tui.message_log.entries import Entry, Flag, Kind, line_entry
from tui.message_log.layout import Columns, columns_for, rows
from tui.message_log.rendering import MENTION_BAR, Layer, RowCache, ThemeStyles, layers, render_row, switch_styles
from tui.message_log.search import Search
from tui.message_log.selection import HEADER, point, row_x
from tui.message_log.store import EntryStore
from tui.style import nick_colour, palette

BACKGROUND = (20, 22, 27)
MATCH, SELECTED, TINT = Style(bgcolor="#333300"), Style(bgcolor="#003300"), Style(bgcolor="#000033")
PAINTS = ThemeStyles(
    text=Style(color="#d5d9e2"),
    roles={"pending": Style(dim=True), "notice": Style(color="#7aa2f7")}
    | switch_styles(Style(color="#d5d9e2"), BACKGROUND),
    link=Style(underline=True),
    match=MATCH,
    current=Style(bgcolor="#ffff00"),
    selection=SELECTED,
    mention=TINT,
    mention_bar=Style(color="#7aa2f7"),
    background=BACKGROUND,
)
AT = columns_for(66, True)


def painted(
    entry: Entry, at: Columns = AT, selected: tuple[int, int] | None = None, found: Layer | None = None
) -> list[Strip]:
    made = rows(entry, at)
    over = [*layers(entry, len(entry.text), PAINTS), found or []]
    return [render_row(entry, 7, row, at.width, PAINTS, over, selected) for row in made]


def with_background(strips: list[Strip], style: Style) -> list[str]:
    return [s.text for strip in strips for s in strip if s.style is not None and s.style.bgcolor == style.bgcolor]


@given(ENTRIES, COLUMNS, st.tuples(st.integers(-1, 200), st.integers(-1, 400)))
def test_each_row_is_as_wide_as_the_pane(entry: Entry, at: Columns, selected: tuple[int, int]) -> None:
    for strip in [*painted(entry, at), *painted(entry, at, selected)]:
        assert strip.cell_length == at.width == cell_len(strip.text)


@given(ENTRIES, COLUMNS)
def test_each_cell_names_its_place_in_the_text(entry: Entry, at: Columns) -> None:
    for row, strip in zip(rows(entry, at), painted(entry, at), strict=True):
        for segment in strip:
            assert segment.style is not None
            if not segment.text or "offset" not in segment.style.meta:
                continue
            x, serial = segment.style.meta["offset"]
            place = point(x)
            assert serial == 7
            assert place == HEADER or row.start <= place <= row.end
            if not row.words and row.start <= place < row.end and segment.text.strip() and place != HEADER:
                shown = entry.text[place : place + len(segment.text)]
                assert segment.text == shown or place == row.start


@given(ENTRIES, COLUMNS)
def test_selection_is_drawn_on_selected_text_only(entry: Entry, at: Columns) -> None:
    shown = [row for row in rows(entry, at) if not row.words]
    start, end = shown[0].start, min(len(entry.text), shown[-1].end)
    middle = (start + end) // 2
    wanted = "".join(entry.text[max(row.start, middle) : max(row.end, middle)] for row in shown)
    assert "".join(with_background(painted(entry, at, (middle, end)), SELECTED)) == wanted


def test_selection_of_an_entry_includes_its_nickname() -> None:
    marked = with_background(painted(line_entry("ada", "hello", False, 1e9), selected=(HEADER, 5)), SELECTED)
    assert "".join(marked) == "ada  hello"


def test_a_nickname_has_its_colour_and_mine_is_bold() -> None:
    for flags, bold in ((0, False), (Flag.OWN, True)):
        (strip,) = painted(line_entry("ada", "hello", False, 1e9, flags))
        style = next(segment.style for segment in strip if segment.text == "ada")
        assert style is not None
        assert style.color is not None
        assert style.color.name == nick_colour("ada", BACKGROUND)
        assert bool(style.bold) is bold


def test_links_are_underlined_on_all_rows_with_address() -> None:
    url = "https://example.org/" + "x" * 80
    parts = [
        (segment.text, segment.style.meta["url"])
        for strip in painted(line_entry("ada", f"see {url} now", False, 1e9))
        for segment in strip
        if segment.style is not None and segment.style.underline
    ]
    assert len(parts) > 1
    assert "".join(text for text, _ in parts) == url
    assert {address for _, address in parts} == {url}


def test_occurrences_are_drawn_over_links_and_rows() -> None:
    entry = line_entry("ada", "https://example.org/ " + "wide " * 20, False, 1e9)
    found = [(8, 15, MATCH), (60, 70, MATCH)]
    marked = "".join(with_background(painted(entry, found=found), MATCH))
    assert marked == "example" + entry.text[60:70]


def test_a_mention_has_a_bar_and_a_tint_on_each_row() -> None:
    strips = painted(line_entry("bob", "ada " * 30, False, 1e9, Flag.MENTION))
    assert len(strips) > 1
    assert all(strip.text.startswith(MENTION_BAR) for strip in strips)
    assert "".join(with_background(strips, TINT)) == "".join(strip.text for strip in strips)


def test_markup_and_marks_of_a_model_stay_words() -> None:
    (strip,) = painted(line_entry("ada", "[red]x[/red] [@click=app.exit]y[/]", False, 1e9))
    assert "[red]x[/red] [@click=app.exit]y[/]" in strip.text
    assert all(set(segment.style.meta) <= {"offset"} for segment in strip if segment.style is not None)


def test_a_rule_runs_to_the_edge() -> None:
    (strip,) = painted(Entry(Kind.SWITCH, "now a thread each", "thread"))
    assert strip.text.startswith(" ≋ ── now a thread each ───")
    assert strip.text.endswith("── ")


def sheet_of(*texts: str) -> tuple[EntryStore, RowCache]:
    log = EntryStore()
    cache = RowCache(log, lambda: PAINTS)
    cache.columns = columns_for(66, True)
    log.set_columns(cache.columns)
    for text in texts:
        log.append(line_entry("ada", text, False, 1e9))
    return log, cache


def test_rows_are_drawn_once_and_blank_behind_the_end() -> None:
    _, cache = sheet_of("one", "two")
    assert cache.strip(0) is cache.strip(0)
    assert cache.strip(1).text.strip() == "ada  two"
    assert cache.strip(2).text == " " * 66


def test_row_cache_draws_changed_entries_only() -> None:
    log, cache = sheet_of("one", "two")
    first = cache.strip(0)
    assert "two" in cache.strip(1).text
    log.change_last(Entry(log.entry(1).kind, "three", "ada"))  # type: ignore[union-attr]  # it is there
    cache.forget(1)
    assert "three" in cache.strip(1).text
    assert cache.strip(0) is first


def test_huge_entry_renders_only_visible_rows() -> None:
    _, cache = sheet_of("word " * 10_000)
    cache.strip(150)
    drawn = cache._drawn.get(0)
    assert drawn is not None
    assert len(drawn.strips) == 201
    assert sum(strip is not None for strip in drawn.strips) == 1


def test_the_current_match_differs_from_the_others() -> None:
    _, cache = sheet_of("a thread", "threads")
    search = cache.search = Search("thread")
    for serial in range(2):
        search.check(serial, line_entry("ada", "thread", False, 1e9))
    search.start_at(1)
    assert with_background([cache.strip(0)], PAINTS.match) == ["thread"]
    assert with_background([cache.strip(1)], PAINTS.current) == ["thread"]


def test_selection_over_entries_covers_those_between() -> None:
    _, cache = sheet_of("first", "second", "third")
    cache.selection = Selection(Offset(row_x(0, 0) + 2, 0), Offset(row_x(0, 0) + 2, 2))
    marked = ["".join(with_background([cache.strip(y)], SELECTED)) for y in range(3)]
    assert marked == ["rst", "ada  second", "ada  th"]


def test_new_colours_are_asked_for_when_the_theme_changes() -> None:
    asked: list[int] = []

    def theme_styles() -> object:
        asked.append(len(palette(BACKGROUND)))
        return PAINTS

    log, _ = sheet_of("one")
    cache = RowCache(log, theme_styles)  # type: ignore[arg-type]  # it returns ThemeStyles
    cache.strip(0)
    cache.strip(0)
    cache.clear()
    cache.strip(0)
    assert len(asked) == 1
    cache.clear(styles=True)
    cache.strip(0)
    assert len(asked) == 2
