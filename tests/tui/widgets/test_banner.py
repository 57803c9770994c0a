"""The banner: on a screen of any width no key is broken, and no row ends with what parts two keys."""

import pytest

from tui.widgets.banner import draw

KEYS = "Ctrl+R joins again   Ctrl+Q leaves"
WORDS = "You are out of the room: you were asked to leave."


@pytest.mark.parametrize("width", range(20, 201))
def test_draw_of_any_width_keeps_keys_whole(width: int) -> None:
    rows = draw(WORDS, KEYS, width).plain.split("\n")
    assert all(row == row.rstrip() for row in rows)
    assert rows[0].startswith(WORDS)
    assert all(len(row) <= width for row in rows[1:])
    assert [key for row in rows for key in KEYS.split("   ") if key in row] == KEYS.split("   ")
    assert len(rows) == (1 if width >= len(WORDS) + 3 + len(KEYS) else 2 if width >= len(KEYS) else 3)


def test_draw_without_keys_is_the_words() -> None:
    assert draw(WORDS, "", 20).plain == WORDS
