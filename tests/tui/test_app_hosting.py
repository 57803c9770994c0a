"""Hosting a room from the full screen: its address, its model, a crash of its server, its end."""

import os
import signal
import socket

import psutil
import pytest

from tests.running import PlainPeer
from tests.tui.acting import Actor, acting
from tui.address import Address
from tui.client import RoomClient
from tui.hosting.hosted_server import HostOptions
from tui.screens.dialogs import LeaveScreen
from tui.style import style_of

ANYWHERE = HostOptions(model="event", bind=("127.0.0.1:0",))
MODEL_KEYS = {"process": "f6", "thread": "f7", "event": "f8"}


def guest(host: Actor, nick: str) -> PlainPeer:
    """A member that joins by the address in the header."""
    port = host.app.client.invitations[0].port
    assert f"chat-tui 127.0.0.1:{port}" in host.rows[0]
    peer = PlainPeer(("127.0.0.1", port))
    peer.join(nick)
    return peer


class TestHosting:
    async def test_prompt_and_header_show_an_address_to_join(self) -> None:
        async with acting(None, host=ANYWHERE) as ada:
            await ada.sees("Your room is open. Others join with", "chat-tui 127.0.0.1:")
            await ada.enters("ada")
            bob = guest(ada, "bob")
            await ada.sees("2 connected")
            await ada.says("welcome")
            bob.expect("ada: welcome")
            bob.close()
            await ada.sees("1 connected")

    async def test_the_bar_and_the_header_tell_the_same_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(RoomClient, "invitations", [Address("192.0.2.7")])
        async with acting(None, "ada", host=ANYWHERE, size=(120, 30)) as ada:
            await ada.sees_in_bar("192.0.2.7:2000")
            assert "192.0.2.7:2000" in ada.rows[0]

    async def test_the_host_changes_the_model_by_keys_command_and_palette(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            await ada.until(lambda: ada.app.client.is_operator, "to be the operator")
            for model in ("process", "thread", "event"):
                await ada.press(MODEL_KEYS[model])
                await ada.sees_in_bar(f"{style_of(model).sign} {model} 1 connected")
                await ada.sees(f"{style_of(model).sign} ── now ")
            await ada.press("ctrl+t")
            await ada.sees_in_bar("▣ process 1 connected")
            await ada.says("/model thread")
            await ada.sees_in_bar("≋ thread 1 connected")
            names = {command.title for command in ada.app.get_system_commands(ada.chat)}
            assert {"▣ Model: process", "≋ Model: thread", "↻ Model: event"} <= names
            await ada.press("ctrl+p")
            await ada.type("model ev")
            await ada.sees("Run the room by one event loop")
            await ada.press("enter")
            await ada.sees_in_bar("↻ event 1 connected")

    async def test_dead_server_is_reported_and_started_again(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            assert ada.app.client.hosted_server is not None
            address = ada.app.client.invitations
            os.kill(ada.app.client.hosted_server.pid, signal.SIGKILL)
            await ada.sees("The room's server was ended by SIGKILL.", "Ctrl+R starts it again", "○ not connected")
            await ada.says("kept")
            await ada.press("ctrl+r")
            await ada.sees_in_bar("↻ event 1 connected")
            await ada.sees("ada  kept")
            await ada.sees_no("SIGKILL")
            assert ada.app.client.invitations == address
            await ada.until(lambda: ada.app.client.is_operator, "to be the operator of the new one")

    async def test_restarted_server_reports_that_rules_apply(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            await ada.until(lambda: ada.app.client.is_operator, "to be the operator")
            bob = guest(ada, "bob")
            await ada.sees("2 connected")
            await ada.says("/ban bob")
            await ada.says("/lock")
            await ada.sees("ada locked the room")
            assert ada.app.client.hosted_server is not None
            os.kill(ada.app.client.hosted_server.pid, signal.SIGKILL)
            await ada.sees("Ctrl+R starts it again")
            await ada.press("ctrl+r")
            await ada.sees("the server was started again", "locked, 1 ban")
            bob.close()

    async def test_closed_room_is_reported_and_can_be_reopened(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            await ada.until(lambda: ada.app.client.is_operator, "to be the operator")
            await ada.says("/close thank you all")
            await ada.sees("The room is closed.", "Ctrl+R starts it again")
            assert "WARNING" not in ada.picture
            await ada.press("ctrl+r")
            await ada.sees_in_bar("↻ event 1 connected")

    async def test_failed_room_is_reported_and_can_be_retried(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            async with acting(None, host=HostOptions(bind=(f"127.0.0.1:{port}",))) as ada:
                await ada.sees("The room could not be opened:", "in use", "Ctrl+R tries again")
                taken.close()
                await ada.press("ctrl+r")
                await ada.sees("Your room is open. Others join with", f"chat-tui 127.0.0.1:{port}")
                await ada.sees_no("in use")
                await ada.enters("ada")

    async def test_host_with_guests_is_asked_before_leaving(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            assert ada.app.client.hosted_server is not None
            server = psutil.Process(ada.app.client.hosted_server.pid)
            bob = guest(ada, "bob")
            await ada.sees("2 here")
            await ada.press("ctrl+q")
            await ada.sees("End the room?", "It is yours, and one other is in it.")
            await ada.press("escape")
            await ada.until(lambda: ada.app.screen is ada.chat, "the room again")
            await ada.press("ctrl+c")
            await ada.until(lambda: isinstance(ada.app.screen, LeaveScreen), "to be asked")
            await ada.press("ctrl+c")
            await ada.has_left()
            assert any(line.startswith("*** ") for line in bob.lines_until_closed())
            assert not server.is_running()
        assert ada.app.return_code == 130

    async def test_quit_command_asks_like_the_key(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            bob = guest(ada, "bob")
            await ada.sees("2 here")
            await ada.type("/qui")
            await ada.sees("end the room for everybody")
            await ada.type("t", "enter")
            await ada.sees("End the room?", "It is yours, and one other is in it.")
            await ada.press("escape")
            await ada.until(lambda: ada.app.screen is ada.chat, "the room again")
            bob.say("still here")
            await ada.sees("bob  still here")
            await ada.says("/quit")
            await ada.sees("End the room?")
            await ada.press("enter")
            await ada.has_left()
        assert ada.app.return_code == 0

    async def test_a_host_alone_leaves_by_the_command_at_once(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            await ada.says("/quit")
            await ada.has_left()

    async def test_help_and_palette_say_that_leaving_ends_the_room(self) -> None:
        async with acting(None, "ada", host=ANYWHERE, size=(100, 60)) as ada:
            await ada.press("f1")
            await ada.sees("leave, which ends the room for everybody")
            await ada.press("escape")
            told = {one.title: one.help for one in ada.app.get_system_commands(ada.chat)}
            assert told["Leave"] == "End the room for everybody"
            assert told["/quit"] == "end the room for everybody"

    async def test_while_a_hung_server_is_being_ended_that_is_said(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            assert ada.app.client.hosted_server is not None
            os.kill(ada.app.client.hosted_server.pid, signal.SIGSTOP)
            await ada.press("f5", "ctrl+q")
            await ada.sees("Ending the room …")
            await ada.has_left()

    @pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
    async def test_a_host_alone_leaves_at_once(self, key: str) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            await ada.press(key)
            await ada.has_left()
        assert ada.app.return_code == (0 if key == "ctrl+q" else 130)


class TestTheExitCode:
    """The exit code of a host that leaves by Ctrl+Q."""

    async def test_is_1_where_the_port_was_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            async with acting(None, host=HostOptions(bind=(f"127.0.0.1:{taken.getsockname()[1]}",))) as ada:
                await ada.sees("The room could not be opened:", "in use")
                await ada.leaves()
        assert ada.app.return_code == 1

    async def test_is_2_where_the_server_refused_an_option(self) -> None:
        options = HostOptions(bind=("127.0.0.1:0",), server_options=("--history", "many"))
        async with acting(None, host=options) as ada:
            await ada.sees("The room could not be opened:", "many")
            await ada.leaves()
        assert ada.app.return_code == 2

    @pytest.mark.parametrize("again", [False, True], ids=["gone", "started again"])
    async def test_is_1_after_a_killed_server_unless_restarted(self, again: bool) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            assert ada.app.client.hosted_server is not None
            os.kill(ada.app.client.hosted_server.pid, signal.SIGKILL)
            await ada.sees("Ctrl+R starts it again")
            if again:
                await ada.press("ctrl+r")
                await ada.sees_in_bar("↻ event 1 connected")
            await ada.leaves()
        assert ada.app.return_code == (0 if again else 1)

    async def test_is_0_where_the_room_was_closed(self) -> None:
        async with acting(None, "ada", host=ANYWHERE) as ada:
            await ada.until(lambda: ada.app.client.is_operator, "to be the operator")
            await ada.says("/close")
            await ada.sees("The room is closed.")
            await ada.leaves()
        assert ada.app.return_code == 0

    async def test_is_0_before_a_nickname(self) -> None:
        async with acting(None, host=ANYWHERE) as ada:
            await ada.sees("Your room is open.")
            await ada.leaves()
        assert ada.app.return_code == 0
