"""The help describes the keys as they work."""

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


def test_help_says_that_only_a_host_ends_the_room() -> None:
    assert dict(keys(operator=True))["Ctrl+Q"] == "leave"
    assert "ends the room" in dict(keys(operator=True, hosts=True))["Ctrl+Q"]


async def test_the_arrows_scroll_it(start_server: StartServer) -> None:
    server: Server = start_server()
    async with acting(address_of(server), "ada", size=(60, 14)) as ada:
        await ada.press("f1")
        await ada.until(lambda: isinstance(ada.app.screen, HelpScreen), "help")
        await ada.sees("Keys")
        await ada.press("down", "down", "down")
        await ada.sees_no("Keys")


async def test_narrow_bar_has_a_help_key_to_click(
    start_server: StartServer,
) -> None:
    async with acting(address_of(start_server()), "ada", size=(60, 20)) as ada:
        await ada.until(lambda: ada.bar.endswith(" f1 help"), "the key to help at the end of the bar")
        await ada.pilot.click(offset=(5, 19))
        await ada.pilot.click(offset=(52, 19))
        await ada.until(lambda: isinstance(ada.app.screen, HelpScreen), "help")
        await ada.press("escape")
        await ada.pilot.resize_terminal(80, 20)
        await ada.until(lambda: ada.bar.count("f1 help") == 1 and "palette" in ada.bar, "the keys beside the bar")
        await ada.pilot.resize_terminal(40, 20)
        await ada.until(lambda: "f1" not in ada.bar, "the bar alone")
