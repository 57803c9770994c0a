"""Help: what it says is what the keys do."""

from tests.running import Server
from tests.tui.acting import acting
from tests.tui.conftest import StartServer
from tests.tui.links import address_of
from tui.screens.help import HelpScreen, keys


def test_choosing_a_person_does_something_else_for_an_operator() -> None:
    assert "puts a nickname into your line" in dict(keys(operator=False))["F3"]
    assert "what you can do about them" in dict(keys(operator=True))["F3"]


def test_only_operators_hear_of_their_keys() -> None:
    assert "F9" not in dict(keys(operator=False))
    assert "F9" in dict(keys(operator=True))


async def test_the_arrows_scroll_it(start_server: StartServer) -> None:
    server: Server = start_server()
    async with acting(address_of(server), "ada", size=(60, 14)) as ada:
        await ada.press("f1")
        await ada.until(lambda: isinstance(ada.app.screen, HelpScreen), "help")
        await ada.sees("Keys")
        await ada.press("down", "down", "down")
        await ada.sees_no("Keys")
