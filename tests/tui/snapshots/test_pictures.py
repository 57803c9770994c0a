"""Pictures of the full screen, compared with checked ones. Each test describes its picture and asserts the main parts.

After an intended change run `.venv/bin/python -m pytest tests/tui/snapshots --snapshot-update`, and look at the result.
"""

import os
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from protocol.messages import Event, OperatorGranted, Said
from tests.tui.acting import Actor
from tests.tui.snapshots.scripted import Room, app, still
from tests.tui.widgets.pane import contrast_of
from tui.app import ChatApp
from tui.link.room_link import LinkState
from tui.style import style_of

Compare = Callable[..., bool]
Look = Callable[[Actor], Awaitable[None]]


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same time zone and colours on every machine."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLORTERM", "truecolor")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def draw(compare: Compare, app: ChatApp, look: Look, size: tuple[int, int] = (80, 24)) -> None:
    """Run `look` on the app, then compare its picture with the stored one."""

    async def before(pilot: Pilot[None]) -> None:
        actor = Actor(app, pilot)
        await look(actor)
        still(pilot)
        await pilot.pause()

    assert os.environ["TZ"] == "UTC"
    assert compare(app, terminal_size=size, run_before=before)


CODE = "here is the code, it is two lines long and wraps under its own text:\n    print('hello')"


def evening(room: Room) -> list[Event]:
    """The events of a lively quarter of an hour."""
    return [
        *room.welcome(motd="Welcome. Be kind, try to break it."),
        room.came("ada", "bob", "cleo"),
        room.said("ada", "is this thing on?", id="1"),
        room.said("bob", "loud and clear. " + CODE),
        room.came("dan", "李雷", "Zoë", *(f"guest{number}" for number in range(20)), after=60),
        room.said("cleo", "@bob which model is it? https://example.org/three-rooms"),
        room.said("李雷", "大家好 🎉 aligned?"),
        room.said("dan", "waves", action=True),
        room.notice("the host: in a minute the engine changes", after=40),
        room.switched("thread"),
        room.status(),
        room.said("Zoë", "I did not notice a thing"),
    ]


def busy(model: str = "process") -> list[list[Event]]:
    room = Room(model, ["ada", "bob", "cleo", "dan", "Zoë", "李雷", *(f"guest{n}" for n in range(20))], 27)
    return [evening(room)]


class TestThePrompt:
    def test_fresh(self, snap_compare: Compare) -> None:
        """The three signs in their colours, the room's name and address, an empty field, the allowed characters."""

        async def look(ada: Actor) -> None:
            await ada.sees("▣ ≋ ↻", "A tale of three chat rooms", "The room at 192.0.2.7:2000", "your nickname")
            await ada.sees("letters and digits")

        draw(snap_compare, app(nick=""), look)

    def test_a_taken_nickname(self, snap_compare: Compare) -> None:
        """The nickname is taken: the reason in amber, a free one already in the field, and the key that takes it."""
        room = Room()

        async def look(ada: Actor) -> None:
            await ada.sees("ada is taken; ada2 is free, Enter takes it", " ada2")

        draw(snap_compare, app([room.refused("nickname-taken", "ada is taken", "ada2")]), look)

    def test_no_room_there(self, snap_compare: Compare) -> None:
        """The server is not listening: a banner with the reason, the seconds until the next try, and the keys."""

        async def look(ada: Actor) -> None:
            await ada.sees(
                "No connection to 192.0.2.7:2000: nobody listens there. Next try in 4 s.", "Ctrl+R tries now"
            )

        draw(snap_compare, app(LinkState("waiting", "nobody listens there", 4.0, 3)), look)


class TestTheRoom:
    def test_empty(self, snap_compare: Compare) -> None:
        """Alone in the room: the day, one quiet line and an empty input line."""
        room = Room("event")

        async def look(ada: Actor) -> None:
            await ada.sees("── Monday 23 November ──", "ada joined", "1 here", "write a line", "↻ event", "1 connected")

        draw(snap_compare, app([*room.welcome(), room.came("ada")]), look)

    def test_busy(self, snap_compare: Compare) -> None:
        """Nicknames in one column, texts in another, continuation lines under the text, CJK and emoji aligned; joins
        folded; the notice and the switch apart from what people say; the bar in the new model's colour."""

        async def look(ada: Actor) -> None:
            await ada.sees("bob  loud and clear", "≋ ── now a thread each: 27 carried over in 41 ms", "26 here")
            await ada.sees("李雷  大家好", "*  dan waves")
            assert ada.bar.startswith("≋ thread 27 connected you: thread 17 ping 3 ms")
            column = {
                row.index(text) for row in ada.rows for text in ("loud and", "wraps under", "I did not") if text in row
            }
            assert len(column) == 1, ada.picture

        draw(snap_compare, app(*busy()), look, (100, 30))

    def test_scrolled_up_with_new_lines(self, snap_compare: Compare) -> None:
        """Scrolled up: the pane does not move, and the input line has the number of new lines in the accent colour."""
        room = Room("event", ["ada", "bob"])
        history: list[Event] = [*room.welcome(), *(room.said("bob", f"line {n}") for n in range(60))]

        async def look(ada: Actor) -> None:
            await ada.sees("line 59")
            await ada.press("pageup")
            await ada.sees_no("line 59")
            ada.chat.show_items([room.said("bob", "fresh"), room.said("bob", "fresher")])
            await ada.sees("2 new ↓")
            assert "fresh" not in ada.picture

        draw(snap_compare, app(history), look)

    def test_where_one_left_off(self, snap_compare: Compare) -> None:
        """Back at the end after reading above: a line marks the first new one."""
        room = Room("event", ["ada", "bob"])
        history: list[Event] = [*room.welcome(), *(room.said("bob", f"line {n}") for n in range(60))]

        async def look(ada: Actor) -> None:
            await ada.sees("line 59")
            await ada.press("pageup")
            await ada.sees_no("line 59")
            ada.chat.show_items([room.said("bob", "fresh"), room.said("bob", "fresher")])
            await ada.press("ctrl+end")
            await ada.sees("── new ──", "fresher")

        draw(snap_compare, app(history), look)

    def test_a_mention(self, snap_compare: Compare) -> None:
        """Only the line that names me has a tinted background and a bar."""
        room = Room("event", ["ada", "bob"])
        told = [*room.welcome(), room.said("bob", "anybody there?"), room.said("bob", "ada, is it you?")]

        async def look(ada: Actor) -> None:
            await ada.sees("ada, is it you?")
            rows = [row for row in ada.rows if "bob  " in row]
            assert ["▌" in row for row in rows] == [False, True, False], ada.picture

        draw(snap_compare, app([*told, room.said("bob", "adamant, I say")]), look)

    def test_mine_until_the_room_has_it(self, snap_compare: Compare) -> None:
        """A line that the room has not acknowledged is dim; an acknowledged one is not."""
        room = Room("event", ["ada", "bob"])

        def contrast(ada: Actor, words: str) -> float:
            strips = ada.app.screen._compositor.render_strips()
            return next(contrast_of(one.style) for strip in strips for one in strip if words in one.text and one.style)

        async def look(ada: Actor) -> None:
            await ada.is_in()
            await ada.says("on its way")
            await ada.sees("ada  on its way")
            assert contrast(ada, "on its way") < contrast(ada, "heard by all") / 2

        draw(snap_compare, app([*room.welcome(), room.said("ada", "heard by all")]), look)


class TestTheParts:
    def test_search(self, snap_compare: Compare) -> None:
        """The search bar with its count and keys, all matches marked, the current one more strongly."""

        async def look(ada: Actor) -> None:
            await ada.sees("I did not notice")
            await ada.press("ctrl+f")
            await ada.type("is")
            await ada.sees("find is", "3 of 3", "↑ older  ↓ newer  esc")

        draw(snap_compare, app(*busy()), look, (100, 30))

    def test_people(self, snap_compare: Compare) -> None:
        """The people at the side, sorted regardless of case, counted, me in bold, the chosen one highlighted."""

        async def look(ada: Actor) -> None:
            await ada.sees("26 here")
            await ada.press("f3", "down", "down")
            assert ada.chat.query_one("#roster").has_focus

        draw(snap_compare, app(*busy()), look, (100, 30))

    def test_people_over_a_narrow_pane(self, snap_compare: Compare) -> None:
        """Below 80 columns the people cover a part of the pane, on their own background."""

        async def look(ada: Actor) -> None:
            await ada.sees("I did not notice")
            await ada.press("f3")
            await ada.sees("26 here")

        draw(snap_compare, app(*busy()), look, (60, 20))

    def test_the_list_of_commands(self, snap_compare: Compare) -> None:
        """A slash opens the commands above the input line, the first one highlighted, without those of operators."""

        async def look(ada: Actor) -> None:
            await ada.is_in()
            await ada.type("/")
            await ada.sees("/help", "/nick NAME")
            assert "/model" not in ada.picture

        draw(snap_compare, app(*busy()), look)

    def test_a_long_paste(self, snap_compare: Compare) -> None:
        """Before a paste of 12 lines: the question, the first lines, and the keys."""

        async def look(ada: Actor) -> None:
            await ada.is_in()
            ada.chat.composer.post_message(Paste("\n".join(f"line {n}" for n in range(12))))
            await ada.sees("Paste 12 lines, 74 characters?", "One holds at most 40 lines and", "… and 6 more")

        draw(snap_compare, app(*busy()), look)

    def test_a_long_paste_on_a_tiny_terminal(self, snap_compare: Compare) -> None:
        """At 40×10 the question and its keys are complete."""

        async def look(ada: Actor) -> None:
            await ada.is_in()
            ada.chat.composer.post_message(Paste("\n".join(f"line {n}" for n in range(12))))
            await ada.sees("Paste 12 lines, 74 characters?", "Enter pastes   Esc does not")

        draw(snap_compare, app(*busy()), look, (40, 10))

    @pytest.mark.parametrize("width", [40, 80])
    def test_the_commands_of_an_operator(self, snap_compare: Compare, width: int) -> None:
        """Each command in one row: its usage in a column and, if there is room, its description."""

        async def look(ada: Actor) -> None:
            await ada.is_in()
            await ada.type("/")
            await ada.press(*["down"] * 14)
            await ada.sees("/ban NICK [minutes] [address]", "/model process|thread|event")
            assert ("run the room by another model" in ada.picture) is (width == 80)

        room = Room("event", ["ada", "bob"])
        draw(snap_compare, app([*room.welcome(), OperatorGranted(), room.said("bob", "hello")]), look, (width, 18))

    def test_too_long(self, snap_compare: Compare) -> None:
        """The last five rows of the input with the cursor at their end; the count is red, above the limit."""

        async def look(ada: Actor) -> None:
            await ada.is_in()
            ada.chat.composer.post_message(Paste("word " * 410))
            await ada.sees("2,050 of 2,000 characters")
            composer = ada.chat.composer
            await ada.until(lambda: composer.region.contains_point(composer.cursor_screen_offset), "to see the cursor")

        draw(snap_compare, app(*busy()), look)

    def test_help(self, snap_compare: Compare) -> None:
        """The keys and the commands in two aligned columns, over the dimmed room."""

        async def look(ada: Actor) -> None:
            await ada.is_in()
            await ada.press("f1")
            await ada.sees("Keys", "say it", "Commands")

        draw(snap_compare, app(*busy()), look, (100, 44))

    @pytest.mark.parametrize("model", ["process", "thread", "event"])
    def test_the_status_bar_of_each_model(self, snap_compare: Compare, model: str) -> None:
        """The model's sign and colour, the count, the serving process or thread, the round trip."""
        room = Room(model, ["ada", "bob"], 1_234)

        async def look_at(ada: Actor) -> None:
            await ada.is_in()
            await ada.sees_in_bar(f"{style_of(model).sign} {model} 1,234 connected you: ")

        draw(snap_compare, app([*room.welcome(), room.said("bob", f"run by {model}")]), look_at, (100, 6))


class TestTheConnection:
    def test_reconnecting(self, snap_compare: Compare) -> None:
        """A banner with the reason, the countdown and the key; the bar shows no connection and no model."""

        async def look(ada: Actor) -> None:
            await ada.sees("No connection to 192.0.2.7:2000: the connection broke. Next try in 7 s.")
            await ada.sees("○ not connected", "Ctrl+R tries now")
            assert "connected you" not in ada.bar

        draw(snap_compare, app(*busy(), LinkState("waiting", "the connection broke", 7.0, 4)), look, (100, 30))

    def test_out_of_the_room(self, snap_compare: Compare) -> None:
        """After a removal for good: the reason and the two keys."""

        async def look(ada: Actor) -> None:
            await ada.sees("You are out of the room: you were asked to leave.", "Ctrl+R joins again   Ctrl+Q leaves")

        draw(snap_compare, app(*busy(), LinkState("over", "you were asked to leave")), look, (100, 30))


class TestSizesAndThemes:
    def test_narrow(self, snap_compare: Compare) -> None:
        """At 60 columns the list of people is hidden. All else is visible, and the bar ends with the key for help."""

        async def look(ada: Actor) -> None:
            await ada.sees("I did not notice", "≋ thread  27 connected")
            assert ada.bar.endswith("f1 help")
            await ada.sees_no("26 here")

        draw(snap_compare, app(*busy()), look, (60, 20))

    def test_tiny(self, snap_compare: Compare) -> None:
        """At 40×10 the header is hidden and texts wrap; the model, the count and the input line are visible."""

        async def look(ada: Actor) -> None:
            await ada.sees("I did not notice", "≋ thread  27 connected", "❯ write a line")
            assert "A tale" not in ada.picture
            ada.chat.show_items([Said(900, "bob", "and this is still a room to talk in", 1_795_465_000.0)])
            await ada.sees("still a room")

        draw(snap_compare, app(*busy()), look, (40, 10))

    def test_tiny_prompt(self, snap_compare: Compare) -> None:
        """At 40×10 the prompt is complete."""

        async def look(ada: Actor) -> None:
            await ada.sees("A tale of three chat rooms", "The room at 192.0.2.7:2000", "your nickname", "letters and")

        draw(snap_compare, app(nick=""), look, (40, 10))

    @pytest.mark.parametrize("theme", ["room-light", "nord", "textual-light"])
    def test_other_themes(self, snap_compare: Compare, theme: str) -> None:
        """The same room in another theme: all text is readable, and the model keeps its colour and sign."""

        async def look(ada: Actor) -> None:
            await ada.sees("I did not notice")
            assert ada.app.theme == theme

        draw(snap_compare, app(*busy(), theme=theme), look, (100, 30))

    def test_without_colour(self, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
        """With NO_COLOR there is no colour: signs, weight and position are enough."""
        monkeypatch.setenv("NO_COLOR", "1")

        async def look(ada: Actor) -> None:
            await ada.sees("≋ thread", "I did not notice")

        draw(snap_compare, app(*busy()), look, (100, 30))
