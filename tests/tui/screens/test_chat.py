"""Every key and command of the room's screen, against a real room."""

import pytest

from tests.running import RichPeer, Server
from tests.tui.acting import Actor, acting
from tests.tui.conftest import StartServer
from tests.tui.links import address_of
from tui.commands.parse import COMMANDS
from tui.screens.dialogs import PasteScreen
from tui.screens.help import HelpScreen
from tui.settings import Settings
from tui.widgets.composer import Composer
from tui.widgets.input_line import CommandList
from tui.widgets.people import People
from tui.widgets.search_bar import SearchBar


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server("event", "--rate-limit", "off")


class TestWriting:
    async def test_enter_says_and_ctrl_j_begins_a_new_line(self, server: Server) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await ada.type("one")
            await ada.press("ctrl+j")
            await ada.type("two")
            assert ada.chat.query_one(Composer).size.height == 2
            await ada.press("enter")
            bob.expect("said", text="one\ntwo")
            assert ada.written == ""

    async def test_the_line_grows_to_five_rows_and_no_further(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("\n".join("abcdefgh"))
            await ada.until(lambda: ada.chat.query_one(Composer).size.height == 5, "five rows")

    async def test_a_paste_arrives_whole_with_its_lines(self, server: Server) -> None:
        bob = server.rich("bob")
        text = "def f():\r\n    return 1\r\n\r\nprint(f())"
        async with acting(address_of(server), "ada") as ada:
            await ada.paste(text)
            await ada.press("enter")
            bob.expect("said", text=text.replace("\r\n", "\n"))

    async def test_a_paste_of_more_than_ten_lines_is_asked_for(self, server: Server) -> None:
        text = "\n".join(f"line {number}" for number in range(12))
        async with acting(address_of(server), "ada") as ada:
            await ada.paste(text)
            await ada.sees("Paste 12 lines, 74 characters?", "line 5", "… and 6 more")
            await ada.press("escape")
            assert ada.written == ""
            await ada.paste(text)
            await ada.until(lambda: isinstance(ada.app.screen, PasteScreen), "to be asked")
            await ada.press("enter")
            await ada.until(lambda: ada.written == text, "the paste")

    async def test_the_end_of_the_last_line_is_no_line_of_its_own(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("".join(f"{number}\n" for number in range(1, 16)))
            await ada.sees("Paste 15 lines, 21 characters?")
            await ada.press("enter")
            await ada.until(lambda: ada.written.endswith("14\n15"), "the paste")

    async def test_ten_lines_are_not_asked_for(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("\n".join("0123456789"))
            await ada.until(lambda: ada.written == "\n".join("0123456789"), "the paste")

    async def test_paste_drops_control_sequences(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("a\x1b[2Jb\u202ec")
            await ada.until(lambda: ada.written == "a␛[2Jbc", "the harmless text")

    async def test_up_and_down_walk_the_history_and_the_draft(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            for text in ("first", "second", "second", "two\nlines"):
                await ada.says(text)
            await ada.type("draft")
            seen = []
            for key in ("up", "up", "up", "up", "up", "down", "down", "down", "down", "down"):
                await ada.press(key)
                seen.append(ada.written)
            # Up within "two\nlines" moves a row first.
            assert seen == [
                *("two\nlines", "two\nlines", "second", "first", "first"),
                *("second", "two\nlines", "draft", "draft", "draft"),
            ]

    async def test_tab_completes_nicknames_the_latest_speaker_first(self, server: Server) -> None:
        for nick in ("bella", "bob", "bert"):
            server.rich(nick).say(f"I am {nick}")
        async with acting(address_of(server), "ada") as ada:
            await ada.sees("I am bert", "4 here")
            await ada.type("b", "tab")
            assert ada.written == "bert: "
            await ada.press("tab")
            assert ada.written == "bob: "
            await ada.press("shift+tab")
            assert ada.written == "bert: "
            await ada.type("hi @be", "tab")
            assert ada.written == "bert: hi @bert "

    async def test_tab_where_nothing_fits_is_forgotten(self, server: Server) -> None:
        async with acting(address_of(server), "zoe") as zoe:
            server.rich("adam")
            await zoe.sees("2 here")
            await zoe.type("ad", "tab")
            await zoe.press("x", "tab", "backspace", "tab")
            assert zoe.written == "adam: "

    async def test_ctrl_u_empties_the_draft_and_up_restores_it(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("a long\ndraft")
            await ada.press("ctrl+u")
            assert ada.written == ""
            await ada.press("up")
            assert ada.written == "a long\ndraft"

    async def test_a_list_of_commands_opens_at_a_slash(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.type("/")
            await ada.sees("/help", "the keys and the commands", "/nick NAME")
            assert "/model" not in ada.picture
            await ada.type("st")
            await ada.sees_no("/help")
            await ada.press("enter")
            assert ada.written == "/status "
            assert not ada.chat.query_one(CommandList).display

    async def test_up_and_down_choose_a_command_and_escape_closes_the_list(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.type("/")
            await ada.press("down", "down", "up", "enter")
            assert ada.written == "/me "
            await ada.press("ctrl+u")
            await ada.type("/")
            await ada.press("escape")
            assert not ada.chat.query_one(CommandList).display
            assert ada.written == "/"

    @pytest.mark.parametrize("key", ["tab", "enter"])
    async def test_tab_and_enter_take_the_highlighted_command(self, server: Server, key: str) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.type("/")
            await ada.press("down", "down", "down", key)
            assert ada.written == "/who "
            await ada.press("enter")
            await ada.sees("1 here: ada")

    async def test_enter_runs_a_command_that_is_written_out(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.type("/who", "enter")
            await ada.sees("1 here: ada")
            await ada.type("/nick", "enter")
            assert ada.written == "/nick "

    async def test_enter_takes_the_highlighted_command(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.until(lambda: ada.app.client.status, "a status")
            ada.app.client.link.client.is_operator = True
            await ada.type("/clear")
            await ada.press("down", "enter")
            assert ada.written == "/clear-history "
            assert "ada joined" in ada.picture

    async def test_an_action_may_be_as_long_as_any_line(self, server: Server) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await ada.says(f"/me {'x' * 2_000}")
            bob.expect("said", text="x" * 2_000, action=True)

    async def test_what_is_too_long_is_counted_and_stays(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("x" * 1_700)
            await ada.sees("1,700 of 2,000 characters")
            await ada.paste("x" * 301)
            await ada.sees("2,001 of 2,000 characters")
            await ada.press("enter")
            await ada.sees("that is too long: it has 2,001 characters, and 2,000 are allowed")
            assert len(ada.written) == 2_001

    async def test_letters_that_take_more_bytes_are_counted_as_they_travel(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.paste("李" * 1_400)
            await ada.sees("of 4,096 bytes")
            await ada.press("enter")
            await ada.sees("that is too long: it has 4,2", "bytes, and 4,096 are allowed")

    async def test_a_key_typed_in_the_people_goes_into_the_line(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.press("f3")
            await ada.type("hi")
            assert ada.written == "hi"


class TestCommands:
    async def test_me_nick_who_and_status(self, server: Server) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada", size=(120, 40)) as ada:
            await ada.says("/me waves")
            bob.expect("said", text="waves", action=True)
            await ada.says("/nick lovelace")
            await ada.sees("ada is now lovelace")
            await ada.says("/who")
            await ada.sees("2 here: bob, lovelace")
            await ada.says("/status")
            await ada.sees("model event, 2 connected, you: event loop; 1 process", "MiB")

    async def test_a_mistake_is_told_and_the_line_stays(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.says("/wave")
            await ada.sees("there is no command /wave")
            assert ada.written == "/wave"
            await ada.press("ctrl+u")
            await ada.says("//wave")
            await ada.sees("ada  /wave")

    async def test_bad_and_taken_nicknames_are_refused(self, server: Server) -> None:
        server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await ada.says("/nick *")
            await ada.sees("a nickname begins with a letter or a digit")
            await ada.says("/nick bob")
            await ada.sees("bob is taken; bob2 is free")

    async def test_only_an_operator_changes_the_model(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.says("/model thread")
            await ada.sees("only an operator can do that")
            await ada.press("f7", "ctrl+t")
            await ada.says("still")
            await ada.sees("ada  still", "↻ event")

    async def test_another_nickname_is_remembered(self, server: Server) -> None:
        remembered: list[Settings] = []
        async with acting(address_of(server), "ada", remember=remembered.append) as ada:
            await ada.says("/nick lovelace")
            await ada.until(lambda: remembered[-1].nick == "lovelace", "it to be remembered")

    async def test_times_bell_and_clear(self, server: Server) -> None:
        remembered: list[Settings] = []
        async with acting(address_of(server), "ada", remember=remembered.append) as ada:
            await ada.until(lambda: any(row[1:6].count(":") for row in ada.rows), "a time")
            await ada.says("/times")
            await ada.until(lambda: not any(row[1:6].count(":") for row in ada.rows), "no time")
            await ada.says("/bell")
            await ada.sees("the bell is silent")
            await ada.says("/clear")
            await ada.sees_no("the bell is silent")
        assert remembered[-1].times is False
        assert remembered[-1].bell is False

    async def test_help_shows_the_keys_and_the_commands(self, server: Server) -> None:
        async with acting(address_of(server), "ada", size=(100, 50)) as ada:
            await ada.says("/help")
            await ada.sees("Keys", "Ctrl+J", "a new line", "Commands", "/nick NAME")
            await ada.press("escape")
            await ada.press("f1")
            await ada.until(lambda: isinstance(ada.app.screen, HelpScreen), "help")
            await ada.press("f1")
            await ada.until(lambda: ada.app.screen is ada.chat, "the room")


class TestLookingAround:
    async def fill(self, ada: Actor, bob: RichPeer, lines: int = 60) -> None:
        for number in range(lines):
            bob.say(f"line {number}")
        await ada.sees(f"line {lines - 1}")

    async def test_scrolled_up_pane_stays_and_counts_new_lines(self, server: Server) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await self.fill(ada, bob)
            await ada.press("pageup")
            await ada.sees_no("line 59")
            before = ada.rows[5]
            bob.say("fresh")
            bob.say("fresher")
            await ada.sees("2 new ↓")
            assert ada.rows[5] == before
            await ada.press("escape")
            await ada.sees("fresher", "── new ──")
            await ada.sees_no("2 new ↓")

    @pytest.mark.parametrize(
        ("typed", "answer"),
        [
            ("/who", "2 here: ada, bob"),
            ("/status", "model event,"),
            ("/where", "KiB"),
            ("/wave", "there is no command /wave"),
            ("/nick *", "a nickname begins with a letter"),
            ("/nick bob", "bob is taken"),
            ("/model thread", "only an operator can do that"),
        ],
    )
    async def test_what_one_asked_for_is_seen_also_from_above(self, server: Server, typed: str, answer: str) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await self.fill(ada, bob)
            await ada.press("ctrl+home")
            await ada.sees_no("line 59")
            await ada.says(typed)
            await ada.until(lambda: any(answer in row for row in ada.rows[:-2]), f"{answer!r} in the pane")

    async def test_keys_go_to_the_beginning_and_the_end(self, server: Server) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await self.fill(ada, bob)
            await ada.press("ctrl+home")
            await ada.sees("line 0")
            await ada.press("pagedown")
            await ada.sees_no("line 0 ")
            await ada.press("ctrl+end")
            await ada.sees("line 59")

    async def test_search_goes_to_older_and_newer_matches(self, server: Server) -> None:
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            await self.fill(ada, bob, 100)
            await ada.press("ctrl+f")
            await ada.type("line 3")
            await ada.sees("find line 3", "11 of 11")
            await ada.sees("line 39")
            for _ in range(10):
                await ada.press("up")
            await ada.sees("line 3\n")
            await ada.sees("1 of 11")
            await ada.press("down")
            await ada.sees("line 30", "2 of 11")
            bob.say("line 3 again")
            await ada.sees("2 of 12")
            await ada.type("x")
            await ada.sees("no match")
            await ada.press("escape")
            await ada.sees_no("find line")
            assert ada.app.focused is ada.chat.query_one(Composer)
            await ada.says("/find line 99")
            await ada.sees("1 of 1   ↑ older")
            assert ada.chat.query_one(SearchBar).display

    async def test_search_finds_lines_by_their_nickname(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            bob = server.rich("bob")
            await ada.sees("bob joined")
            bob.say("hello")
            await ada.sees("bob  hello")
            await ada.says("/find bob")
            await ada.sees("2 of 2")  # The entry of the join, and the line.

    @pytest.mark.parametrize("keys", [("tab",), ("f3", "escape")])
    async def test_escape_closes_the_search_wherever_the_focus_is(self, server: Server, keys: tuple[str, ...]) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.press("ctrl+f")
            await ada.type("ada")
            await ada.press(*keys, "escape")
            await ada.sees_no("find ada")
            assert ada.app.focused is ada.chat.query_one(Composer)

    async def test_choosing_a_person_puts_their_nickname_into_the_line(self, server: Server) -> None:
        for nick in ("bob", "cleo"):
            server.rich(nick)
        async with acting(address_of(server), "ada") as ada:
            await ada.sees("3 here")
            await ada.press("f3", "down", "down", "enter")
            assert ada.written == "@cleo "
            await ada.press("f3", "home", "enter")
            assert ada.written == "@cleo @ada "

    async def test_below_80_columns_the_people_open_over_the_pane(self, server: Server) -> None:
        async with acting(address_of(server), "ada", size=(60, 20)) as ada:
            people = ada.chat.query_one(People)
            assert not people.display or people.size.width == 0
            await ada.press("f3")
            await ada.sees("1 here")
            await ada.press("escape")
            await ada.sees_no("1 here")

    async def test_a_mention_rings_unless_the_bell_is_off(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung: list[str] = []
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            monkeypatch.setattr(ada.app, "bell", lambda: rung.append("ding"))
            bob.say("hello @ada")
            await ada.until(lambda: rung == ["ding"], "the bell")
            await ada.says("/bell")
            bob.say("again, ada")
            bob.say("heard?")
            await ada.sees("heard?")
            assert rung == ["ding"]

    async def test_the_palette_has_everything(self, server: Server) -> None:
        async with acting(address_of(server), "ada", size=(100, 50)) as ada:
            await ada.press("ctrl+p")
            await ada.sees("Search for commands", "/bell", "ring, or do not, when somebody names you")
            titles = [command.title for command in ada.app.get_system_commands(ada.chat)]
            assert {"Theme", "People", "Newest line", "Leave"} <= set(titles)
            for command in COMMANDS:
                assert any(f"/{command.name}" in title.split() for title in titles) is not command.for_operators
            await ada.type("peop")
            await ada.sees("Who is here; choose one to name them")
            await ada.press("enter")
            await ada.until(lambda: ada.chat.query_one(People).roster.has_focus, "the people")

    @pytest.mark.parametrize("typed", ["who", "status", "nick", "where", "save"])
    async def test_the_palette_finds_commands(self, server: Server, typed: str) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.press("ctrl+p")
            await ada.type(typed)
            await ada.sees(f"/{typed}")

    async def test_palette_starts_a_command_and_keeps_the_draft(self, server: Server) -> None:
        async with acting(address_of(server), "ada") as ada:
            await ada.type("a draft")
            await ada.press("ctrl+p")
            await ada.type("nick")
            await ada.sees("/nick NAME")
            await ada.press("down", "enter")
            await ada.until(lambda: ada.written == "/nick ", "the command")
            await ada.press("up")
            assert ada.written == "a draft"
