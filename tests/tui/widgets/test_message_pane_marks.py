"""Selections, links and search matches in the message pane."""

from textual.geometry import Offset
from textual.selection import Selection

from protocol.client import Gap
from protocol.messages import ModelSwitched, Notice
from tests.tui.widgets.pane import AT, PaneApp
from tui.widgets.message_pane import MessagePane


async def test_drag_selects_text_that_is_copied_without_styles() -> None:
    app = PaneApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.say("hello there, dear friends of the long line that wraps", "second [b]line[/b]")
        await pilot.pause()
        first, second = app.row_of("hello"), app.row_of("second")
        column = app.shown()[first].index("there")
        await pilot.mouse_down(MessagePane, offset=(column, first))
        await pilot.hover(MessagePane, offset=(column + 4, first))
        await pilot.mouse_up(MessagePane, offset=(column + 4, first))
        assert app.screen.get_selected_text() == "there"
        assert [style.bgcolor for style in app.styles_of("there")] != [
            style.bgcolor for style in app.styles_of("hello")
        ]
        await pilot.mouse_down(MessagePane, offset=(column, first))
        await pilot.hover(MessagePane, offset=(57, second))
        await pilot.mouse_up(MessagePane, offset=(57, second))
        assert app.screen.get_selected_text() == (
            "bob: … there, dear friends of the long line that wraps\nbob: second [b]line[/b]"
        )


async def test_cells_right_of_a_row_belong_to_no_other_row() -> None:
    app = PaneApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.say("a row\nand another")
        await pilot.pause()
        row = app.row_of("a row")
        await pilot.mouse_down(MessagePane, offset=(app.shown()[row].index("row"), row))
        await pilot.hover(MessagePane, offset=(50, row))
        await pilot.mouse_up(MessagePane, offset=(50, row))
        assert app.screen.get_selected_text() == "row"


async def test_a_selection_stays_on_its_text_when_all_is_wrapped_anew() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.say("one two three four five six seven eight nine ten eleven twelve thirteen")
        await pilot.pause()
        row = app.row_of("three")
        column = app.shown()[row].index("three")
        await pilot.mouse_down(MessagePane, offset=(column, row))
        await pilot.hover(MessagePane, offset=(column + 9, row))
        await pilot.mouse_up(MessagePane, offset=(column + 9, row))
        await pilot.resize_terminal(40, 12)
        app.chat(3)
        await pilot.pause()
        assert app.screen.get_selected_text() == "three four"
        selected = app.screen.get_component_rich_style("screen--selection").bgcolor
        marked = "".join(
            segment.text
            for strip in app.strips()
            for segment in strip
            if segment.style is not None and segment.style.bgcolor == selected
        )
        assert marked.split() == ["three", "four"]


async def test_a_second_click_selects_one_entry() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.say("first", "second", "third")
        await pilot.pause()
        await pilot.click(MessagePane, offset=(30, app.row_of("second")), times=2)
        assert app.screen.get_selected_text() == "bob: second"


async def test_everything_can_be_selected() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)):
        app.say("first")
        app.pane.add([ModelSwitched(2, AT, "thread", "event", 0.01, 3), Gap(2)])
        app.pane.text_select_all()
        assert app.screen.get_selected_text() == (
            "bob: first\n*** now a thread each: 3 carried over in 10 ms\n*** 2 things that happened here are lost"
        )


async def test_a_click_opens_a_link_and_a_drag_does_not() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.say("see https://example.org/a?b=1, or javascript:alert(1)")
        await pilot.pause()
        row = app.row_of("https")
        column = app.shown()[row].index("https")
        assert app.styles_of("https://example.org/a?b=1")[0].underline
        await pilot.click(MessagePane, offset=(column + 3, row))
        await pilot.click(MessagePane, offset=(column - 3, row))
        await pilot.click(MessagePane, offset=(app.shown()[row].index("javascript"), row))
        assert app.posted == ["https://example.org/a?b=1"]
        await pilot.mouse_down(MessagePane, offset=(column, row))
        await pilot.hover(MessagePane, offset=(column + 8, row))
        await pilot.mouse_up(MessagePane, offset=(column + 8, row))
        await pilot.pause()
        assert app.posted == ["https://example.org/a?b=1"]


async def test_a_search_marks_all_matches_and_goes_through_them() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.chat(300)
        app.pane.add([Notice("line by the room")])
        assert app.pane.search("LINE 1") == 111
        await pilot.pause()
        assert "line 199" in app.shown()[app.row_of("line 199")]
        others, current = app.styles_of("line 1"), app.pane._row_cache.search
        assert current is not None
        assert current.current == 199
        assert len({style.bgcolor for style in others}) == 2
        app.pane.search_previous()
        assert current.current == 198
        for _ in range(99):
            app.pane.search_previous()
        assert current.current == 19
        app.pane.search_next()
        assert current.current == 100
        assert "line 100 " in app.shown()[app.row_of("line 100 ")]
        app.say("another line 1")
        app.pane.search_previous()
        app.pane.clear_search()
        assert len({style.bgcolor for style in app.styles_of("line")}) == 1
        assert app.pane.search("nowhere to be found") == 0
        app.pane.search_next()


async def test_a_search_with_nothing_to_look_for_ends() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.chat(10)
        assert app.pane.search("line") == 10
        assert app.pane.search("") == 0
        assert len({style.bgcolor for style in app.styles_of("line")}) == 1


async def test_selected_offsets_are_kept_out_of_range_without_harm() -> None:
    app = PaneApp()
    async with app.run_test(size=(50, 10)):
        app.say("hello")
        app.screen.selections = {app.pane: Selection(Offset(0, -5), Offset(5, 99))}
        assert app.pane.get_selection(Selection(Offset(0, -5), Offset(5, 99))) == ("bob: hello", "\n")
        assert app.shown()
