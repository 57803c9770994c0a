"""Peers for tests: real sockets that keep the lines they have read, with a deadline for each wait.

They use the wire format only, without code of the server or the client.
"""

import hmac
import json
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.pace import allowed

PATIENCE = allowed(20.0)
"""Seconds that a wait may take before a test fails; generous, as a busy machine is no fault."""
OPERATOR_KEY = "the key of the tests"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET /room HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Closed(Exception):
    """The server has closed the connection."""


def wait_until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return as soon as `true()` is true; fail with `what` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"in {patience} s it did not come true: {what}"
        time.sleep(0.02)


class Peer:
    """A TCP connection that keeps the lines it has read. Each wait ends within PATIENCE."""

    def __init__(self, address: tuple[str, int], receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)
        self.heard: list[str] = []
        self._data = bytearray()

    def send(self, data: bytes | str) -> None:
        """Send the data unchanged."""
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self, patience: float = PATIENCE) -> str:
        """Return the next line without its end. Raises Closed, or TimeoutError with the lines before."""
        deadline = time.monotonic() + patience
        while (end := self._data.find(b"\n")) < 0:
            left = deadline - time.monotonic()
            if left <= 0 or not readable(self.socket, left):
                raise TimeoutError(f"no line in {patience:.1f} s; before that: {self._last_words()}")
            self._data += self._received()
        line = self._data[:end].decode()
        del self._data[: end + 1]
        self.heard.append(line)
        return line

    def _received(self) -> bytes:
        """Read once; returns the text in it. Raises Closed at the end."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError as error:
            raise Closed(f"{error}; before that: {self._last_words()}") from None
        if not data:
            raise Closed(f"closed after {self._last_words()}")
        return data

    def _last_words(self) -> str:
        return f"{[line[:300] for line in self.heard[-10:]]} and {bytes(self._data[:100])!r}"

    def lines_until_closed(self) -> list[str]:
        """Return all lines up to the end of the connection."""
        lines = []
        try:
            while True:
                lines.append(self.line())
        except Closed:
            return lines

    def hears_nothing(self, seconds: float) -> bool:
        """Return True if no line arrives within `seconds`."""
        try:
            self.line(seconds)
        except TimeoutError:
            return True
        return False

    def half_close(self) -> None:
        """Close the sending side."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with RST, as a machine that restarts does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


class PlainPeer(Peer):
    """A client of the plain dialect."""

    def join(self, nick: str) -> None:
        """Give a nickname, and wait for the welcome."""
        self.send(f"{nick}\n")
        self.expect("Connected to chat server")

    def say(self, text: str) -> None:
        self.send(f"{text}\n")

    def expect(self, wanted: str, patience: float = PATIENCE) -> list[str]:
        """Wait for a line that contains `wanted`; returns the lines up to it."""
        lines = []
        deadline = time.monotonic() + patience
        while not lines or wanted not in lines[-1]:
            try:
                lines.append(self.line(deadline - time.monotonic()))
            except (Closed, TimeoutError) as error:
                raise AssertionError(f"{wanted!r} never came: {error}") from None
        return lines

    def said(self) -> str:
        """Return the next line of a member; lines of the room are skipped."""
        while (line := self.line()).startswith("*** "):
            pass
        return line


class RichPeer(Peer):
    """A client of the rich dialect. Events are dicts, so that a test sees the wire format."""

    welcome: dict[str, Any]

    def command(self, type: str, **fields: object) -> None:
        self.send(json.dumps({"type": type, **fields}, ensure_ascii=False) + "\n")

    def event(self, patience: float = PATIENCE) -> dict[str, Any]:
        while (line := self.line(patience)).startswith("*** "):
            pass  # A peer with a late hello gets a greeting in plain text, which clients skip.
        event: dict[str, Any] = json.loads(line)
        return event

    def expect(self, type: str, patience: float = PATIENCE, **fields: object) -> dict[str, Any]:
        """Wait for an event of this type with these fields; events before it are skipped."""
        deadline = time.monotonic() + patience
        while True:
            try:
                event = self.event(deadline - time.monotonic())
            except (Closed, TimeoutError) as error:
                raise AssertionError(f"{type} {fields} never came: {error}") from None
            if event["type"] == type and fields.items() <= event.items():
                return event

    def hello(self, nick: str, **fields: object) -> dict[str, Any]:
        """Join; returns the welcome."""
        self.command("hello", nick=nick, **fields)
        self.welcome = self.expect("welcome")
        return self.welcome

    def say(self, text: str, id: str = "", **fields: object) -> None:
        self.command("say", id=id, text=text, **fields)

    def sync(self) -> list[dict[str, Any]]:
        """Wait until the server has handled all that was sent; returns the events before the pong."""
        self._pings = getattr(self, "_pings", 0) + 1
        self.command("ping", id=f"sync-{self._pings}")
        events = [self.event()]
        while events[-1] != {"type": "pong", "id": f"sync-{self._pings}"}:
            events.append(self.event())
        return events[:-1]

    def expect_presence(self, *, joined: Sequence[str] = (), left: Sequence[str] = ()) -> None:
        """Wait until presence events from now on have named all of these nicknames."""
        missing_in, missing_out = set(joined), set(left)
        while missing_in or missing_out:
            event = self.expect("presence")
            missing_in -= set(event.get("joined", ()))
            missing_out -= set(event.get("left", ()))

    def sees(self, *nicks: str) -> None:
        """Wait until the announced roster has all of these nicknames."""
        wait_until(lambda: set(nicks) <= set(self.people()), f"{nicks} are here")

    def sees_no(self, *nicks: str) -> None:
        """Wait until the announced roster has none of these nicknames."""
        wait_until(lambda: not set(nicks) & set(self.people()), f"{nicks} have left")

    def status(self) -> dict[str, Any]:
        """Request the status, and return the answer to this request."""
        self.sync()
        self.command("status")
        return self.expect("status")

    def people(self) -> list[str]:
        """Request the roster, as the room last announced it."""
        self.command("who")
        people: list[str] = self.expect("people")["people"]
        return people

    def prove(self, key: str = OPERATOR_KEY) -> None:
        """Become an operator."""
        proof = hmac.new(key.encode(), self.welcome["nonce"].encode(), "sha256").hexdigest()
        self.command("operator", proof=proof)
        self.expect("operator")

    def switch(self, model: str) -> dict[str, Any]:
        """Switch the model; returns the `switched` event."""
        self.command("switch", model=model)
        return self.expect("switched", model=model)


class WebPeer(RichPeer):
    """A client of the web dialect. The frames are those of the library `websockets`."""

    def __init__(self, address: tuple[str, int], receive_buffer: int = 0) -> None:
        super().__init__(address, receive_buffer)
        self.library = ClientProtocol(parse_uri(f"ws://{address[0]}:{address[1]}/room"), max_size=2**24)
        self.pongs: list[bytes] = []
        self.library.send_request(self.library.connect())
        self.send_frames()
        while self.library.state is State.CONNECTING:
            self._data += self._received()

    def send(self, data: bytes | str) -> None:
        """Send the data as one text message."""
        self.library.send_text(data.encode() if isinstance(data, str) else data)
        self.send_frames()

    def send_frames(self) -> None:
        """Send the frames that the library has ready."""
        super().send(b"".join(self.library.data_to_send()))

    def _received(self) -> bytes:
        self.library.receive_data(super()._received())
        text = b""
        for event in self.library.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.CONT):
                text += event.data
            elif isinstance(event, Frame) and event.opcode is Opcode.PONG:
                self.pongs.append(bytes(event.data))
        error = self.library.handshake_exc or self.library.parser_exc
        assert error is None, f"{error}; before that: {self._last_words()}"
        return text

    def close_code(self) -> int:
        """Read up to the close frame of the server, and return its code."""
        while self.library.close_rcvd is None:
            self._data += self._received()
        return int(self.library.close_rcvd.code)


def readable(source: socket.socket | IO[str], seconds: float) -> bool:
    """Return True if data can be read within `seconds`. Uses poll(), as select() rejects descriptors above 1023."""
    poller = select.poll()
    poller.register(source, select.POLLIN)
    return bool(poller.poll(seconds * 1000))
