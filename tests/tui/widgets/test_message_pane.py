from textual.events import MouseScrollUp

from protocol.messages import Presence, Refused, Said
from tests.tui.widgets.pane import AT, PaneApp, contrast_of
from tui.widgets.message_pane import MessagePane


async def test_the_latest_is_in_view() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.chat(100)
        await pilot.pause()
        assert "line 99" in app.shown()[-1]
        app.say("one more")
        await pilot.pause()
        assert app.shown()[-1].endswith("bob  one more")


async def test_few_lines_begin_at_the_top() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.say("hello", "there")
        day, first, second, *rest = app.shown()
        assert "November" in day
        assert "hello" in first
        assert "there" in second
        assert rest == [""] * 7


async def test_pane_scrolled_up_stays_and_counts_new_lines() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.chat(100)
        app.pane.action_page_up()
        before = app.shown()
        app.say("new one", "new two")
        app.pane.add([Presence(next(app.serial), AT, joined=["cleo"]), app.said("mine", "ada")])
        await pilot.pause()
        assert app.shown() == before
        assert app.pane.unread == 2
        app.pane.jump_to_end()
        await pilot.pause()
        assert app.pane.unread == 0
        assert app.posted == [2, 0]


async def test_a_line_marks_where_the_reader_left_off() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.chat(100)
        app.pane.action_page_up()
        app.say("new one")
        app.say("new two")
        app.pane.action_scroll_end()
        shown = app.shown()
        at = app.row_of("── new ──")
        assert "line 99" in shown[at - 1]
        assert "new one" in shown[at + 1]


async def test_first_line_while_away_is_marked_as_new_once() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.say("seen")
        app.pane.away = True
        app.say("first")
        app.say("second")
        assert app.shown()[app.row_of("── new ──") + 1].endswith("first")
        app.pane.away = False
        app.say("third")
        assert app.shown()[app.row_of("── new ──") + 1].endswith("first")
        app.pane.away = True
        app.say("fourth")
        assert app.shown()[app.row_of("── new ──") + 1].endswith("fourth")
        assert app.pane.unread == 0


async def test_the_keys_go_through_all_there_is_and_no_further() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        pane = app.pane
        app.chat(100)
        pane.action_page_up()
        assert "line 80" in app.shown()[0]
        pane.action_page_down()
        assert "line 99" in app.shown()[-1]
        pane.action_scroll_home()
        assert "November" in app.shown()[0]
        pane.action_scroll_home()
        pane.action_page_up()
        assert pane.scroll_offset.y == 0
        pane.action_scroll_end()
        pane.action_page_down()
        assert "line 99" in app.shown()[-1]
        pane.action_scroll_up()
        assert "line 98" in app.shown()[-1]


async def test_the_wheel_scrolls() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.chat(100)
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollUp], app.pane, (5, 5))
        await pilot.pause()
        assert "line 99" not in app.shown()[-1]


async def test_own_line_is_dim_until_the_room_has_said_it() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.pane.add_own("x", "mine", False, AT)
        app.say("theirs")
        assert [line.split()[-1] for line in app.shown() if line][1:] == ["theirs", "mine"]
        waiting = app.styles_of("mine")[0]
        assert contrast_of(waiting) < contrast_of(app.styles_of("theirs")[0]) / 2
        app.pane.add([app.said("mine", "ada", "x")])
        app.say("later")
        assert [line.split()[-1] for line in app.shown() if line][1:] == ["theirs", "mine", "later"]
        assert contrast_of(app.styles_of("mine")[0]) == contrast_of(app.styles_of("theirs")[0])


async def test_saying_something_leads_to_the_end() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.chat(100)
        app.pane.action_scroll_home()
        app.pane.add_own("x", "mine", False, AT)
        assert app.shown()[-1].endswith("ada  mine")


async def test_a_refused_line_says_why() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.pane.add_own("x", "mine", False, AT)
        app.pane.add_own("y", "mine too", False, AT)
        app.pane.add([Refused("too-long", "too long", "x"), Refused("muted", "you may not speak", "y")])
        text = "\n".join(app.shown())
        assert "!  not said: too long\n          mine\n" in text
        assert "!  not said: you may not speak\n          mine too" in text


async def test_a_pane_that_is_not_on_the_screen_yet_takes_lines() -> None:
    pane = MessagePane()
    pane.me = "ada"
    pane.add([Said(1, "bob", "ada!", AT)])
    assert len(pane.entries) == 1


async def test_times_can_be_hidden() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)):
        app.say("hello")
        assert app.shown()[1][3] == ":"
        app.pane.show_times = False
        assert app.shown()[1][3] != ":"


async def test_a_mention_stands_out() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)):
        app.say("nothing", "hey ada", "and @ADA again")
        assert app.styles_of("hey ada")[0].bgcolor != app.styles_of("nothing")[0].bgcolor
        assert app.shown()[app.row_of("hey ada")].startswith("▌")


async def test_an_action_that_names_me_stands_out_from_edge_to_edge() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)):
        app.pane.add([app.said("waves to ada", action=True)])
        row = app.strips()[app.row_of("bob waves to ada")]
        assert len({segment.style.bgcolor for segment in row if segment.style is not None}) == 1


async def test_search_for_a_nickname_marks_its_lines() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)):
        app.say("hello")
        before = app.styles_of("bob")[0]
        assert app.pane.search("bob") == 1
        assert app.pane.found == (1, 1)
        assert app.styles_of("bob")[0].bgcolor != before.bgcolor


async def test_a_cleared_pane_is_empty_and_goes_on() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.chat(300)
        app.pane.action_scroll_home()
        app.say("unread")
        app.pane.clear()
        await pilot.pause()
        assert app.shown() == [""] * 10
        assert app.pane.unread == 0
        app.say("again")
        assert "again" in app.shown()[1]


async def test_lines_that_come_before_the_pane_has_a_size_are_shown() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.pane.display = False
        await pilot.pause()
        app.chat(100)
        app.pane.display = True
        await pilot.pause()
        assert "line 99" in app.shown()[-1]
