"""RoomLink: keeps one person in one room over TCP: the asyncio shell around `protocol.client.ClientConnection`.

It connects, and connects again whenever the connection breaks, with exponential back-off and jitter; ClientConnection
resumes. What arrives is gathered and handed on at most BATCHES times a second, the first of a quiet time at once. It
runs on one event loop, calls its callbacks there, and may be used from that loop only.
"""

import asyncio
import hmac
import math
import random
import secrets
import socket
from collections.abc import Callable
from time import monotonic

from protocol.client import ClientConnection, Received
from protocol.messages import Challenge, Goodbye, OperatorCommand, Pong, Refused, Welcome
from tui.address import Address
from tui.link import reaching
from tui.link.backoff import back_off, plain_reason
from tui.link.batcher import Batcher
from tui.link.pings import Pings, first_delay, interval, is_silent
from tui.link.state import State as State

BATCHES = 12
"""Calls of `on_events` a second, at most."""
CONNECT_TIMEOUT = 10.0
"""Seconds until an attempt to connect is given up."""
SETTLED = 5.0
"""Seconds a connection must have lasted for the back-off to begin anew."""
GOODBYE_WAIT, MAX_GOODBYE_BYTES = 0.4, 64 * 1024
"""Seconds that `close` gives the room to say goodbye, and bytes that it may send until then."""
POLL_INTERVAL_S = 0.1
READ_SIZE = 16 * 1024
"""Bytes decoded at once: some milliseconds of work, also where each byte is a line."""
FINAL = frozenset({"quit", "taken-over", "kicked", "banned", "other-protocol"})
"""Codes of a goodbye after which coming back by oneself would be wrong."""
NICKNAME_CODES = frozenset({"nickname-taken", "bad-nickname"})


class RoomLink:
    """One person's link to one room, from `run` to `close`."""

    def __init__(
        self,
        address: Address,
        nick: str,
        *,
        on_events: Callable[[list[Received]], None],
        on_state: Callable[[State], None],
        on_note: Callable[[str], None] = lambda sentence: None,
        asks_for_nick: bool = True,
    ) -> None:
        """`on_events` gets what the room told, in order; `on_state` each change of `state`, after the events before it
        (and before the Welcome that made it `online`); `on_note` a sentence of the link's own. Without `asks_for_nick`
        a refused nickname is replaced by another from the start, and not only on the way back in."""
        self.address = address
        self.client = ClientConnection(nick, lambda: secrets.token_urlsafe(12))
        self.round_trip: float | None = None
        """Seconds the last ping took; None while not online."""
        self.state = State("connecting")
        self.entered = False
        """Whether the room has ever let us in."""
        self.goodbye: Goodbye | None = None
        """The last words of a room that let us go for good."""
        self._batches: Batcher[Received] = Batcher(on_events, BATCHES)
        self._on_state = on_state
        self._on_note = on_note
        self._writer: asyncio.StreamWriter | None = None
        self._conversation: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = self._refused_nick = self._turned_away = False
        self._asks_for_nick = asks_for_nick
        self._has_replaced_nick = self._was_challenged = False
        """On this connection."""
        self._hang_up_reason = ""
        """Why this connection is to be ended by us; empty while it is not."""
        self._heard = self._online_since = 0.0
        self._pings = Pings()
        self._key = b""

    def follow_on(self, before: "RoomLink") -> None:
        """Come back, before `run`, as the member that a link which is over was: what it knew and did not get rid of is
        carried over."""
        client, old = self.client, before.client
        client.token, client.seq, client.people = old.token, old.seq, old.people
        client.unacknowledged.update(old.unacknowledged)
        self.entered, self._key = before.entered, before._key
        client.holds_key = old.holds_key

    async def run(self) -> None:
        """Stay in the room until `close`, or until it says goodbye for good. Raises nothing of the network's."""
        self._conversation = asyncio.create_task(self._stay(), name=f"room {self.address}")
        try:
            await asyncio.wait([self._conversation])
            if not self._conversation.cancelled():
                self._conversation.result()
        finally:
            self._conversation.cancel()
            await asyncio.wait([self._conversation])
            self._batches.flush()
            reason = self.goodbye.reason if self.goodbye else ""
            self._become(State("over", reason, turned_away=self._turned_away))

    # What a person does; each writes at once, and all but `say` are lost while not online.

    def say(self, text: str, action: bool = False, id: str = "") -> str:
        """Say a line, now or as soon as we are in the room. Returns its id: a new one, where it has none yet."""
        id = self.client.say(text, action=action, id=id)
        self._write()
        return id

    def rename(self, nick: str) -> None:
        """Ask for another nickname; a `presence` or `refused` answers."""
        if self.client.in_room:
            self.client.rename(nick)
            self._write()

    def who(self, *, nameless: bool = False) -> None:
        """Ask for the roster; `people` answers, and with `nameless` a notice, where operators have that to see."""
        if self.client.in_room:
            self.client.who(nameless=nameless)
            self._write()

    def ask_status(self) -> None:
        """Ask what the room runs on; `status` answers."""
        if self.client.in_room:
            self.client.ask_status()
            self._write()

    def ping(self, id: str) -> None:
        """Ask for a `pong` with this id, which comes after the answers to all that was asked before."""
        if self.client.in_room:
            self.client.ping(id)
            self._write()

    def introduce(self, nick: str) -> None:
        """Ask to be let in under another nickname, after the first was refused."""
        self._refused_nick = False
        if self._writer is not None:
            self.client.retry_hello(nick)
            self._write()
        else:
            self.client.nick = nick
            self._wake.set()

    def operator(self, key: bytes) -> None:
        """Prove to be the operator, now if online, and anew to each server that does not know us. The key is not sent;
        `OperatorGranted` or `refused` answers."""
        self._key, self.client.holds_key = key, True
        if self.client.in_room:
            self._prove()

    def order(self, order: OperatorCommand) -> None:
        """Ask for what only an operator may; `refused` answers, or what everybody is told of it."""
        if self.client.in_room:
            self.client.order(order)
            self._write()

    def where(self) -> None:
        """Ask what serves us; a `notice` of our own answers."""
        if self.client.in_room:
            self.client.where()
            self._write()

    def retry_now(self) -> None:
        """Do not wait any longer for the next attempt."""
        self._wake.set()

    async def close(self) -> None:
        """Say quit, give the room GOODBYE_WAIT seconds to answer, and end `run`."""
        self._closing = True
        conversation = self._conversation
        if conversation is None or conversation.done():
            return
        if self.client.in_room:
            self.client.quit()
            self._write()
            await asyncio.wait([conversation], timeout=GOODBYE_WAIT)
        conversation.cancel()
        await asyncio.wait([conversation])

    # Connecting, and connecting again

    async def _stay(self) -> None:
        attempt = 0
        while True:
            self._become(State("connecting", self.state.reason, attempt=attempt, turned_away=self._turned_away))
            try:
                reason = await self._converse()
            finally:
                self._hang_up()
            if self._closing:
                return
            await self._batches.until_few(0)
            if self.goodbye is not None:
                return
            if self._online_since and monotonic() - self._online_since >= SETTLED:
                attempt = 0
            self._online_since = 0.0
            attempt += 1
            await self._wait(reason, attempt)

    async def _wait(self, reason: str, attempt: int) -> None:
        wait = math.inf if self._refused_nick else back_off(attempt, random.random())
        self._wake.clear()
        self._become(State("waiting", reason, monotonic() + wait, attempt, self._turned_away))
        try:
            await asyncio.wait_for(self._wake.wait(), None if wait == math.inf else wait)
        except TimeoutError:
            pass  # It is time.

    async def _converse(self) -> str:
        """One connection, from its first byte to its last. Returns why it ended."""
        self._turned_away = self._has_replaced_nick = self._was_challenged = False
        self._hang_up_reason = ""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                reader, self._writer = await reaching.connect(self.address.host, self.address.port)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except TimeoutError:
            return f"no answer within {CONNECT_TIMEOUT:g} seconds"
        except OSError as error:
            return plain_reason(error)
        self._heard = monotonic()
        self.client.connected()
        self._write()
        pinging = asyncio.create_task(self._ping(self._writer))
        try:
            return await self._read(reader)
        finally:
            pinging.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> str:
        reason, read_since_quit = "", 0
        while True:
            try:
                data, end = await reader.read(READ_SIZE), "the room closed the connection"
            except OSError as error:  # The network's: what our listeners raise is no broken connection.
                data, end = b"", plain_reason(error)
            if not data:
                silent = is_silent(monotonic() - self._heard, self.client.limits)
                return reason or ("nothing was heard from the room for a while" if silent else end)
            self._heard = began = monotonic()
            if self._closing and (read_since_quit := read_since_quit + len(data)) > MAX_GOODBYE_BYTES:
                return reason
            for event in self.client.receive(data):
                if isinstance(event, Goodbye):
                    reason, self._turned_away = event.reason, not self.client.in_room
                self._take(event)
                if self._hang_up_reason:
                    return self._hang_up_reason
            self._batches.flush_soon()
            # A room that floods us gets half of the time at most: the other half is for keys and signals. What we do
            # not read, the room cannot send.
            await self._batches.until_few()
            await asyncio.sleep(monotonic() - began)

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.client.disconnected()
        self._pings.forget()
        self.round_trip = None

    # What arrives

    def _take(self, event: Received) -> None:
        match event:
            case Welcome():
                self._welcomed(event)
            case Pong() if self._pings.answered(event.id, monotonic()):
                self.round_trip = self._pings.round_trip
                return
            case Refused() if event.code in NICKNAME_CODES and not self.client.in_room:
                if self._replace_nick(event):
                    return
            case Challenge():
                if self._key and not self._was_challenged:
                    self._was_challenged = True
                    self._prove()
                return
            case Refused(code="wrong-proof" | "no-operators"):
                self._key, self.client.holds_key = b"", False
            case Goodbye() if event.code in FINAL:
                self.goodbye = event
        self._batches.add(event)

    def _welcomed(self, welcome: Welcome) -> None:
        self.entered, self._refused_nick = True, False
        self._online_since = monotonic()
        self._batches.flush()
        self._become(State("online"))
        self.client.who()
        if self._key and not welcome.operator:
            self._prove()
        self._write()  # Also what was never acknowledged.
        # The room is to be seen at once.
        self._batches.hurry()

    def _replace_nick(self, refused: Refused) -> bool:
        """Ask to be let in under another nickname, or see to it that a person is asked for one. Returns whether the
        refusal is settled, and nobody else need hear of it."""
        if self._refused_nick:
            return True  # One hello has one answer.
        nick = refused.suggestion if self._asks_for_nick else refused.suggestion or _similar(self.client.nick)
        if not nick or (self._asks_for_nick and not self.entered):
            self._refused_nick = True
            return False
        if self._has_replaced_nick:
            # Each further try is a connection of its own, after a pause that grows.
            self._turned_away = True
            self._hang_up_reason = f"the nickname {self.client.nick} is taken"
            self.client.nick = nick
            return True
        self._has_replaced_nick = True
        if self.entered:
            self._on_note(f"{self.client.nick} is taken by now, so you are {nick}")
        self.client.retry_hello(nick)
        self._write()
        return True

    # What goes out

    def _write(self) -> None:
        if self._writer is not None and (data := self.client.data_to_send()):
            self._writer.write(data)

    def _prove(self) -> None:
        self.client.operator(hmac.new(self._key, self.client.nonce.encode(), "sha256").hexdigest())
        self._write()

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        """Time the round trip, and hang up on a room that has gone silent: TCP would wait for many minutes."""
        while True:
            limits = self.client.limits
            pings = self.client.in_room and monotonic() >= self._online_since + first_delay(limits)
            if pings and not self._pings.waiting:
                self.client.ping(self._pings.begin(monotonic()))
                self._write()
            await asyncio.sleep(interval(limits) if pings else POLL_INTERVAL_S)
            if is_silent(monotonic() - self._heard, limits):
                writer.transport.abort()

    def _become(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)


def _similar(nick: str) -> str:
    return f"{nick.partition('-')[0]}-{secrets.token_hex(2)}"
