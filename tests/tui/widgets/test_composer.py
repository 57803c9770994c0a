"""The composer: wherever the cursor goes and however the text wraps, the cursor is seen."""

from collections.abc import AsyncIterator

import pytest
from rich.cells import cell_len
from textual.strip import Strip

from tests.tui.acting import Actor
from tests.tui.snapshots.scripted import Room, app
from tui.widgets.composer import MAX_ROWS

TEXTS = {
    "one word": "x" * 400,
    "wide": "a字 é🎉 " * 60,
    "too long": "word " * 401,  # The count beside the line takes room from it.
}
SIZES = ((40, 10), (40, 24), (21, 4), (80, 4), (80, 24))


@pytest.fixture
async def ada() -> AsyncIterator[Actor]:
    """In a quiet room."""
    room = Room("event")
    chat = app([*room.welcome()])
    async with chat.run_test(size=SIZES[-1]) as pilot:
        actor = Actor(chat, pilot)
        await actor.is_in()
        yield actor


def is_cursor_drawn(ada: Actor) -> bool:
    """Whether the cell at the cursor is on the screen, within the composer, and shows the character at the cursor."""
    composer, (x, y) = ada.chat.composer, ada.chat.composer.cursor_screen_offset
    strips = ada.app.screen._compositor.render_strips()
    is_inside = composer.region.contains(x, y) and y < len(strips) - 1  # The last row is the status bar.
    return is_inside and at_cell(strips[y], x) == under_cursor(ada)


def at_cell(strip: Strip, x: int) -> str:
    left = 0
    for character in strip.text:
        if left <= x < left + cell_len(character):
            return character
        left += cell_len(character)
    return ""


def under_cursor(ada: Actor) -> str:
    """The character of the text at the cursor; a blank at the end of a line."""
    if not ada.written:
        return str(ada.chat.composer.placeholder)[0]
    row, column = ada.chat.composer.cursor_location
    return (ada.chat.composer.document[row] + " ")[column].replace("\t", " ")


def has_empty_rows(ada: Actor) -> bool:
    """Whether rows under the text are shown, though the text has more rows above."""
    composer = ada.chat.composer
    return composer.scroll_offset.y > max(0, composer.wrapped_document.height - composer.size.height)


async def sees_cursor(ada: Actor) -> None:
    """Sizes follow the text a moment later: its length is told beside it, which takes room from it."""
    await ada.pilot.pause()
    await ada.until(lambda: is_cursor_drawn(ada) and not has_empty_rows(ada), "to see the cursor")


async def test_cursor_after_paste_and_moves_is_seen(ada: Actor) -> None:
    """Also where the paste wraps into more rows than the composer has."""
    for text in ("\n".join(str(number) for number in range(9)), "a\tb\t" * 60, *TEXTS.values()):
        await ada.paste(text)
        await sees_cursor(ada)
        await ada.until(lambda: ada.chat.composer.size.height == MAX_ROWS, "all rows")
        for keys in (("up",) * 5, ("left", "home"), ("down", "end")):
            await ada.press(*keys)
            await sees_cursor(ada)
        await ada.press("ctrl+u")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_cursor_after_resize_is_seen(ada: Actor, text: str) -> None:
    await ada.paste(text)
    for size in SIZES:
        await ada.pilot.resize_terminal(*size)
        await sees_cursor(ada)
    await ada.press("up", "up", "up")
    await ada.pilot.resize_terminal(*SIZES[0])
    await sees_cursor(ada)


async def test_cursor_while_text_grows_and_shrinks_is_seen(ada: Actor) -> None:
    for text in ("字" * 30, "x" * 100, "\n\n\n\n", "word " * 20):
        await ada.paste(text)
        await sees_cursor(ada)
    while ada.written:
        await ada.press(*["ctrl+w"] * 10, "backspace")
        await sees_cursor(ada)
    await ada.until(lambda: ada.chat.composer.size.height == 1, "one row")


async def test_rows_after_resize_follow_the_text(ada: Actor) -> None:
    await ada.paste("word " * 14)
    for width, rows in ((80, 1), (44, 2), (24, 5), (80, 1)):
        await ada.pilot.resize_terminal(width, 24)
        await ada.until(lambda rows=rows: ada.chat.composer.size.height == rows, f"{rows} rows")
