import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.sanitize import sanitize
from tests.pace import is_within
from tui.message_log.wrapping import MAX_ROWS, cells, wrap

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


def test_wide_letters_may_part_where_there_is_no_space() -> None:
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
