"""RoomLink: keeps one client in one room over TCP. The asyncio shell around `protocol.client.ClientConnection`.

It reconnects whenever the connection breaks, with exponential back-off and jitter; ClientConnection resumes the
session. Events are handed on in batches, at most MAX_BATCHES_PER_S a second, and after a quiet time without delay. All
callbacks run on the link's event loop, and its methods may be called from that loop only.
"""

import asyncio
import hmac
import math
import random
import secrets
import socket
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Literal

from msgspec import Struct

from protocol.client import ClientConnection, Received
from protocol.messages import Challenge, Command, Goodbye, Pong, Refused, Welcome
from tui.address import Address
from tui.link.batcher import Batcher
from tui.link.connecting import Streams, back_off, connect, plain_reason
from tui.link.pings import Pings, first_delay, interval, is_silent

MAX_BATCHES_PER_S = 12
"""Limit of the calls of `on_events`."""
CONNECT_TIMEOUT_S = 10.0
"""Timeout of one attempt to connect."""
STABLE_AFTER_S = 5.0
"""A connection that lasted this long resets the back-off."""
GOODBYE_TIMEOUT_S, MAX_GOODBYE_BYTES = 0.4, 64 * 1024
"""Limits of `close` while it waits for the room's goodbye: seconds, and bytes received."""
POLL_INTERVAL_S = 0.1
READ_SIZE = 16 * 1024
"""Bytes decoded at once: a few milliseconds of work even if each byte is a line."""
FINAL = frozenset({"quit", "taken-over", "kicked", "banned", "other-protocol"})
"""Goodbye codes after which the link does not reconnect."""
NICKNAME_CODES = frozenset({"nickname-taken", "bad-nickname"})


class LinkState(Struct, frozen=True):
    """The state of a link. In phase `waiting`, the next attempt starts at `retry_at` (monotonic clock, seconds);
    infinity means that the link waits for another nickname (`try_nick`)."""

    phase: Literal["connecting", "online", "waiting", "over"]
    reason: str = ""
    retry_at: float = 0.0
    attempt: int = 0
    was_rejected: bool = False
    """Whether the room was reached and rejected the client."""

    def trouble(self, address: Address) -> str:
        """A sentence that says why the client is not in the room at `address`."""
        if self.was_rejected:
            return f"{address} does not let you in: {self.reason}."
        return f"No connection to {address}: {self.reason}."


class RoomLink:
    """One client's link to one room, from `run` to `close`."""

    def __init__(
        self,
        address: Address,
        nick: str,
        *,
        on_events: Callable[[list[Received]], None],
        on_state: Callable[[LinkState], None],
        on_note: Callable[[str], None] = lambda sentence: None,
        asks_for_nick: bool = True,
    ) -> None:
        """`on_events` receives the room's events in order. `on_state` receives each change of `state`, after the
        events that preceded it, but before the Welcome that made it `online`. `on_note` receives a sentence of the link
        itself.
        Without `asks_for_nick`, a refused nickname is replaced on the first attempt too, and not only after a
        reconnect."""
        self.address = address
        self.connect: Callable[[], Awaitable[Streams]] = lambda: connect(self.address.host, self.address.port)
        """Opens a connection to the room. May raise OSError."""
        self.client = ClientConnection(nick, lambda: secrets.token_urlsafe(12))
        self.round_trip: float | None = None
        """Seconds of the last round trip; None while not online."""
        self.state = LinkState("connecting")
        self.entered = False
        """Whether the client has been in the room at least once."""
        self.goodbye: Goodbye | None = None
        """The room's final goodbye (a code of `FINAL`), if any."""
        self._batches: Batcher[Received] = Batcher(on_events, MAX_BATCHES_PER_S)
        self._on_state = on_state
        self._on_note = on_note
        self._writer: asyncio.StreamWriter | None = None
        self._running: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = self._refused_nick = self._was_rejected = False
        self._asks_for_nick = asks_for_nick
        self._has_replaced_nick = self._was_challenged = False
        """Reset for each connection."""
        self._hang_up_reason = ""
        """Why the link is closing this connection; empty if it is not."""
        self._last_byte_at = self._online_since = 0.0
        self._pings = Pings()
        self._key = b""

    async def run(self) -> None:
        """Stay in the room until `close` or a final goodbye. Network errors are not raised. After a final goodbye it
        can be called again, and resumes the session."""
        self._running = asyncio.create_task(self._stay(), name=f"room {self.address}")
        try:
            await asyncio.wait([self._running])
            if not self._running.cancelled():
                self._running.result()
        finally:
            self._running.cancel()
            await asyncio.wait([self._running])
            self._batches.flush()
            reason = self.goodbye.reason if self.goodbye else ""
            self._set_state(LinkState("over", reason, was_rejected=self._was_rejected))

    # Requests. Each is written immediately; all except `say` are dropped while not online.

    def say(self, text: str, action: bool = False, id: str = "") -> str:
        """Say a line, now or as soon as the client is in the room. Returns its id, which is new if `id` is empty."""
        id = self.client.say(text, action=action, id=id)
        self._write()
        return id

    def try_nick(self, nick: str) -> None:
        """Try to join under another nickname after one was refused."""
        self._refused_nick = False
        if self._writer is not None:
            self.client.retry_hello(nick)
            self._write()
        else:
            self.client.nick = nick
            self._wake.set()

    def operator(self, key: bytes) -> None:
        """Authenticate as operator: now if online, and again with each server that does not resume the session. The key
        itself is never sent. The answer is `OperatorGranted` or `refused`."""
        self._key, self.client.holds_key = key, True
        if self.client.in_room:
            self._prove()

    def send_command(self, command: Command) -> None:
        """Send a request of a member or of an operator, such as `Who` or `Kick`."""
        if self.client.in_room:
            self.client.request(command)
            self._write()

    @property
    def has_started(self) -> bool:
        """Whether `run` has been called."""
        return self._running is not None

    @property
    def is_running(self) -> bool:
        """Whether `run` has been called and has not ended."""
        return self._running is not None and not self._running.done()

    def retry_now(self) -> None:
        """Start the next attempt now."""
        self._wake.set()

    async def close(self) -> None:
        """Send quit, wait up to GOODBYE_TIMEOUT_S for the room's goodbye, and end `run`."""
        self._closing = True
        conversation = self._running
        if conversation is None or conversation.done():
            return
        if self.client.in_room:
            self.client.quit()
            self._write()
            await asyncio.wait([conversation], timeout=GOODBYE_TIMEOUT_S)
        conversation.cancel()
        await asyncio.wait([conversation])

    # Connecting, and connecting again

    async def _stay(self) -> None:
        attempt = 0
        self._forget_end()
        while True:
            reason = self.state.reason if attempt else ""
            self._set_state(LinkState("connecting", reason, attempt=attempt, was_rejected=self._was_rejected))
            try:
                reason = await self._run_connection()
            finally:
                self._hang_up()
            if self._closing:
                return
            await self._batches.wait_until_few(0)
            if self.goodbye is not None:
                return
            if self._online_since and monotonic() - self._online_since >= STABLE_AFTER_S:
                attempt = 0
            self._online_since = 0.0
            attempt += 1
            await self._wait(reason, attempt)

    def _forget_end(self) -> None:
        """Forget why an earlier `run` has ended."""
        self.goodbye = None
        self._refused_nick = self._was_rejected = False

    async def _wait(self, reason: str, attempt: int) -> None:
        wait = math.inf if self._refused_nick else back_off(attempt, random.random())
        self._wake.clear()
        self._set_state(LinkState("waiting", reason, monotonic() + wait, attempt, self._was_rejected))
        try:
            await asyncio.wait_for(self._wake.wait(), None if wait == math.inf else wait)
        except TimeoutError:
            pass

    async def _run_connection(self) -> str:
        """Run one connection until it ends. Returns the reason."""
        self._was_rejected = self._has_replaced_nick = self._was_challenged = False
        self._hang_up_reason = ""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, self._writer = await self.connect()
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except TimeoutError:
            return f"no answer within {CONNECT_TIMEOUT_S:g} seconds"
        except OSError as error:
            return plain_reason(error)
        self._last_byte_at = monotonic()
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
            except OSError as error:  # Only the read is guarded: an error of a callback is no network error.
                data, end = b"", plain_reason(error)
            if not data:
                silent = is_silent(monotonic() - self._last_byte_at, self.client.limits)
                return reason or ("nothing was heard from the room for a while" if silent else end)
            self._last_byte_at = began = monotonic()
            if self._closing and (read_since_quit := read_since_quit + len(data)) > MAX_GOODBYE_BYTES:
                return reason
            for event in self.client.receive(data):
                if isinstance(event, Goodbye):
                    reason, self._was_rejected = event.reason, not self.client.in_room
                self._on_event(event)
                if self._hang_up_reason:
                    return self._hang_up_reason
            self._batches.flush_soon()
            # Spend at most half of the time on a flood, the other half on keys and signals. Data that is not read
            # stops the sender through TCP flow control.
            await self._batches.wait_until_few()
            await asyncio.sleep(monotonic() - began)

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.client.disconnected()
        self._pings.forget()
        self.round_trip = None

    # Received events

    def _on_event(self, event: Received) -> None:
        match event:
            case Welcome():
                self._on_welcome(event)
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

    def _on_welcome(self, welcome: Welcome) -> None:
        self.entered, self._refused_nick = True, False
        self._online_since = monotonic()
        self._batches.flush()
        self._set_state(LinkState("online"))
        self.client.who()
        if self._key and not welcome.operator:
            self._prove()
        self._write()  # Includes the lines that were not acknowledged.
        self._batches.hurry()

    def _replace_nick(self, refused: Refused) -> bool:
        """Handle a refused nickname: try another one, or leave it to the person. Returns whether the refusal is handled
        here, so that it is not handed on."""
        if self._refused_nick:
            return True  # A hello gets one answer only.
        nick = refused.suggestion if self._asks_for_nick else refused.suggestion or _similar_nick(self.client.nick)
        if not nick or (self._asks_for_nick and not self.entered):
            self._refused_nick = True
            return False
        if self._has_replaced_nick:
            # A further attempt needs a new connection, after the back-off.
            self._was_rejected = True
            self._hang_up_reason = f"the nickname {self.client.nick} is taken"
            self.client.nick = nick
            return True
        self._has_replaced_nick = True
        if self.entered:
            self._on_note(f"{self.client.nick} is taken by now, so you are {nick}")
        self.client.retry_hello(nick)
        self._write()
        return True

    # Output

    def _write(self) -> None:
        if self._writer is not None and (data := self.client.data_to_send()):
            self._writer.write(data)

    def _prove(self) -> None:
        self.client.operator(hmac.new(self._key, self.client.nonce.encode(), "sha256").hexdigest())
        self._write()

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        """Measure the round trip, and abort a silent connection: TCP alone would wait for many minutes."""
        while True:
            limits = self.client.limits
            pings = self.client.in_room and monotonic() >= self._online_since + first_delay(limits)
            if pings and not self._pings.waiting:
                self.client.ping(self._pings.begin(monotonic()))
                self._write()
            await asyncio.sleep(interval(limits) if pings else POLL_INTERVAL_S)
            if is_silent(monotonic() - self._last_byte_at, limits):
                writer.transport.abort()

    def _set_state(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)


def _similar_nick(nick: str) -> str:
    return f"{nick.partition('-')[0]}-{secrets.token_hex(2)}"
