"""The list of commands and the palette show as many rows as fit on the screen, each with what the command takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from protocol.messages import OperatorGranted
from tests.tui.acting import Actor
from tests.tui.snapshots.scripted import Room, app
from tui.commands.parse import available_commands
from tui.widgets.input_line import ROWS_AROUND_COMMANDS

USAGES = [command.usage for command in available_commands(operator=True)]


@asynccontextmanager
async def operator(size: tuple[int, int]) -> AsyncIterator[Actor]:
    """An operator in a quiet room."""
    chat = app([*Room("event").welcome(), OperatorGranted()])
    async with chat.run_test(size=size) as pilot:
        actor = Actor(chat, pilot)
        await actor.is_in()
        await actor.until(lambda: actor.app.client.is_operator, "to be an operator")
        yield actor


def shown(ada: Actor) -> list[str]:
    """The usages on the screen."""
    rows = [row.strip() for row in ada.rows]
    return [usage for usage in USAGES if any(row == usage or row.startswith(f"{usage}  ") for row in rows)]


async def test_command_list_of_any_height_fills_the_screen() -> None:
    async with operator((80, 50)) as ada:
        await ada.type("/")
        for height in (50, 24, 10, 6):
            await ada.pilot.resize_terminal(80, height)
            rows = min(height - ROWS_AROUND_COMMANDS, len(USAGES))
            await ada.until(lambda rows=rows: shown(ada) == USAGES[:rows], f"{rows} commands")
            assert ada.rows[-2].strip() == "❯ /", ada.picture


async def test_command_list_while_arguments_are_typed_shows_them() -> None:
    async with operator((80, 12)) as ada:
        await ada.type("/kick ")
        await ada.until(lambda: shown(ada) == ["/kick NICK [reason]"], "what it takes")
        await ada.type("bob", "up")
        assert (shown(ada), ada.written) == (["/kick NICK [reason]"], "/kick bob")
        await ada.press("ctrl+u")
        await ada.type("/lock ")
        await ada.until(lambda: shown(ada) == [], "nothing that a command without arguments takes")


@pytest.mark.parametrize("height", [60, 24, 10])
async def test_palette_of_any_height_fills_the_screen(height: int) -> None:
    async with operator((80, height)) as ada:
        await ada.press("ctrl+p")
        await ada.sees("/ban NICK [minutes] [address]")
        end = next(number for number, row in enumerate(ada.rows) if row.startswith("▁"))
        commands = list(ada.app.get_system_commands(ada.chat))
        assert sum(bool(row.strip()) for row in ada.rows[3:end]) == min(height - 6, len(commands)), ada.picture
        await ada.type("kick")
        await ada.sees("/kick NICK [reason]            send somebody away, who may come back")


@pytest.mark.parametrize("keys", [["slash"], ["ctrl+p"], ["f3", "enter"]], ids=["commands", "palette", "person menu"])
async def test_lists_on_a_screen_of_any_width_end_nothing(keys: list[str]) -> None:
    """Textual divides by the width of an option that is wrapped."""
    async with operator((80, 24)) as ada:
        await ada.press(*keys)
        for width in (*range(8, 0, -1), 80):
            await ada.pilot.resize_terminal(width, 10)
        await ada.until(lambda: len(ada.rows) == 10 and any(ada.rows), "the screen to be drawn again")
