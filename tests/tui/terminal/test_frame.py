"""Frame: only changed strips are written, and the terminal shows the same as after a full write."""

from itertools import pairwise

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.terminal.frame import Frame

WIDTH, ROWS = 8, 3
cuts = st.sets(st.integers(1, WIDTH - 1), max_size=3)
letters = st.text("ab ", min_size=WIDTH, max_size=WIDTH)
screens = st.lists(st.tuples(letters, cuts), min_size=ROWS, max_size=ROWS)


def layout(rows: list[tuple[str, set[int]]]) -> LayoutUpdate:
    """A whole screen; each row is parted at its cuts, as rows of several widgets are."""
    strips = []
    for text, cut in rows:
        edges = [0, *sorted(cut), WIDTH]
        pieces = pairwise(edges)
        strips.append([Strip([Segment(text[start:end])]) for start, end in pieces])
    return LayoutUpdate(strips, Region(0, 0, WIDTH, ROWS))


def render(strip: Strip) -> str:
    return strip.text


@given(st.lists(screens, min_size=1, max_size=5))
def test_draw_shows_the_last_update(drawn: list[list[tuple[str, set[int]]]]) -> None:
    screen = pyte.Screen(WIDTH, ROWS)
    screen.reset_mode(7, private=True)
    stream, frame = pyte.Stream(screen), Frame()
    for rows in drawn:
        stream.feed(frame.draw(layout(rows), render))
        assert list(screen.display) == [text for text, _ in rows]


def test_draw_of_an_unchanged_strip_writes_nothing() -> None:
    frame = Frame()
    rows = [("abababab", {3}), ("bbbbbbbb", set[int]()), ("        ", {1})]
    assert frame.draw(layout(rows), render)
    assert frame.draw(layout(rows), render) == ""


def test_draw_writes_the_changed_part_of_a_row_only() -> None:
    frame = Frame()
    frame.draw(layout([("aaaabbbb", {4})] * ROWS), render)
    changed = [("aaaabbbb", {4}), ("aaaabaab", {4}), ("aaaabbbb", {4})]
    assert frame.draw(layout(changed), render) == "\x1b[2;5Hbaab"


def test_draw_of_uncertain_width_repeats_strips_on_its_right() -> None:
    frame = Frame()
    rows = [("aaaabbbb", {4})] * ROWS
    frame.draw(layout(rows), render)
    thumb = Strip([Segment("\U0001f44d\U0001f3fd  ")], 4)
    update = LayoutUpdate([[thumb, Strip([Segment("bbbb")])]], Region(0, 1, WIDTH, 1))
    assert frame.draw(update, render) == f"\x1b[2;1H    \x1b[2;1H{thumb.text}\x1b[2;5Hbbbb"


def test_forget_draws_all_of_it_again() -> None:
    frame = Frame()
    rows = [("abababab", {3})] * ROWS
    first = frame.draw(layout(rows), render)
    frame.forget()
    assert frame.draw(layout(rows), render) == first
