"""The link with servers that refuse, kick and close forever: its attempts become less frequent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.tui.flooding import WELCOME
from tests.tui.hostile import lines
from tests.tui.links import Linked, until
from tui.address import Address
from tui.link import room_link
from tui.link.room_link import RoomLink

Answer = Callable[[dict[str, object], asyncio.StreamWriter], None]
Serve = Callable[[Answer], Awaitable["HostileRoom"]]


class HostileRoom:
    """A server that answers each command with `answer`."""

    def __init__(self, answer: Answer) -> None:
        self.hellos: list[dict[str, object]] = []
        self.connections = 0
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def open(self) -> Address:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return Address(*self._server.sockets[0].getsockname()[:2])

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while line := await reader.readline():
                command = json.loads(line)
                if command["type"] == "hello":
                    self.hellos.append(command)
                self._answer(command, writer)
        except OSError:
            pass
        finally:
            writer.close()


Enter = Callable[..., Awaitable[tuple[HostileRoom, Linked]]]


@pytest.fixture
async def enter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Enter]:
    """`enter(answer)`: a room with these answers, and a link to it. Delays are recorded and shortened."""
    opened: list[tuple[HostileRoom, Linked]] = []

    async def enter(answer: Answer, *, entered: bool = False) -> tuple[HostileRoom, Linked]:
        room = HostileRoom(answer)
        linked = Linked(await room.open(), "ada")
        linked.link.entered = entered
        opened.append((room, linked))
        return opened[-1]

    yield enter
    for room, linked in opened:
        await linked.link.close()
        await linked.running
        room.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which the link waited; each delay is shortened."""
    attempts: list[int] = []

    def back_off(attempt: int, chance: float) -> float:
        attempts.append(attempt)
        return 0.001

    monkeypatch.setattr(room_link, "back_off", back_off)
    return attempts


def taken(command: dict[str, object], writer: asyncio.StreamWriter) -> None:
    if command["type"] == "hello":
        nick = f"{command['nick']}x"[-20:]
        writer.write(lines({"type": "refused", "code": "nickname-taken", "reason": "no", "suggestion": nick}))


def lets_in_and_closes(command: dict[str, object], writer: asyncio.StreamWriter) -> None:
    writer.write(lines({**WELCOME, "you": "ada"}))
    writer.close()


def kicks(command: dict[str, object], writer: asyncio.StreamWriter) -> None:
    if command["type"] == "hello":
        writer.write(lines(WELCOME) + lines({"type": "goodbye", "code": "kicked", "reason": "out"}))
        writer.close()


async def test_link_refused_every_nickname_waits_longer_each_time(enter: Enter, waits: list[int]) -> None:
    room, ada = await enter(taken, entered=True)
    await until(lambda: len(waits) >= 5)
    assert waits[:5] == [1, 2, 3, 4, 5]
    assert len(room.hellos) <= 2 * room.connections
    assert len(ada.notes) <= room.connections
    waiting = [state for state in ada.states if state.phase == "waiting"]
    assert waiting[0].was_rejected
    assert waiting[0].reason.startswith("the nickname ada")


async def test_link_let_in_and_dropped_waits_longer_each_time(enter: Enter, waits: list[int]) -> None:
    await enter(lets_in_and_closes)
    await until(lambda: len(waits) >= 5)
    assert waits[:5] == [1, 2, 3, 4, 5]


async def test_link_kicked_does_not_come_back(enter: Enter, waits: list[int]) -> None:
    room, ada = await enter(kicks)
    await asyncio.wait_for(ada.running, 10)
    assert (ada.link.state.phase, ada.link.state.reason) == ("over", "out")
    assert (room.connections, waits) == (1, [])


async def test_link_hears_one_refusal_of_a_first_nickname(enter: Enter) -> None:
    """The person is asked once for each hello, even if the server refuses it repeatedly."""

    def refuses_often(command: dict[str, object], writer: asyncio.StreamWriter) -> None:
        refusal = lines({"type": "refused", "code": "nickname-taken", "reason": "no", "suggestion": "bob"})
        writer.write(refusal * 1000 + lines({"type": "notice", "text": "the end"}))

    _, ada = await enter(refuses_often)
    await until(lambda: any(getattr(event, "text", "") == "the end" for event in ada.events))
    assert len(ada.events) == 2


async def test_link_without_asking_replaces_a_taken_nickname(waits: list[int]) -> None:
    """The operator's console chooses its nickname itself, and has no person to ask for another."""
    room = HostileRoom(taken)
    link = RoomLink(
        await room.open(), "console", on_events=lambda _: None, on_state=lambda _: None, asks_for_nick=False
    )
    running = asyncio.create_task(link.run())
    try:
        await until(lambda: len(waits) >= 3)
        assert waits[:3] == [1, 2, 3]
        assert len(room.hellos) <= 2 * room.connections
    finally:
        await link.close()
        await running
        room.close()
