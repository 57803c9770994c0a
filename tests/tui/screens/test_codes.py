"""A decoder reads the QR codes of the screens as they are drawn."""

import pytest

from tests.tui.acting import Actor, acting
from tests.tui.conftest import StartServer
from tests.tui.links import address_of
from tests.tui.raster import decoded
from tests.tui.screens.operators import acting_operator
from tests.tui.snapshots import scripted
from tui.address import Address
from tui.hosting.hosted_server import HostOptions
from tui.settings import Settings

SIZES = [(80, 24), (100, 30), (132, 43), (200, 60)]


async def reads(actor: Actor, text: str) -> None:
    await actor.until(lambda: decoded(actor.app.screen) == [text], f"to read {text!r} from the screen")


@pytest.mark.parametrize("size", SIZES)
async def test_the_join_cards_code_leads_to_the_room(start_server: StartServer, size: tuple[int, int]) -> None:
    server = start_server()
    async with acting(address_of(server), "ada", size=size) as ada:
        await ada.press("f4")
        await reads(ada, f"http://127.0.0.1:{server.address[1]}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_stages_code_leads_to_the_room(start_server: StartServer, size: tuple[int, int]) -> None:
    server = start_server()
    async with acting_operator(server, size=size) as boss:
        await boss.press("f5")
        await reads(boss, f"http://127.0.0.1:{server.address[1]}")


@pytest.mark.parametrize("theme", ["room-light", "textual-ansi", "solarized-light"])
async def test_it_is_read_on_light_themes_too(start_server: StartServer, theme: str) -> None:
    server = start_server()
    async with acting(address_of(server), "ada", settings=Settings(theme=theme), size=(80, 24)) as ada:
        await ada.press("f4")
        await reads(ada, f"http://127.0.0.1:{server.address[1]}")


async def test_code_that_does_not_fit_leaves_the_commands(
    start_server: StartServer,
) -> None:
    server = start_server()
    async with acting(address_of(server), "ada", size=(60, 20)) as ada:
        await ada.press("f4")
        port = server.address[1]
        await ada.sees(f"nc 127.0.0.1 {port}", f"telnet 127.0.0.1 {port}", f"chat-tui 127.0.0.1:{port}")
        assert decoded(ada.app.screen) == []
        assert "▀" not in ada.picture
        await ada.pilot.resize_terminal(80, 24)
        await reads(ada, f"http://127.0.0.1:{port}")


async def test_the_card_says_that_nothing_is_encrypted(start_server: StartServer) -> None:
    async with acting(address_of(start_server()), "ada", size=(80, 24)) as ada:
        await ada.press("f4")
        await ada.sees("encrypted")


@pytest.mark.parametrize("size", SIZES[::2])
@pytest.mark.parametrize(
    "host", ["2001:db8:1234:5678:9abc:def0:1234:5678", "a-laptop-with-a-long-name.local", "fd00::7"]
)
async def test_whatever_the_address_the_code_is_there(size: tuple[int, int], host: str) -> None:
    address = Address(host, 54321)
    app = scripted.app(scripted.Room().welcome(), address=address)
    async with app.run_test(size=size) as pilot:
        ada = Actor(app, pilot)
        await ada.is_in()
        await ada.press("f4")
        await reads(ada, f"http://{address}")
        await ada.sees("encrypted", "Any key: to the room")


async def test_only_the_host_is_told_how_to_open_the_room(start_server: StartServer) -> None:
    async with acting(address_of(start_server()), "ada", size=(80, 24)) as ada:
        await ada.press("f4")
        await ada.sees("This address leads here from this")
        assert "--bind" not in ada.picture
    async with acting(None, "ada", host=HostOptions(bind=("127.0.0.1:0",))) as ada:
        await ada.press("f4")
        await ada.sees("--bind 0.0.0.0")


async def test_host_chooses_the_address_on_the_card_for_all_screens() -> None:
    host = HostOptions(bind=("127.0.0.1:0", "127.0.0.2:0"))
    async with acting(None, "ada", host=host, size=(100, 30)) as ada:
        first, second = (f"http://{address}" for address in ada.app.client.invitations)
        await ada.press("f4")
        await ada.sees("another address")
        for key, link in (("right", second), ("right", first), ("left", second)):
            await ada.press(key)
            await reads(ada, link)
            await ada.sees(link, f"chat-tui {link.removeprefix('http://')}")
        await ada.press("escape", "f5")
        await ada.until(lambda: ada.app.screen.query("#stage-code"), "the stage")
        await reads(ada, second)
        await ada.press("f5")
        await ada.sees(f"join: chat-tui {second.removeprefix('http://')}")


async def test_card_of_one_address_goes_by_an_arrow(start_server: StartServer) -> None:
    async with acting(address_of(start_server()), "ada") as ada:
        await ada.press("f4")
        await ada.sees("Any key: to the room")
        assert "another address" not in ada.picture
        await ada.press("right")
        await ada.sees("write a line")
