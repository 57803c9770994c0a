"""Participant: a member that records all it does and sees. An asyncio shell around ClientConnection.

The record has the events on the wire, and beside them the events that ClientConnection passed on.
"""

import asyncio
import hmac
import socket
from random import Random
from secrets import token_hex
from time import monotonic

from protocol.client import MAX_EVENT_BYTES, ClientConnection, Gap
from protocol.json_lines import AnyEvent
from protocol.messages import Goodbye, ModelSwitched, OperatorGranted, People, Refused, Said, Sequenced, Status, Welcome
from protocol.web_client import HandshakeFailed, WebClient
from protocol.websocket import Violation
from tests.checker.conditions import Conditions
from tests.checker.history import Ending, MemberHistory, Operation, Roster, Stay, SwitchRequest
from tests.checker.narrow import READ_AHEAD_BYTES, narrow
from tests.checker.resets import reset as reset_connection
from tests.checker.wire import event_in

MAX_RECONNECT_DELAY_S = 1.0
"""Seconds between two attempts to connect, at most. They are random, so that not all members come at once."""
SWITCH_REFUSAL_CODES = ("switching", "same-model", "switch-failed", "not-operator")


class Participant:
    """One member. `run` keeps it in the room until `leave`."""

    def __init__(
        self,
        name: str,
        address: tuple[str, int],
        random: Random,
        conditions: Conditions,
        *,
        slow: bool = False,
        in_browser: bool = False,
    ) -> None:
        """A `slow` member has small kernel buffers: the server keeps the output that it does not read. One that is
        `in_browser` comes in a WebSocket."""
        self.history = MemberHistory(name, nicks={name})
        self.client = ClientConnection(name, lambda: token_hex(8))
        self.end_cause = ""
        """The act of ours that explains an end of this connection; empty without one."""
        self.served_by = ""
        self.model = ""
        """The model that runs the room."""
        self.is_operator = False
        self.reading = asyncio.Event()
        self.reading.set()
        self._address = address
        self.slow = slow
        self._random = random
        self._in_browser = in_browser
        self._web: WebClient | None = None
        """The frames of the present connection, if it is a WebSocket."""
        self._stay: Stay | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._writing = asyncio.Lock()
        self.is_leaving = False
        """True after the final goodbye."""
        self._conditions = conditions
        self._connected_in = ""
        """The epoch in which the connection was opened."""
        self._last_line = ""
        self._after: int | None = None
        self._knows_people = False

    @property
    def is_in_room(self) -> bool:
        """True while it is in the room."""
        return self._stay is not None

    @property
    def last(self) -> int:
        """The seq of the last event it got."""
        return self.client.seq

    @property
    def is_up_to_date(self) -> bool:
        """True if it is in the room and all its lines were answered."""
        return self.is_in_room and not self.client.unacknowledged

    def local_port(self) -> int:
        """Return the local port of the connection; 0 without one."""
        return self._writer.get_extra_info("sockname")[1] if self._writer else 0

    # Acts

    def say(self, text: str, *, action: bool = False) -> None:
        """Say a line, at once or as soon as it is in the room."""
        self._record_operation(text, action)
        self._flush()

    async def say_in_halves(self, text: str, pause: float) -> None:
        """Send a line, and its second half after `pause` seconds if the connection still exists."""
        if not self.is_in_room:
            return
        async with self._writing:
            writer, rest = self._writer, self._data_to_send()
            self._record_operation(text, False)
            data = self._data_to_send()
            cut = self._random.randrange(1, len(data))
            _write(writer, rest + data[:cut])
            await asyncio.sleep(pause)
            if writer is self._writer:
                _write(writer, data[cut:])
        self._flush()

    def say_and_cut(self, text: str, *, whole: bool, reset: bool) -> None:
        """Send a line or half of it, and break the connection before the answer. The line is sent again later."""
        if not self.is_in_room or self._writing.locked():
            return
        self._record_operation(text, False)
        data = self._data_to_send()
        _write(self._writer, data if whole else data[: self._random.randrange(1, len(data))])
        self.cut("it cut its own connection", reset=reset)

    def cut(self, why: str, *, reset: bool) -> None:
        """Break the connection, for the reason `why`."""
        if self._writer is None:
            return
        self.end_cause = why
        if reset:
            reset_connection(self._writer)
        else:
            self._writer.close()

    def request_roster(self) -> None:
        """Request the roster."""
        if self.is_in_room:
            self.client.who()
            self._flush()

    def ask_where(self) -> None:
        """Ask for the process or thread that serves it. The answer sets `served_by` later."""
        self.served_by = ""
        if self.is_in_room:
            self.client.ask_status()
            self._flush()

    def rename(self, nick: str) -> None:
        """Request another nickname."""
        if self.is_in_room:
            self.history.nicks.add(nick)
            self.client.rename(nick)
            self._flush()

    def prove(self, key: str) -> None:
        """Answer the operator's challenge."""
        if self.is_in_room:
            self.client.operator(hmac.new(key.encode(), self.client.nonce.encode(), "sha256").hexdigest())
            self._flush()

    def switch(self, model: str) -> None:
        """Request another model."""
        if self._stay is not None:
            self._stay.switch_requests.append(SwitchRequest(model, monotonic()))
            self.client.switch(model)
            self._flush()

    async def stop_reading(self, seconds: float) -> None:
        """Read nothing for so long. After ten seconds the server may close the connection."""
        self.reading.clear()
        await asyncio.sleep(seconds)
        self.reading.set()

    def leave(self) -> None:
        """Say goodbye, and do not reconnect."""
        self.is_leaving = True
        self.reading.set()
        if self.is_in_room:
            self.client.quit()
            self._flush()

    # The connection

    async def run(self) -> None:
        """Stay in the room, and reconnect whenever the connection breaks, until it leaves."""
        while not self.is_leaving:
            try:
                await self._connect()
            except OSError as error:
                self._end(str(error))
            if not self.is_leaving:
                await asyncio.sleep(self._random.uniform(0, MAX_RECONNECT_DELAY_S))

    async def _connect(self) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        if self.slow:
            narrow(sock)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self._address)
        except BaseException:
            sock.close()
            raise
        reader, self._writer = await asyncio.open_connection(
            sock=sock, limit=READ_AHEAD_BYTES if self.slow else 1 << 16
        )
        self.end_cause, self._connected_in, self._last_line = "", self._conditions.epoch, ""
        try:
            self._after = self.client.seq if self.client.token else None
            self.client.connected()
            if self._in_browser:
                self._web = WebClient(f"{self._address[0]}:{self._address[1]}", self._random.randbytes)
                _write(self._writer, self._web.request)
            self._flush()
            await self._read(reader)
            self._end("the connection was closed")
        finally:
            self._writer.transport.abort()
            self._writer = None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while data := await reader.read(1 << 16):
            lines = (rest + self._unframe(data)).split(b"\n")
            rest = lines.pop()
            for line in lines:
                self._take(line)
            self._flush()
            await self.reading.wait()

    def _unframe(self, data: bytes) -> bytes:
        """The lines in received bytes. Raises OSError if a server does not speak WebSocket as it should."""
        if self._web is None:
            return data
        try:
            return self._web.decode(data, MAX_EVENT_BYTES).lines
        except (HandshakeFailed, Violation) as error:
            raise OSError(f"no WebSocket: {error}") from None

    def _data_to_send(self) -> bytes:
        """The bytes that the client has to send. Before a WebSocket is open, its lines wait."""
        if self._web is None:
            return self.client.data_to_send()
        return self._web.encode(self.client.data_to_send()) if self._web.is_open else b""

    def _end(self, reason: str) -> None:
        self.client.disconnected()
        self.is_operator = False
        if self._stay is None:
            self._record_rejection(reason)
            return
        excuse = self.end_cause or self._conditions.explain_end(self._stay.epoch)
        self._stay.reason = self._stay.reason or excuse or reason
        self._stay.ending = Ending.CUT if excuse else Ending.QUIT if self.is_leaving else Ending.DROPPED
        self._stay.ended = monotonic()
        self._stay = None

    def _record_rejection(self, reason: str) -> None:
        """Record an end before the welcome. Without a connection, no server was running, which is no fault."""
        came_in, self._connected_in = self._connected_in, ""
        if came_in and not (self.end_cause or self.is_leaving or self._conditions.explain_rejection(came_in)):
            self.history.rejections.append(f"{came_in}: {self._last_line or reason}")

    def _record_operation(self, text: str, action: bool) -> None:
        id = self.client.say(text, action=action)
        self.history.operations[id] = Operation(id, text, len(self.history.operations), action=action)

    def _flush(self) -> None:
        if not self._writing.locked():
            _write(self._writer, self._data_to_send())

    # Events

    def _take(self, line: bytes) -> None:
        event = event_in(line)
        if event is None:
            self._last_line = line.decode(errors="replace")
        if isinstance(event, Welcome | ModelSwitched | Status):
            self.model = event.model
        if self._stay is not None:
            self._record_room_event(event, self._stay)
        match event:
            case Welcome():
                self._handle_welcome(event)
            case Refused():
                self._handle_refusal(event)
            case OperatorGranted():
                self.is_operator = True
            case Status():
                self.served_by = event.served_by
        self._pass_on(line)
        if isinstance(event, Welcome):
            self._knows_people = self._knows_people and event.resumed and not event.missed
            if not self._knows_people:
                self.client.who()  # After the answer, presence events alone keep the roster.
        self.history.nicks.add(self.client.nick)
        if self._stay:
            self._stay.nick = self.client.nick

    def _record_room_event(self, event: AnyEvent | None, stay: Stay) -> None:
        match event:
            case _ if isinstance(event, Sequenced) and event.seq:
                self._record_event(stay, event)
                if isinstance(event, ModelSwitched):
                    _record_answer(stay, "switched", event.model)
            case Refused() if event.code in SWITCH_REFUSAL_CODES:
                _record_answer(stay, event.code)
            case People():
                self._knows_people = True
                stay.rosters.append(Roster(event.seq, len(stay.events), event.people))
            case Goodbye():
                stay.reason = f"{event.code}: {event.reason}"

    def _pass_on(self, line: bytes) -> None:
        """Pass a line to the client library, and record the events that come out."""
        for passed in self.client.receive(line + b"\n"):
            if self._stay and isinstance(passed, Gap):
                self._stay.gaps.append(passed.missed)
            elif self._stay and isinstance(passed, Sequenced) and passed.seq:
                self._stay.passed_on.append(passed.seq)

    def _handle_welcome(self, event: Welcome) -> None:
        self._stay = Stay(
            epoch=event.motd,
            nick=event.you,
            welcome_seq=event.seq,
            resumed=event.resumed,
            after=self._after,
            missed=event.missed,
            history=event.history,
            model=event.model,
            burst=event.limits.burst,
            rate=event.limits.rate,
        )
        self.served_by = event.served_by
        self.history.stays.append(self._stay)
        for past in event.history:
            if isinstance(past, Said) and past.id in self.history.operations:
                self.history.operations[past.id].acknowledged.append((event.motd, past.seq))

    def _record_event(self, stay: Stay, event: Sequenced) -> None:
        if isinstance(event, Said) and event.id in self.history.operations:
            self.history.operations[event.id].acknowledged.append((stay.epoch, event.seq))
            if event.id in self.client.unacknowledged and event.seq <= self.client.seq:
                return  # The answer to a line that was sent again, with its first seq: no part of the order.
        stay.events.append(event)

    def _handle_refusal(self, event: Refused) -> None:
        if event.id in self.history.operations:
            epoch = self._stay.epoch if self._stay else ""
            self.history.operations[event.id].refused.append((epoch, event.code))
        elif not self.is_in_room and event.suggestion:
            self.history.nicks.add(event.suggestion)
            self.client.retry_hello(event.suggestion)
        elif self._stay and event.code.startswith(("bad-", "line-too-long", "not-joined")):
            self._stay.misunderstood.append(f"{event.code}: {event.reason}")


def _record_answer(stay: Stay, answer: str, model: str = "") -> None:
    """Record an answer at its request. A second request during a switch is refused before the first is answered."""
    open_ = [
        request for request in stay.switch_requests if not request.answer and (not model or request.model == model)
    ]
    if open_:
        open_[-1 if answer in ("switched", "switching") else 0].answer = answer


def _write(writer: asyncio.StreamWriter | None, data: bytes) -> None:
    if writer is not None and data and not writer.is_closing():
        writer.write(data)
