"""The full screen in real rooms: joining, talking, losing the connection, leaving."""

import pytest
from textual.widgets import Input

from protocol.messages import Model
from tests.tui.acting import acting
from tests.tui.conftest import OpenRelay, StartServer
from tests.tui.links import address_of
from tui.address import Address
from tui.settings import Settings
from tui.style import style_of
from tui.widgets.bars import Banner

MODELS = [model.value for model in Model]


@pytest.mark.parametrize("model", MODELS)
class TestAConversation:
    async def test_two_people_talk_and_the_bar_shows_the_model(self, model: str, start_server: StartServer) -> None:
        server = start_server(model)
        async with acting(address_of(server)) as ada:
            await ada.enters("ada")
            await ada.sees(f"{style_of(model).sign} {model}", "1 connected", "1 here", "ada joined")
            bob = server.plain("bob")
            await ada.sees("2 connected", "2 here")
            await ada.says("is this thing on?")
            bob.expect("ada: is this thing on?")
            bob.say("loud and clear")
            await ada.sees("ada  is this thing on?", "bob  loud and clear")
            await ada.sees("you: event loop" if model == "event" else f"you: {model} ")
            bob.close()
            await ada.sees("1 connected", "1 here")

    async def test_a_switch_shows_in_the_pane_and_in_the_bar(self, model: str, start_server: StartServer) -> None:
        server = start_server(model)
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            for other in (one for one in MODELS if one != model):
                boss.switch(other)
                await ada.sees_in_bar(f"{style_of(other).sign} {other} 2 connected")
                # The bar omits the serving process or thread until the server has named it.
                await ada.sees_in_bar("you: event loop" if other == "event" else f"you: {other} ")
                assert not any(f"you: {old} " in ada.bar for old in MODELS if old != other)
                assert any(row.startswith(f" {style_of(other).sign} ── now ") for row in ada.rows), ada.picture
                await ada.says(f"still here under {other}")
                boss.expect("said", text=f"still here under {other}")


class TestTheNicknamePrompt:
    async def test_it_is_drawn_before_anything_connects_and_names_the_room(self, free_port: int) -> None:
        async with acting(Address("127.0.0.1", free_port)) as ada:
            await ada.sees("A tale of three chat rooms", f"The room at 127.0.0.1:{free_port}", "your nickname")
            assert not ada.app.client.link.has_started

    async def test_it_says_at_once_why_a_nickname_will_not_do(self, start_server: StartServer) -> None:
        async with acting(address_of(start_server())) as ada:
            await ada.type("a b")
            await ada.sees("a nickname has no spaces")
            await ada.press("enter")
            assert not ada.app.client.link.has_started
            await ada.press("backspace", "backspace")
            await ada.sees("Enter joins the room")

    async def test_it_offers_the_last_nickname_and_remembers_the_new_one(self, start_server: StartServer) -> None:
        remembered: list[Settings] = []
        settings = Settings(nick="ada")
        address = address_of(start_server())
        async with acting(address, settings=settings, remember=remembered.append) as ada:
            await ada.sees("ada", "Enter joins the room")
            await ada.enters("2")
            await ada.sees("ada2 joined")
        assert remembered[-1].nick == "ada2"
        assert remembered[-1].rooms == (str(address),)

    async def test_a_taken_nickname_is_answered_with_a_free_one(self, start_server: StartServer) -> None:
        server = start_server()
        server.plain("ada")
        async with acting(address_of(server)) as ada:
            await ada.type("ada", "enter")
            await ada.sees("ada is taken; ada2 is free, Enter takes it")
            await ada.press("enter")
            await ada.is_in()
            await ada.sees("ada2 joined", "2 here")

    async def test_a_room_that_cannot_be_reached_is_tried_again(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        relay = await open_relay(start_server())
        relay.cut()
        async with acting(relay.address) as ada:
            await ada.type("ada", "enter")
            await ada.sees(f"No connection to {relay.address}: the room closed the connection.", "Ctrl+R tries now")
            relay.mend()
            await ada.press("ctrl+r")
            await ada.is_in()

    async def test_leaving_without_a_reached_room_exits_with_69(self, free_port: int) -> None:
        async with acting(Address("127.0.0.1", free_port)) as ada:
            await ada.type("ada", "enter")
            await ada.sees("nobody listens there", "Next try in")
            await ada.leaves()
        assert ada.app.return_code == 69

    async def test_leaving_at_a_taken_nickname_exits_with_0(self, start_server: StartServer) -> None:
        server = start_server()
        server.plain("ada")
        async with acting(address_of(server)) as ada:
            await ada.type("ada", "enter")
            await ada.sees("ada is taken; ada2 is free, Enter takes it")
            await ada.leaves()
        assert ada.app.return_code == 0

    async def test_whoever_was_not_let_in_gets_exit_code_1(self, start_server: StartServer) -> None:
        server = start_server()
        server.operator().command("lock")
        async with acting(address_of(server)) as ada:
            await ada.type("ada", "enter")
            await ada.sees("does not let you in: the room is locked")
            await ada.leaves()
        assert ada.app.return_code == 1


class TestLosingTheRoom:
    async def test_missed_and_unsent_lines_come_exactly_once(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        server = start_server()
        relay = await open_relay(server)
        bob = server.rich("bob")
        async with acting(relay.address, "ada") as ada:
            await ada.says("before")
            bob.expect("said", text="before")
            relay.cut()
            await ada.sees("○ not connected", f"No connection to {relay.address}", "Next try in")
            bob.say("did you hear that?")
            await ada.says("not lost")
            await ada.sees("not lost")
            relay.mend()
            await ada.press("ctrl+r")
            bob.expect("said", text="not lost")
            await ada.sees("bob  did you hear that?", "ada  not lost", "↻ event")
            await ada.until(lambda: not ada.chat.query_one(Banner).display, "the banner to go")
            await ada.says("after")
            bob.expect("said", text="after")
            assert ada.picture.count("not lost") == 1
            assert ada.picture.count("did you hear that?") == 1

    async def test_command_while_offline_is_kept_and_not_sent(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        server = start_server()
        relay = await open_relay(server)
        async with acting(relay.address, "ada") as ada:
            relay.cut()
            await ada.sees("○ not connected")
            for line in ("/nick eve", "/where", "/who", "/status"):
                await ada.press("ctrl+u")
                await ada.says(line)
                await ada.sees(f"not connected, so not sent: {line.split()[0]}")
                assert ada.written == line
            relay.mend()
            await ada.press("ctrl+r")
            await ada.sees("↻ event")
            assert not ada.app.client.awaited.is_status_due
            assert "model event," not in ada.picture
            await ada.press("enter")
            await ada.sees("model event,")
            assert ada.picture.count("model event,") == 1

    async def test_status_of_a_lost_connection_is_not_awaited(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        relay = await open_relay(start_server())
        async with acting(relay.address, "ada") as ada:
            # Newcomers get a status without asking, which would count as the answer.
            await ada.until(
                lambda: ada.app.client.status and ada.app.client.status.processes, "the status that all are told"
            )
            relay.deaf = True
            await ada.says("/status")
            await ada.until(lambda: ada.app.client.awaited.is_status_due, "to have asked")
            relay.cut()
            await ada.sees("○ not connected")
            relay.mend()
            await ada.press("ctrl+r")
            await ada.sees("↻ event")
            assert not ada.app.client.awaited.is_status_due

    async def test_who_was_let_go_is_told_too_that_nothing_was_sent(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            boss.command("kick", nick="ada")
            await ada.sees("You are out of the room")
            await ada.says("/where")
            await ada.sees("not connected, so not sent: /where")
            assert ada.written == "/where"

    async def test_new_server_at_the_address_shows_a_gap(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        first = start_server()
        async with acting(address_of(first), "ada") as ada:
            await ada.says("before")
            first.close()
            await ada.sees("No connection")
            start_server("thread", "--bind", f"127.0.0.1:{first.address[1]}")
            await ada.press("ctrl+r")
            await ada.sees("≋ thread", "1 connected")
            assert ada.app.client.is_operator is False
            assert "before" in ada.picture

    async def test_whoever_was_let_go_for_good_stays_out_until_they_ask(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            await ada.says("before")
            await ada.sees("ada  before")
            boss.command("lock")
            boss.command("kick", nick="ada", reason="for a test")
            await ada.sees("You are out of the room", "for a test", "○ left")
            await ada.press("ctrl+r")
            await ada.sees("↻ event", "2 here")
            await ada.sees("ada  before")
            assert ada.picture.count("ada  before") == 1

    async def test_removed_member_keeps_the_pane_until_it_rejoins(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada", size=(130, 30)) as ada:
            await ada.says("before")
            await ada.sees("ada  before")
            boss.command("kick", nick="ada", reason="for a test")
            await ada.sees("You are out of the room")
            # The room remembers all its members, so a new member has the place of a forgotten one.
            ada.app.client.link.client.token = "unknown"
            boss.command("lock")
            await ada.press("ctrl+r")
            await ada.sees(f"{address_of(server)} does not let you in: the room is locked", "Next try in")
            await ada.press("ctrl+r")
            await ada.until(lambda: ada.app.client.link.state.attempt > 1, "another attempt")
            assert "ada  before" in ada.picture
            assert ada.picture.count("the room is locked") == 1
            boss.command("lock", on=False)
            await ada.press("ctrl+r")
            await ada.sees("↻ event", "2 here")
            assert ada.picture.count("ada  before") == 1
            assert "does not know you" not in ada.picture

    async def test_whoever_was_let_go_comes_back_as_the_member_they_were(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            boss.command("op", nick="ada")
            await ada.until(lambda: ada.app.client.is_operator, "to be an operator")
            boss.command("kick", nick="ada")
            await ada.sees("You are out of the room")
            boss.command("lock")
            await ada.press("ctrl+r")
            await ada.sees("2 here")
            assert ada.app.client.is_operator

    async def test_former_member_that_cannot_return_exits_with_0(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            boss.command("ban", nick="ada")
            await ada.sees("You are out of the room")
            await ada.press("ctrl+r")
            await ada.until(lambda: ada.app.client.link.client.token, "another link")
            await ada.leaves()
        assert ada.app.return_code == 0


class TestLeaving:
    async def test_ctrl_q_leaves_and_the_others_hear_it(self, start_server: StartServer) -> None:
        server = start_server()
        bob = server.rich("bob")
        async with acting(address_of(server), "ada") as ada:
            bob.expect_presence(joined=["ada"])
            await ada.press("ctrl+q")
            bob.expect_presence(left=["ada"])
            await ada.has_left()
        assert ada.app.return_code == 0

    async def test_ctrl_c_copies_then_clears_then_leaves(self, start_server: StartServer) -> None:
        """Ctrl-C copies a selection, clears a typed line, and leaves with exit code 130 on an empty line."""
        async with acting(address_of(start_server()), "ada") as ada:
            await ada.type("copy me")
            await ada.press("shift+home", "ctrl+c")
            assert ada.app.clipboard == "copy me"
            assert ada.written == "copy me"
            await ada.press("ctrl+c")
            assert ada.written == ""
            await ada.press("up")
            assert ada.written == "copy me"
            await ada.press("ctrl+c", "ctrl+c")
            await ada.has_left()
        assert ada.app.return_code == 130

    async def test_ctrl_c_beside_the_line_clears_it(self, start_server: StartServer) -> None:
        """The line is cleared even if the people have the focus. Of two fields the focused one is first."""
        async with acting(address_of(start_server()), "ada") as ada:
            await ada.type("half a line")
            await ada.press("f3", "ctrl+c")
            assert ada.written == ""
            await ada.press("escape")
            await ada.type("again")
            await ada.press("ctrl+f")
            await ada.type("sought")
            await ada.press("ctrl+c")
            assert (ada.chat.query_one("#find", Input).value, ada.written) == ("", "again")
            await ada.press("ctrl+c")
            assert ada.written == ""
            assert ada.app.return_code is None

    async def test_ctrl_c_at_prompt_clears_typed_nickname(self, start_server: StartServer) -> None:
        """A suggested nickname is not a typed one."""
        async with acting(address_of(start_server()), settings=Settings(nick="ada")) as ada:
            await ada.sees("Enter joins the room as ada")
            await ada.type("x")
            await ada.press("ctrl+c")
            await ada.sees("letters and digits")
            await ada.press("ctrl+c")
            await ada.has_left()
        async with acting(address_of(start_server()), settings=Settings(nick="ada")) as ada:
            await ada.sees("Enter joins the room as ada")
            await ada.press("ctrl+c")
            await ada.has_left()

    async def test_the_command_leaves(self, start_server: StartServer) -> None:
        async with acting(address_of(start_server()), "ada") as ada:
            await ada.says("/quit")
            await ada.has_left()
        assert ada.app.return_code == 0
