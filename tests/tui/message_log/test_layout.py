from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from protocol.sanitize import sanitize
from tui.message_log.entries import Entry, Flag, Kind, line_entry
from tui.message_log.layout import NARROW, Columns, Row, columns, count_rows, rows, truncate
from tui.message_log.wrapping import cells

AT = columns(66, True)
NICKS = st.text(max_size=40).map(lambda nick: sanitize(nick).strip() or "?")
TEXTS = st.one_of(st.text(max_size=400), st.text(alphabet="ab李🎉 \n", max_size=400)).map(
    lambda text: sanitize(text, lines=True)
)
ENTRIES = st.builds(
    Entry,
    st.sampled_from(Kind),
    TEXTS,
    NICKS,
    st.floats(1, 2e9),
    st.sampled_from([0, Flag.STAMPED, Flag.STAMPED | Flag.NEW_DAY, Flag.OWN | Flag.PENDING]),
)
COLUMNS = st.builds(columns, st.integers(20, 200), st.booleans())


def drawn(entry: Entry, at: Columns = AT, new: bool = False) -> list[str]:
    return [line(entry, row) for row in rows(entry, at, new)]


def line(entry: Entry, row: Row) -> str:
    return "".join(words for words, _ in row.gutter) + (row.words or entry.text[row.start : row.end])


@given(ENTRIES, COLUMNS, st.booleans())
def test_rows_match_their_count_and_fit_the_pane(entry: Entry, at: Columns, new: bool) -> None:
    made = rows(entry, at, new)
    assert len(made) == count_rows(entry, at) + new
    for row in made:
        if not row.words:
            assert cells(line(entry, row)) <= at.width


@given(ENTRIES, COLUMNS)
def test_each_character_is_in_one_row_and_in_order(entry: Entry, at: Columns) -> None:
    shown = [row for row in rows(entry, at) if not row.words]
    assert shown[0].start == 0
    for one, following in pairwise(shown):
        assert one.end <= following.start
        assert entry.text[one.end : following.start].strip(" \n") == ""
    rest = entry.text[shown[-1].end :].strip(" ")
    assert rest == "" or rows(entry, at)[-1].role == "more"


@given(ENTRIES, COLUMNS)
def test_no_text_reaches_the_columns_left_of_it(entry: Entry, at: Columns) -> None:
    for row in rows(entry, at):
        if not row.words and row.start > 0:
            assert "".join(words for words, _ in row.gutter).strip(" ") == ""


def test_people_are_laid_out_as_on_the_sketch() -> None:
    text = "loud and clear. here is the code, it is two lines long and wraps under its own text"
    assert drawn(line_entry("bob", text, False, 1e9)) == [
        "             bob  loud and clear. here is the code, it is two",
        "                  lines long and wraps under its own text",
    ]


def test_a_time_is_shown_where_it_is_stamped() -> None:
    stamped = Entry(Kind.SAID, "hello", "ada", 1e9, Flag.STAMPED)
    clock = drawn(stamped)[0][1:6]
    assert clock[2] == ":"
    assert clock.replace(":", "").isdigit()
    assert drawn(stamped)[0][6:] == "       ada  hello"
    assert drawn(stamped, columns(66, False)) == ["       ada  hello"]


def test_a_narrow_pane_has_no_times() -> None:
    stamped = Entry(Kind.SAID, "hello", "ada", 1e9, Flag.STAMPED)
    assert ":" not in drawn(stamped, columns(NARROW - 1, True))[0]
    assert ":" in drawn(stamped, columns(NARROW, True))[0]


def test_entries_of_no_person_have_a_sign() -> None:
    assert drawn(Entry(Kind.CROWD, "cleo and dan joined")) == ["       ·  cleo and dan joined"]
    assert drawn(Entry(Kind.NOTICE, "welcome")) == ["       »  welcome"]
    for nick in ("»", "·", "≋ ──", "x" * 30, "李" * 20):
        for at in (AT, columns(20, True), columns(120, False)):
            assert drawn(line_entry(nick, "» fake", False, 1e9), at)[0][: at.time + 1].strip() == ""


def test_a_switch_carries_the_models_sign_and_a_rule() -> None:
    for model, sign in (("process", "▣"), ("thread", "≋"), ("event", "↻")):
        entry = Entry(Kind.SWITCH, "now a thread each", model)
        assert drawn(entry) == [f" {sign} ── now a thread each"]
        assert rows(entry, AT)[0].rule
        assert rows(entry, AT)[0].role == f"switch-{model}"


def test_a_long_rule_wraps_and_runs_on_from_its_last_row() -> None:
    entry = Entry(Kind.SWITCH, "now one event loop for all: 1,037 carried over in 41 ms", "event")
    made = rows(entry, columns(30, True))
    assert [row.rule for row in made] == [False] * (len(made) - 1) + [True]
    assert len(made) > 1


def test_new_day_and_unread_mark_are_above_the_entry() -> None:
    entry = Entry(Kind.SAID, "good morning", "ada", 1e9, Flag.NEW_DAY)
    day, new, text = rows(entry, AT, new=True)
    assert (day.role, new.role, text.role) == ("day", "new", "said")
    assert day.words in ("Saturday 8 September", "Sunday 9 September")
    assert new.words == "new"
    assert day.rule
    assert new.rule


def test_what_is_too_long_to_show_is_told_as_a_number() -> None:
    shown = drawn(line_entry("eve", "\n" * 64_000, False, 1e9))
    assert len(shown) == 201
    assert shown[-1].strip() == "… 63,801 more characters"


def test_a_person_cannot_write_that_row() -> None:
    made = rows(line_entry("eve", "… 7 more characters", False, 1e9), AT)
    assert [row.role for row in made] == ["said"]


def test_long_nicknames_are_cut() -> None:
    assert truncate("averyverylongname", 8) == "averyve…"
    assert truncate("李李李李李", 8) == "李李李…"
    assert truncate("ada", 8) == "ada"


@given(NICKS, st.integers(2, 20))
def test_a_cut_nickname_is_never_too_wide(nick: str, width: int) -> None:
    assert cells(truncate(nick, width)) <= width


def test_a_line_that_waits_is_told_by_its_role() -> None:
    assert rows(line_entry("ada", "hi", False, 1e9, Flag.PENDING), AT)[0].role == "pending"
