"""The keys: the footer is whole on a screen of any width. keeps_focus is true for the keys that edit the field with the
focus, and for no others."""

from collections.abc import AsyncIterator

import pytest
from textual import events
from textual.widget import Widget

from tests.tui.acting import Actor
from tests.tui.snapshots.scripted import Room, app
from tui.screens.nickname import NicknameField
from tui.widgets.keys import Keys, keeps_focus

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


EDITING_KEYS = ("a", "left", "right", "home", "end", "backspace", "delete", "ctrl+left", "ctrl+a", "ctrl+u", "ctrl+w")
OTHER_KEYS = (
    "enter", "tab", "shift+tab", "escape", "f1", "f3", "f9", "ctrl+c", "ctrl+f", "ctrl+l", "ctrl+p", "ctrl+q",
    "ctrl+r", "ctrl+z",
)  # fmt: skip


@pytest.fixture
async def ada() -> AsyncIterator[Actor]:
    """In a quiet room."""
    chat = app([*Room("event").welcome()])
    async with chat.run_test() as pilot:
        actor = Actor(chat, pilot)
        await actor.is_in()
        yield actor


def kept(focused: Widget | None, *keys: str) -> set[str]:
    """Those of the keys that keep the focus."""
    return {key for key in keys if keeps_focus(events.Key(key, key if len(key) == 1 else None), focused)}


async def test_composer_keeps_the_focus_at_editing_keys_only(ada: Actor) -> None:
    editing_keys = {*EDITING_KEYS, "up", "down", "ctrl+j", "shift+left"}
    assert kept(ada.chat.composer, *editing_keys, *OTHER_KEYS, "pageup", "pagedown") == editing_keys


async def test_nickname_field_keeps_the_focus_at_editing_keys_only() -> None:
    chat = app([], nick="")
    async with chat.run_test():
        field = chat.screen.query_one(NicknameField)
        assert kept(field, *EDITING_KEYS, *OTHER_KEYS) == set(EDITING_KEYS)


async def test_key_of_a_priority_binding_does_not_keep_the_focus(ada: Actor) -> None:
    """F6 selects a line in a text area, but a host's screen takes it before."""
    assert "f6" in ada.chat.composer._bindings.key_to_bindings
    assert kept(ada.chat.composer, "f6", "f7") == set()


async def test_search_field_keeps_the_focus_at_letters_only(ada: Actor) -> None:
    """Its other keys are handled once they have reached the app."""
    await ada.press("ctrl+f")
    assert ada.app.focused is not ada.chat.composer
    assert kept(ada.app.focused, *EDITING_KEYS, *OTHER_KEYS) == {"a"}


async def test_focus_is_kept_at_nothing_without_a_field() -> None:
    assert kept(None, *EDITING_KEYS, *OTHER_KEYS) == set()
