"""InputQueue: each event once the one before it is handled, and a keyboard that works where one never is."""

import asyncio
import time
from collections.abc import Callable

import pytest
from textual import events

from tests.running import PATIENCE
from tui.terminal import input_queue
from tui.terminal.input_queue import InputQueue


class Screen:
    """The receiver of an InputQueue. It settles when the test says so."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.is_settled = True
        self.stays_settled = True
        """Letters are handled as soon as they are delivered."""
        self.is_thorough: list[bool] = []
        """For each question whether all is settled: whether it was about the whole screen."""
        self.is_joining = False
        self.queue = InputQueue(
            self._take,
            is_settled=self._is_settled,
            keeps_focus=lambda event: isinstance(event, events.Key) and event.is_printable,
            is_held=lambda _event: self.is_joining,
        )

    def _take(self, event: events.Event) -> None:
        assert isinstance(event, events.Key)
        self.keys.append(event.key)
        self.is_settled = event.is_printable and self.stays_settled

    def _is_settled(self, is_thorough: bool) -> bool:
        self.is_thorough.append(is_thorough)
        return self.is_settled

    def press(self, *keys: str) -> None:
        for key in keys:
            self.queue.put(events.Key(key, None))

    async def has(self, *keys: str) -> None:
        await until(lambda: self.keys == list(keys))


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_letter_into_a_text_is_delivered_at_once() -> None:
    screen = Screen()
    screen.press("a", "b")
    assert screen.keys == ["a", "b"]


async def test_key_waits_until_the_one_before_is_handled() -> None:
    screen = Screen()
    screen.press("a", "f3", "b", "c", "escape", "d")
    await screen.has("a", "f3")
    screen.is_settled = True
    await screen.has("a", "f3", "b", "c", "escape")
    screen.is_settled = True
    await screen.has("a", "f3", "b", "c", "escape", "d")


async def test_key_that_is_never_handled_delays_others_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "MAX_WAIT_S", 0.02)
    screen = Screen()
    screen.press("f3", *["escape"] * 20, "a")
    await screen.has("f3", *["escape"] * 20, "a")


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_urgent_key_overtakes_those_that_wait(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(input_queue, "MAX_URGENT_WAIT_S", 0.02)
    screen = Screen()
    screen.press("f3", "a", key, "b")
    await screen.has("f3", key)


async def test_held_keys_come_before_those_that_wait() -> None:
    screen = Screen()
    screen.is_joining = True
    screen.press("a", "b")
    await until(lambda: len(screen.queue._held) == 2)
    screen.is_settled, screen.is_joining = False, False
    screen.press("enter", "c")
    screen.queue.release(events.Key("f4", None))
    screen.is_settled = True
    await screen.has("a", "b", "f4")
    screen.is_settled = True
    await screen.has("a", "b", "f4", "enter")


async def test_letters_beyond_the_limit_wait_until_all_is_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    """An urgent key would come behind all that was delivered before it."""
    monkeypatch.setattr(input_queue, "MAX_UNSETTLED", 2)
    screen = Screen()
    screen.stays_settled = False
    screen.press("a", "b", "c", "d", "e")
    assert screen.keys == ["a", "b"]
    screen.is_settled = True
    await screen.has("a", "b", "c", "d")
    screen.is_settled = True
    await screen.has("a", "b", "c", "d", "e")


async def test_key_behind_a_full_batch_waits_for_the_whole_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "MAX_UNSETTLED", 2)
    screen = Screen()
    screen.press("a", "b", "f3")
    await screen.has("a", "b", "f3")
    assert screen.is_thorough[:2] == [False, True]
