import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.sanitize import sanitize
from tests.pace import is_within
from tui.message_log.entries import Entry, Flag, Kind, line_entry
from tui.message_log.layout import MAX_ROWS, NARROW, Columns, Row, cells, columns_for, count_rows, rows, truncate, wrap

LETTERS = st.sampled_from([*"ab  \n李雷。🎉👍🏽🇩é́̂ -", "한", "ａ", "☺", "e\u0301\u0302"])
TEXTS = st.one_of(
    st.lists(LETTERS, max_size=300).map("".join),
    st.text(max_size=300).map(lambda text: sanitize(text, lines=True)),
    st.text(alphabet="ab \n", max_size=300),
)
WIDTHS = st.integers(2, 90)


@given(TEXTS, WIDTHS)
def test_wrap_keeps_all_characters_but_spaces_at_breaks(text: str, width: int) -> None:
    rows = wrap(text, width, limit=10_000)
    assert rows[0][0] == 0
    assert text[rows[-1][1] :].strip(" ") == ""
    for (_, end), (start, _) in pairwise(rows):
        assert end <= start
        between = text[end:start]
        assert between == "" or between == "\n" or between.strip(" ") in ("", "\n")


@given(TEXTS, WIDTHS)
def test_rows_fit_the_width_and_have_no_line_end(text: str, width: int) -> None:
    for start, end in wrap(text, width, limit=10_000):
        assert cells(text[start:end]) <= width
        assert "\n" not in text[start:end]


@given(TEXTS, WIDTHS)
def test_a_combining_mark_stays_with_its_letter(text: str, width: int) -> None:
    for start, end in wrap(text, width, limit=10_000):
        if start < end and start > 0 and text[start - 1] not in " \n":
            assert cells(text[start]) > 0


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=12), min_size=1, max_size=40), st.integers(12, 60))
def test_words_that_fit_are_not_parted(words: list[str], width: int) -> None:
    text = " ".join(words)
    assert " ".join(text[start:end] for start, end in wrap(text, width)) == text


@given(st.lists(st.text(alphabet="ab李é", min_size=1, max_size=6), min_size=1, max_size=30), st.integers(12, 40))
def test_rows_are_filled_as_far_as_the_next_word_allows(words: list[str], width: int) -> None:
    text = " ".join(word.replace("李", "e\u0301") for word in words)
    rows = [text[start:end] for start, end in wrap(text, width)]
    for row, following in pairwise(rows):
        assert cells(row) + 1 + cells(following.split(" ")[0]) > width


@given(TEXTS, WIDTHS, st.integers(1, 5))
def test_no_more_rows_are_looked_for_than_asked(text: str, width: int, limit: int) -> None:
    assert wrap(text, width, limit) == wrap(text, width, limit=10_000)[:limit]


def test_each_line_of_a_text_begins_a_row() -> None:
    text = "one\n\n  two three"
    assert [text[start:end] for start, end in wrap(text, 80)] == ["one", "", "  two three"]


def test_the_spaces_that_begin_a_line_of_code_stay() -> None:
    text = "if x:\n        return very_long_name"
    assert [text[start:end] for start, end in wrap(text, 20)] == ["if x:", "        return", "very_long_name"]


def test_wrap_may_break_between_wide_letters() -> None:
    text = "你好大家好"
    assert [text[start:end] for start, end in wrap(text, 5)] == ["你好", "大家", "好"]


def test_a_skin_tone_stays_with_its_emoji() -> None:
    text = "aa👍🏽"
    assert [text[start:end] for start, end in wrap(text, 3)] == ["aa", "👍🏽"]


def test_huge_texts_are_wrapped_at_once() -> None:
    size = 64 * 1024
    huge = [
        "🎉" * size,
        "\n" * size,
        " " * size,
        "é" + " " * size,
        "a" * size,
        ("e" + "\u0301" * 3) * size,
        "é " * size,
    ]
    began = time.perf_counter()
    for text in huge:
        assert len(wrap(text, 60)) <= MAX_ROWS
    assert is_within(time.perf_counter() - began, 2.0)


@pytest.mark.parametrize(
    ("cluster", "cells"), [("\U0001f44d\U0001f3fd", 4), ("\U0001f1e9\U0001f1ea", 4), ("\u2764\ufe0f", 2)]
)
def test_wrap_fits_where_a_terminal_draws_emoji_wider(cluster: str, cells: int) -> None:
    """tmux 3.3 draws a skin tone in two cells of its own."""
    text = cluster * 11
    rows = [text[start:end] for start, end in wrap(text, 20)]
    assert "".join(rows) == text
    assert all(row.count(cluster[0]) * cells <= 20 for row in rows)


AT = columns_for(66, True)
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
COLUMNS = st.builds(columns_for, st.integers(20, 200), st.booleans())


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


def test_stamped_entry_shows_its_time() -> None:
    stamped = Entry(Kind.SAID, "hello", "ada", 1e9, Flag.STAMPED)
    clock = drawn(stamped)[0][1:6]
    assert clock[2] == ":"
    assert clock.replace(":", "").isdigit()
    assert drawn(stamped)[0][6:] == "       ada  hello"
    assert drawn(stamped, columns_for(66, False)) == ["       ada  hello"]


def test_a_narrow_pane_has_no_times() -> None:
    stamped = Entry(Kind.SAID, "hello", "ada", 1e9, Flag.STAMPED)
    assert ":" not in drawn(stamped, columns_for(NARROW - 1, True))[0]
    assert ":" in drawn(stamped, columns_for(NARROW, True))[0]


def test_entries_of_no_person_have_a_sign() -> None:
    assert drawn(Entry(Kind.CROWD, "cleo and dan joined")) == ["       ·  cleo and dan joined"]
    assert drawn(Entry(Kind.NOTICE, "welcome")) == ["       »  welcome"]
    for nick in ("»", "·", "≋ ──", "x" * 30, "李" * 20):
        for at in (AT, columns_for(20, True), columns_for(120, False)):
            assert drawn(line_entry(nick, "» fake", False, 1e9), at)[0][: at.time + 1].strip() == ""


def test_a_switch_carries_the_models_sign_and_a_rule() -> None:
    for model, sign in (("process", "▣"), ("thread", "≋"), ("event", "↻")):
        entry = Entry(Kind.SWITCH, "now a thread each", model)
        assert drawn(entry) == [f" {sign} ── now a thread each"]
        assert rows(entry, AT)[0].rule
        assert rows(entry, AT)[0].role == f"switch-{model}"


def test_a_long_rule_wraps_and_runs_on_from_its_last_row() -> None:
    entry = Entry(Kind.SWITCH, "now one event loop for all: 1,037 carried over in 41 ms", "event")
    made = rows(entry, columns_for(30, True))
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


def test_rest_of_a_long_text_is_a_number_of_characters() -> None:
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


def test_pending_line_has_a_role_of_its_own() -> None:
    assert rows(line_entry("ada", "hi", False, 1e9, Flag.PENDING), AT)[0].role == "pending"
