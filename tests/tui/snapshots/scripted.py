"""A room with fixed events: the real client and screen, without a network."""

import asyncio
from collections.abc import Sequence

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from protocol import json_lines
from protocol.messages import Event, Limits, ModelSwitched, Notice, People, Presence, Refused, Said, Status, Welcome
from tui.address import Address
from tui.app import ChatApp
from tui.client import RoomClient
from tui.link.room_link import LinkState, RoomLink
from tui.settings import Settings
from tui.transcript.transcript import Transcript

AT = 1_795_464_840.0
"""Monday 23 November 2026, 20:14 UTC."""
ADDRESS = Address("192.0.2.7")
SERVED_BY = {"process": "process 4321", "thread": "thread 17", "event": "event loop"}


class ScriptedLink(RoomLink):
    """A link that replays batches of events. A LinkState at their end becomes the state of the link."""

    script: Sequence[Sequence[Event] | LinkState] = ()

    async def run(self) -> None:
        """Replay the script, and then send nothing more."""
        self._running = asyncio.current_task()
        self.client.connected()
        for batch in self.script:
            if isinstance(batch, LinkState):
                self.client.disconnected()
                self.round_trip = None
                self._set_state(batch)
            else:
                for event in self.client.receive(b"".join(map(json_lines.encode, batch))):
                    self._on_event(event)
                self._batches.flush()
                self.round_trip = 0.003
        await asyncio.Event().wait()


def app(
    *script: Sequence[Event] | LinkState, nick: str = "ada", theme: str = "", address: Address | None = ADDRESS
) -> ChatApp:
    """The app of `nick` with a stopped clock, in a room that sends the events of `script`."""
    link = type("Link", (ScriptedLink,), {"script": script})
    client = RoomClient(
        address,
        nick if script else "",
        transcript=Transcript(now=lambda: AT),
        settings=Settings(nick=nick, theme=theme),
        make_link=link,
    )
    return ChatApp(client, monotonic=lambda: 0.0)


def still(pilot: Pilot[None]) -> None:
    """Stop all cursors from blinking."""
    for screen in pilot.app.screen_stack:
        for field in (*screen.query(TextArea), *screen.query(Input)):
            field.cursor_blink = False


class Room:
    """Makes the events of a room: each call adds an event, a minute or some seconds after the last one."""

    def __init__(self, model: str = "thread", people: Sequence[str] = ("ada",), connections: int = 0) -> None:
        self._seq = 0
        self._at = AT
        self._model = model
        self._people = list(people)
        self._connections = connections or len(people)

    def welcome(self, *history: Said | Presence | ModelSwitched | Notice, motd: str = "") -> list[Event]:
        """The first events that a newcomer gets."""
        welcome = Welcome(
            "ada",
            "token",
            self._seq,
            self._model,
            self._connections,
            SERVED_BY[self._model],
            Limits(),
            "nonce",
            history=list(history),
            motd=motd,
        )
        return [welcome, People(self._seq, sorted(self._people)), self.status()]

    def status(self) -> Status:
        return Status(self._model, self._connections, SERVED_BY[self._model], people=len(self._people), processes=1)

    def said(self, nick: str, text: str, *, after: float = 9, action: bool = False, id: str = "") -> Said:
        seq, at = self._now(after)
        return Said(seq, nick, text, at, id, action)

    def came(self, *joined: str, left: Sequence[str] = (), after: float = 5) -> Presence:
        seq, at = self._now(after)
        return Presence(seq, at, list(joined), list(left))

    def notice(self, text: str, *, after: float = 5) -> Notice:
        seq, at = self._now(after)
        return Notice(text, seq, at)

    def switched(self, model: str, *, after: float = 5) -> ModelSwitched:
        seq, at = self._now(after)
        before, self._model = self._model, model
        return ModelSwitched(seq, at, model, before, 0.041, self._connections)

    def refused(self, code: str, reason: str, suggestion: str) -> Refused:
        return Refused(code, reason, suggestion=suggestion)

    def _now(self, after: float) -> tuple[int, float]:
        self._seq += 1
        self._at += after
        return self._seq, self._at
