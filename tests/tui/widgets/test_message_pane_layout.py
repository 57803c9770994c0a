"""The message pane at any width, in any theme, with very long and with hostile texts."""

import time

import pytest
from rich.cells import cell_len
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection
from textual.theme import BUILTIN_THEMES

from protocol.client import Gap
from protocol.messages import ModelSwitched, Notice, Presence, Refused
from tests.pace import is_within
from tests.tui.widgets.pane import AT, PaneApp
from tui.message_log.selection import END_X
from tui.style import contrast

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "[red]x[/red][/x][@click=app.exit]quit[/]",
    "\u202eevil\u2066",
    "a\u0301\u0302\u0303\u0304\u0305\u0306" * 500,
    "👨‍👩‍👧‍👦" * 2_000,
    "\n" * 64_000,
    "🎉" * 16_000,
    " " * 64_000,
    "https://x" + ")" * 30_000,
    "https://a.example " * 3_000,
    "▌ 20:14 » the room is closed",
    "\ud800\udfff\ufffe\x00",
    "",
]


@pytest.mark.parametrize("width", [40, 60, 100, 150])
async def test_new_width_wraps_again_and_keeps_the_place(width: int) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.chat(3_000, 30)
        await pilot.pause()
        await pilot.resize_terminal(width, 12)
        await pilot.pause()
        last = app.row_of("line 2999")
        assert last + app.pane.entries.count(2999) == 12
        app.pane.scroll_to(y=app.pane.entries.top(1500))
        await pilot.pause()
        assert "line 1500" in app.shown()[0]
        await pilot.resize_terminal(70, 9)
        await pilot.pause()
        assert "line 1500" in app.shown()[0]


@pytest.mark.parametrize("theme", sorted(BUILTIN_THEMES))
async def test_every_theme_can_be_read(theme: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.pane.add(
            [app.said("words", "bob"), app.said("ada: selected"), ModelSwitched(2, AT, "thread", "event", 0.01, 3)]
        )
        app.pane.add([Notice("the room speaks"), Gap(3), Presence(9, AT, ["cleo"]), app.said("found")])
        app.pane.note("bad news", "error")
        app.theme = theme
        app.pane.search("found")
        app.screen.selections = {app.pane: Selection(Offset(0, 1), Offset(END_X, 1))}
        await pilot.pause()
        words = (
            "bob",
            "words",
            "ada: selected",
            "now a thread",
            "the room speaks",
            "3 things",
            "cleo",
            "bad news",
            "found",
        )
        for style in [app.styles_of(word)[0] for word in words]:
            assert style.color is not None
            assert style.bgcolor is not None
            if theme.startswith("ansi"):
                # How a terminal draws its own colours cannot be known; its default ones go together.
                assert style.color.is_default or style.color != style.bgcolor
            else:
                assert contrast(tuple(style.color.get_truecolor()), tuple(style.bgcolor.get_truecolor())) >= 3.5


async def test_nothing_hostile_gets_further_than_its_own_cells() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert app.pane.scrollable_content_region.width == 79
        for text in HOSTILE:
            events = [app.said(text, nick="eve"), app.said("x", nick=text), app.said(text, action=True), Notice(text)]
            began = time.perf_counter()
            app.pane.add([*events, Presence(next(app.serial), AT, [text], [text], [(text, text)])])
            app.pane.note(text)
            app.pane.add_own("id", text, False, AT)
            strips = app.strips()
            assert is_within(time.perf_counter() - began, 2.0)
            app.pane.add([Refused("muted", text, "id")])
            for strip in strips:
                assert strip.cell_length == 79
                assert cell_len(strip.text) == 79
                assert all(char.isprintable() or char == "\u3000" for char in strip.text)
                assert all(segment.style is None or not segment.style.link for segment in strip)
                assert all("@click" not in segment.style.meta for segment in strip if segment.style is not None)
        app.pane.search("x")
        app.pane.action_scroll_home()
        await pilot.pause()
        copied = app.pane.get_selection(Selection(None, None))
        assert copied is not None
        assert all(char.isprintable() or char in "\n\u3000" for char in copied[0])


async def test_the_oldest_are_removed_beyond_twenty_thousand() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        for _ in range(21):
            app.chat(1_000, 1)
        await pilot.pause()
        assert 18_000 < len(app.pane.entries) <= 20_000
        assert "line 999" in app.shown()[-1]
        app.pane.action_scroll_home()
        before = app.shown()
        assert app.pane.entries.locate(0).serial == app.pane.entries.first
        assert "line" in before[0]
        app.chat(10, 1)
        assert app.shown() == before


async def show(pilot: Pilot[None], app: PaneApp, y: int) -> None:
    app.pane.scroll_to(y=y)
    await pilot.pause()


async def test_scrolling_from_end_to_end_meets_each_row_once() -> None:
    app = PaneApp()
    async with app.run_test(size=(50, 10)) as pilot:
        app.chat(120, 12)
        await pilot.pause()
        rows = []
        for y in range(0, app.pane.entries.rows, 10):
            await show(pilot, app, y)
            top = app.pane.scroll_offset.y
            rows += app.shown()[y - top :]
        text = " ".join(line.strip() for line in rows)
        assert [f"line {index} " in text for index in range(120)] == [True] * 120
        assert text.count("word") == sum(12 + index % 5 for index in range(120))
