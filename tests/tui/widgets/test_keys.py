"""The keys at the bottom: on a screen of any width no key is cut, and nothing that parts two keys ends the row."""

import pytest

from tests.tui.acting import Actor
from tests.tui.snapshots.scripted import Room, app
from tui.widgets.keys import Keys

WIDTHS = (20, 23, 33, 36, 40, 59, 79, 80, 97, 119, 120, 134, 149, 150, 200)
SEPARATORS = "▏│|·,"


def assert_whole(ada: Actor) -> None:
    bar = ada.rows[-1].strip()
    assert bar, ada.picture
    assert bar[0] not in SEPARATORS, ada.picture
    assert bar[-1] not in SEPARATORS, ada.picture
    for key in ada.app.screen.query_one(Keys).children:
        if key.display and key.region:
            assert ada.app.screen.region.contains_region(key.region), f"{key} is cut:\n{ada.picture}"


@pytest.mark.parametrize("is_in_room", [False, True], ids=["prompt", "room"])
async def test_keys_of_any_width_are_whole(is_in_room: bool) -> None:
    chat = app([*Room("process", connections=1234).welcome()]) if is_in_room else app(nick="")
    async with chat.run_test(size=(80, 12)) as pilot:
        ada = Actor(chat, pilot)
        await ada.sees("process  1,234" if is_in_room else "your nickname")
        for width in WIDTHS:
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            assert_whole(ada)
        assert "^c clear, leave" in ada.bar
        assert ("f3 people" in ada.bar) is is_in_room
