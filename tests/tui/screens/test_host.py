"""The operator's controls in real rooms: commands, menu, palette and keys, and their effects for other members."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from protocol.messages import Kick, Model, Rules, Switch
from tests.running import RichPeer, Server
from tests.tui.acting import Actor, acting
from tests.tui.conftest import OpenRelay, StartServer
from tests.tui.links import address_of
from tests.tui.screens.operators import acting_operator
from tui.screens.chat import ChatScreen
from tui.screens.dialogs import PersonScreen
from tui.screens.join_card import JoinCard
from tui.screens.stage import StageScreen
from tui.style import banner_text
from tui.widgets.bars import RulesLine
from tui.widgets.input_line import MIN_REFUSAL_S, InputLine
from tui.widgets.meter_panel import MeterPanel

MODELS = [model.value for model in Model]
every_model = pytest.mark.parametrize("model", MODELS)


@every_model
class TestOrders:
    async def test_what_is_typed_is_done_and_told(self, model: str, start_server: StartServer) -> None:
        server = start_server(model)
        ada, eve = server.plain("ada"), server.rich("eve")
        async with acting_operator(server) as boss:
            await boss.says("/mute ada")
            ada.expect("*** boss muted ada")
            await boss.says("/unmute @ada")
            ada.expect("*** boss unmuted ada")
            await boss.says("/slow 30")
            ada.expect("*** boss slowed the room down: a line every 30 s")
            await boss.says("/slow off")
            ada.expect("*** boss ended slow mode")
            await boss.says("/pin questions at the end")
            ada.expect("*** boss pinned: questions at the end")
            await boss.sees("▌ questions at the end")
            await boss.says("/unpin")
            await boss.sees_no("▌ questions at the end")
            await boss.says("/op eve")
            eve.expect("operator")
            await boss.says("/chaos block 50ms")
            ada.expect("*** boss blocks")
            await boss.says("/clear-history")
            ada.expect("*** boss cleared the history")
            await boss.says("/kick ada that will do")
            assert ada.lines_until_closed()[-1] == "*** goodbye: boss kicked you: that will do"
            await boss.sees("boss kicked ada: that will do")
            await boss.says("/ban eve 5")
            eve.expect("goodbye", code="banned")
            await boss.says("/where")
            await boss.sees("you: event loop ·" if model == "event" else f"you: {model} ")

    async def test_a_room_is_closed_with_words(self, model: str, start_server: StartServer) -> None:
        server = start_server(model)
        ada = server.plain("ada")
        async with acting_operator(server) as boss:
            await boss.says("/close thank you all")
            assert ada.lines_until_closed()[-1] == "*** goodbye: thank you all"
            await boss.sees("thank you all")


def rules(actor: Actor) -> Rules:
    return actor.app.client.link.client.rules


class TestPanic:
    async def test_panic_locks_and_quietens_and_a_second_time_lifts_both(self, start_server: StartServer) -> None:
        server = start_server()
        ada = server.plain("ada")
        async with acting_operator(server) as boss:
            for keys in ((), ("f5",), ("f4",)):  # In the room, on the stage, on the join card.
                await boss.press(*keys, "f9")
                ada.expect("*** boss asked for quiet")
                await boss.until(lambda: rules(boss) == Rules(locked=True, quiet=True), "locked and quiet")
                if keys != ("f4",):
                    await boss.sees("locked   quiet")
                await boss.press("f9")
                ada.expect("*** boss ended the quiet")
                await boss.until(lambda: rules(boss) == Rules(), "open again")
                await boss.press("escape")
                await boss.until(lambda: isinstance(boss.app.screen, ChatScreen), "the room again")


class TestWithoutARoom:
    async def test_an_order_is_not_sent_which_is_said_and_the_line_stays(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        server = start_server()
        relay = await open_relay(server)
        async with acting_operator(server, address=relay.address) as boss:
            relay.cut()
            await boss.sees("○ not connected")
            for line in ("/lock", "/mute bob", "/model thread"):
                await boss.press("ctrl+u")
                await boss.says(line)
                await boss.sees(f"not connected, so not sent: {line.split()[0]}")
                assert boss.written == line
            await boss.press("f9", "f7")
            await boss.sees("not connected, so not sent: /lock and /quiet")
            await boss.until(lambda: boss.picture.count("so not sent: /model") == 2, "the key to have said it, too")
            relay.mend()
            await boss.press("ctrl+u", "ctrl+r")
            await boss.sees("↻ event")
            await boss.says("nothing was kept for later")
            await boss.sees("boss  nothing was kept for later")
            assert rules(boss) == Rules()
            assert "now a thread each" not in boss.picture

    async def test_a_key_says_so_on_the_stage_as_well(self, start_server: StartServer, open_relay: OpenRelay) -> None:
        server = start_server()
        relay = await open_relay(server)
        async with acting_operator(server, address=relay.address) as boss:
            relay.cut()
            await boss.sees("○ not connected")
            await boss.press("f5", "f9")
            await boss.sees("/lock and /quiet")
            assert isinstance(boss.app.screen, StageScreen)

    async def test_the_palette_and_a_persons_menu_say_so(
        self, start_server: StartServer, open_relay: OpenRelay
    ) -> None:
        server = start_server()
        relay = await open_relay(server)
        server.plain("ada")
        async with acting_operator(server, address=relay.address) as boss:
            await boss.sees("2 here")
            relay.cut()
            await boss.sees("○ not connected")
            lock = next(one for one in boss.app.get_system_commands(boss.chat) if one.title == "/lock")
            lock.callback()
            await boss.sees("not connected, so not sent: /lock")
            await boss.press("f3", "home", "enter", "down", "enter")
            await boss.sees("not connected, so not sent: /mute")


class TestMistakes:
    async def test_they_are_told_in_red_and_the_line_stays(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.says("/slow down")
            await boss.sees("/slow takes the seconds between two lines, up to 3600, or off")
            assert boss.written == "/slow down"

    async def test_a_mistake_is_replaced_by_typing_and_its_words_go(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.says("/slow down")
            await boss.sees("/slow takes the seconds")
            await boss.type("hi")
            await boss.until(lambda: boss.written == "hi", "the text to be replaced")
            await boss.sees_no("/slow takes the seconds")

    async def test_refused_command_is_put_back_for_correction(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.says("/kick zed")
            await boss.sees("nobody here is called zed")
            assert boss.written == boss.chat.composer.selected_text == "/kick zed"
            assert boss.picture.count("nobody here is called zed") == 1
            for number in range(40):
                boss.chat.pane.note(f"line {number}")
            await boss.sees("line 39", "nobody here is called zed")
            await boss.type("x")
            await boss.until(lambda: boss.written == "x", "the text to be replaced")
            await boss.sees_no("nobody here is called zed")

    async def test_refusal_leaves_the_line_begun_meanwhile(self, start_server: StartServer) -> None:
        """The refusal can be read although the person goes on typing."""
        seconds = [100.0]
        async with acting_operator(start_server(), monotonic=lambda: seconds[0]) as boss:
            boss.chat.composer.write("half a li")
            boss.app.client.awaited.typed_command = "/kick zed"
            boss.app.client.link.send_command(Kick("zed"))
            await boss.sees("nobody here is called zed")
            assert boss.written == "half a li"
            assert boss.chat.composer.selected_text == ""
            seconds[0] += MIN_REFUSAL_S - 0.1
            await boss.type("ne")
            assert boss.written == "half a line"
            assert "nobody here is called zed" in boss.picture
            seconds[0] += 0.2
            await boss.type("s")
            await boss.sees_no("nobody here is called zed")

    async def test_ctrl_c_at_refused_command_clears_it(self, start_server: StartServer) -> None:
        """The person has selected nothing, so that nothing is copied."""
        async with acting_operator(start_server()) as boss:
            for command in ("/slow down", "/kick zed"):
                await boss.says(command)
                await boss.until(lambda: boss.chat.composer.is_preselected, "the command to be put back")
                await boss.press("ctrl+c")
                await boss.until(lambda: boss.written == "", "the line to be empty")
                await boss.until(lambda: not boss.chat.query_one(InputLine).refusal.display, "the refusal to be hidden")
            assert boss.app.clipboard == ""

    async def test_ctrl_c_after_a_refusal_copies_the_selection(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.says("/slow down")
            await boss.until(lambda: boss.chat.composer.is_preselected, "the command to be put back")
            await boss.press("end", "shift+home", "ctrl+c")
            await boss.until(lambda: boss.app.clipboard == "/slow down", "the selection to be copied")
            assert boss.written == "/slow down"

    async def test_refused_choice_is_told_in_the_pane(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.says("/who")
            await boss.press("f8")
            await boss.sees("the room is run by the event model already")
            assert boss.written == ""

    async def test_an_unknown_person_is_an_error_of_the_room(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.says("/kick nobody")
            await boss.sees("nobody here is called nobody")
            await boss.says("/kick #99")
            await boss.sees("there is no connection 99")


class TestAPerson:
    async def test_is_dealt_with_from_the_list_by_keys(self, start_server: StartServer) -> None:
        server = start_server()
        ada = server.plain("ada")
        async with acting_operator(server) as boss:
            await boss.sees("2 here")
            await boss.press("f3", "home", "enter")
            await boss.sees("Mute: nobody hears them", "Kick: they may come back")
            await boss.press("down", "down", "down", "enter")
            assert "kicked you" in ada.lines_until_closed()[-1]
            await boss.sees("boss kicked ada")

    async def test_is_dealt_with_by_a_right_click(self, start_server: StartServer) -> None:
        server = start_server()
        ada = server.plain("ada")
        async with acting_operator(server) as boss:
            await boss.sees("2 here")
            await boss.pilot.click("#roster", offset=(1, 0), button=3)
            await boss.until(lambda: isinstance(boss.app.screen, PersonScreen), "the menu")
            await boss.press("down", "enter")
            ada.expect("*** boss muted ada")

    async def test_is_named_by_the_first_choice_and_left_alone_by_escape(self, start_server: StartServer) -> None:
        server = start_server()
        server.plain("ada")
        async with acting_operator(server) as boss:
            await boss.sees("2 here")
            await boss.press("f3", "home", "enter", "enter")
            await boss.until(lambda: boss.written == "@ada ", "to have named them")
            await boss.press("f3", "home", "enter", "escape")
            await boss.until(lambda: isinstance(boss.app.screen, ChatScreen), "the room")
            assert boss.written == "@ada "

    async def test_has_a_worker_to_kill_where_there_are_workers(self, start_server: StartServer) -> None:
        server = start_server("process")
        ada = server.rich("ada")
        async with acting_operator(server) as boss:
            await boss.sees("2 here")
            await boss.press("f3", "home", "enter", "end", "enter")
            await boss.sees(f"boss killed the worker of ada, {ada.welcome['served_by']}")
            await boss.sees("1 here")


class TestThePalette:
    async def test_holds_every_order(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            titles = [command.title for command in boss.app.get_system_commands(boss.chat)]
            for name in ("/kick", "/ban", "/mute", "/slow", "/lock", "/quiet", "/pin", "/op", "/close", "/chaos"):
                assert any(title.startswith(name) for title in titles), name
            assert {"Meter", "Stage", "Join card", "Panic"} <= set(titles)

    async def test_shows_the_usage_with_its_brackets(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.press("ctrl+p")
            await boss.type("ban")
            await boss.sees("/ban NICK [minutes] [address]")

    async def test_runs_a_command_without_arguments(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.press("ctrl+p")
            await boss.type("lock")
            await boss.sees("nobody new comes in")
            await boss.press("enter")
            await boss.until(lambda: rules(boss).locked, "locked")

    async def test_writes_a_command_with_arguments_into_the_line(self, start_server: StartServer) -> None:
        async with acting_operator(start_server()) as boss:
            await boss.press("ctrl+p")
            await boss.type("kick")
            await boss.sees("send somebody away, who may come back")
            await boss.press("enter")
            await boss.until(lambda: boss.written == "/kick ", "the line begun")

    async def test_does_not_close_the_room_without_being_asked_twice(self, start_server: StartServer) -> None:
        server = start_server()
        async with acting_operator(server) as boss:
            close = next(one for one in boss.app.get_system_commands(boss.chat) if one.title.startswith("/close"))
            close.callback()
            await boss.until(lambda: boss.written == "/close ", "the line begun")
            assert server.alive()


@asynccontextmanager
async def who_waits(server: Server, boss: RichPeer) -> AsyncIterator[Actor]:
    """A member that has said `one`; its `two` waits for an hour of slow mode."""
    boss.command("slow", seconds=3600)
    async with acting(address_of(server), "ada") as ada:
        await ada.sees("slow 3600 s")
        await ada.says("one")
        await ada.says("two")
        await ada.sees("your next line in 3")
        yield ada


class TestEverybodyElse:
    async def test_sees_the_rules_above_the_pane_after_a_later_join(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        boss.command("pin", text="questions at the end")
        boss.command("slow", seconds=30)
        boss.sync()
        async with acting(address_of(server), "ada") as ada:
            await ada.sees("▌ questions at the end", "slow 30 s")
            boss.command("slow", seconds=0)
            await ada.sees_no("slow 30 s")
            boss.command("lock")
            boss.command("quiet")
            await ada.sees("locked   quiet")
            for order in ("lock", "quiet"):
                boss.command(order, on=False)
            boss.command("pin")
            await ada.until(lambda: not ada.chat.query_one(RulesLine).display, "nothing holds, and nothing is shown")

    async def test_waits_in_slow_mode_with_a_countdown(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        boss.command("slow", seconds=2)
        async with acting(address_of(server), "ada") as ada:
            await ada.sees("slow 2 s")
            await ada.says("one")
            boss.expect("said", text="one")
            await ada.says("two")
            await ada.sees("your next line in 2 s", "ada  two")
            assert ada.written == ""
            await ada.says("three")
            await ada.type("a draft")
            await ada.sees("ada  three")
            await ada.until(lambda: waiting(ada) == 1, "the count goes down")
            await ada.until(lambda: not ada.app.client.slow_mode_queue and not waiting(ada), "nothing to wait")
            assert ada.written == "a draft"
            assert "not said" not in ada.picture
        told = [event["text"] for event in server.rich("eve").welcome["history"] if event["type"] == "said"]
        assert told == ["one", "two", "three"]

    async def test_does_not_wait_longer_than_slow_mode_lasts(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with who_waits(server, boss) as ada:
            boss.command("slow", seconds=0)
            await ada.until(lambda: not waiting(ada), "the countdown to go")
            boss.expect("said", text="two")

    async def test_is_told_where_the_room_is_quiet_by_the_time(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with who_waits(server, boss) as ada:
            boss.command("quiet")
            boss.command("slow", seconds=0)
            await ada.sees("not said: only operators speak now", "two")
            boss.command("quiet", on=False)
            await ada.sees("ended the quiet")
            await ada.says("three")
            boss.expect("said", text="three")

    async def test_has_no_keys_of_the_host_and_no_orders(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            await ada.press("f2", "f5", "f9")
            assert isinstance(ada.app.screen, ChatScreen)
            assert not ada.chat.query_one(MeterPanel).display
            await ada.says("/lock")
            await ada.sees("only an operator can do that")
            assert not [event for event in boss.sync() if event["type"] == "rules"]
            titles = {command.title for command in ada.app.get_system_commands(ada.chat)}
            assert "Join card" in titles
            assert not titles & {"Meter", "Stage", "Panic", "/lock"}

    async def test_who_is_made_an_operator_has_them_at_once(self, start_server: StartServer) -> None:
        server = start_server()
        boss = server.operator()
        async with acting(address_of(server), "ada") as ada:
            boss.sees("ada")
            boss.command("op", nick="ada")
            await ada.sees("boss made ada an operator")
            await ada.press("f2")
            await ada.sees("busiest second")
            await ada.press("f9")
            boss.expect("rules", text="ada asked for quiet: only operators speak")

    async def test_names_a_person_by_choosing_it(self, start_server: StartServer) -> None:
        server = start_server()
        server.plain("bob")
        async with acting(address_of(server), "ada") as ada:
            await ada.sees("2 here")
            await ada.press("f3", "end", "enter")
            await ada.until(lambda: ada.written == "@bob ", "to have named them")


def waiting(actor: Actor) -> int:
    """The seconds that the screen shows beside the input line."""
    found = re.search(r"your next line in (\d+) s", actor.picture)
    return int(found[1]) if found else 0


class TestTheMeter:
    async def test_shows_readings_and_compares_the_models(self, start_server: StartServer) -> None:
        server = start_server("event")
        speaker = server.rich("speaker")
        async with acting_operator(server, size=(100, 40)) as boss:
            await boss.press("f2")
            for used, other in enumerate(("event", "thread", "process"), start=1):
                if used > 1:
                    boss.app.client.link.send_command(Switch(other))
                    await boss.sees_in_bar(other)
                await boss.until(lambda used=used: busy(boss, speaker, used), f"{used} models compared")
                await boss.sees("2 connected", "deliveries/s", "2 in the room")
            await boss.sees("▣ process", "≋ thread", "↻ event", "most people", "lines said")
            columns = boss.app.client.meter_history.columns
            assert columns["process"].busiest.processes > columns["thread"].busiest.processes == 1
            assert columns["thread"].busiest.threads > columns["event"].busiest.threads == 1
            for column in columns.values():
                assert column.busiest.deliveries == pytest.approx(2 * column.busiest.lines)
                assert 0 < column.busiest.p50 <= column.busiest.p99
            await boss.press("f2")
            await boss.sees_no("busiest second")


def busy(boss: Actor, speaker: RichPeer, models: int) -> bool:
    """Say a line. Returns whether `models` models have a reading with a line."""
    speaker.say("word")
    columns = boss.app.client.meter_history.columns.values()
    return len([column for column in columns if column.busiest.p50]) == models


class TestTheMeterOfAHostWhoWasAway:
    async def test_goes_on_when_the_connection_is_back(self, start_server: StartServer, open_relay: OpenRelay) -> None:
        server = start_server()
        relay = await open_relay(server)
        async with acting_operator(server, address=relay.address) as boss:
            await boss.until(lambda: boss.app.client.meter_history.last, "a reading")
            relay.cut()
            await boss.sees("○ not connected")
            relay.mend()
            await boss.press("ctrl+r")
            await boss.sees_in_bar("↻ event")
            seen = boss.app.client.meter_history.last
            await boss.until(lambda: boss.app.client.meter_history.last is not seen, "another reading")


class TestTheStage:
    async def test_shows_model_people_and_lines_and_switches_by_key(self, start_server: StartServer) -> None:
        server = start_server("event")
        ada = server.rich("ada")
        async with acting_operator(server) as boss:
            await boss.press("f5")
            await boss.until(lambda: isinstance(boss.app.screen, StageScreen), "the stage")
            ada.say("hello\nfrom the [b]last[/b] row")
            await boss.sees("ada: hello from the [b]last[/b] row", "people", "lines a second", "nc 127.0.0.1")
            for other, key in (("process", "f6"), ("thread", "f7"), ("event", "f8"), ("process", "ctrl+t")):
                await boss.press(key)
                ada.expect("switched", model=other)
                await boss.until(lambda other=other: shown(boss) == other, f"{other} on the stage")
            await boss.press("escape")
            await boss.until(lambda: isinstance(boss.app.screen, ChatScreen), "the room")


def shown(boss: Actor) -> str:
    """The model that the stage shows."""
    assert isinstance(boss.app.screen, StageScreen)
    middle = {model: banner_text(model).split("\n")[1] for model in MODELS}
    return next((model for model, row in middle.items() if row in boss.picture), "")


class TestTheJoinCard:
    async def test_comes_back_by_its_key_and_goes_by_any(self, start_server: StartServer) -> None:
        server = start_server()
        async with acting(address_of(server), "ada") as ada:
            silent = [(key, "") for key in ("escape", "enter", "f4", "f1", "space")]
            for key, written in (*silent, ("h", "h"), ("x", "hx")):
                await ada.press("f4")
                await ada.until(lambda: isinstance(ada.app.screen, JoinCard), "the card")
                await ada.press(key)
                await ada.until(lambda: isinstance(ada.app.screen, ChatScreen), "the room")
                assert ada.written == written

    async def test_counts_the_people(self, start_server: StartServer) -> None:
        server = start_server()
        async with acting(address_of(server), "ada") as ada:
            await ada.press("f4")
            await ada.sees("1 here", f"nc 127.0.0.1 {server.address[1]}")
            server.plain("bob")
            await ada.sees("2 here")
