"""Loop serves the sockets of the members (MemberSocket). Members connect a few at a time, and reconnect after a
failure.
"""

import errno
import hmac
import os
import selectors
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from enum import Enum
from heapq import heappop, heappush
from random import Random
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from time import monotonic

from protocol.json_lines import AnyEvent
from protocol.messages import Challenge, Goodbye, Refused, Welcome
from tui.crowd.member import Member, MemberEvents, ProtocolViolation, sanitized
from tui.crowd.web import SharedFrames, WebDoor
from tui.link.connecting import SocketAddress, look_up

READ_SIZE = 64 * 1024
FIRST_DELAY_S, MAX_DELAY_S = 0.25, 10.0
"""Bounds of the reconnect delay, which is random; its upper bound doubles with each attempt."""
STABLE_AFTER_S = 5.0
"""Time in the room after which the reconnect delay is reset."""
MAX_SUGGESTIONS = 3
"""Limit of the suggested nicknames that a member tries on one connection."""
MAX_JOINING = 64
"""Limit of simultaneous attempts to join: far below any listen queue, and slow enough for a room that forks."""
POLL_INTERVAL_S = 0.01
"""Delay until the next check for a free place among the attempts, or for the looked-up name."""
MAX_TURN_S = 0.25
"""Limit of one turn. Ctrl-C and timers are handled between two turns."""
LOOKUP_TIMEOUT_S = 10.0
"""Timeout of the name look-up."""


class Phase(Enum):
    """The state of a member's connection."""

    AWAY = "away"
    CONNECTING = "connecting"
    ASKING = "asking"
    """Connected, without a welcome yet."""
    HERE = "here"


class MemberSocket:
    """One member and its connection."""

    def __init__(
        self, member: Member, selector: BaseSelector, key: bytes = b"", frames: SharedFrames | None = None
    ) -> None:
        """`key` is the operator's key, for the member that becomes an operator. With `frames` the member comes as a
        browser does, in a WebSocket."""
        self.member = member
        self.member.client.holds_key = bool(key)
        self._key = key
        self.phase = Phase.AWAY
        self.attempts = 0
        """Attempts since the member was last in the room for STABLE_AFTER_S."""
        self.ending = ""
        """Why the last connection ended, in a few words."""
        self.has_joined = False
        self._here_since = 0.0
        self._suggestions, self._was_challenged = 0, False
        self._selector = selector
        self._socket: socket.socket | None = None
        self._out = bytearray()
        self._frames = frames
        self._web: WebDoor | None = None

    def connect(self, family: int, address: SocketAddress) -> None:
        """Start to connect; `serve` handles the result."""
        sock = self._socket = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.phase = Phase.CONNECTING
        self._suggestions, self._was_challenged = 0, False
        self._out.clear()
        if self._frames is not None:
            self._web = WebDoor(address, self._frames)
        self._selector.register(sock, EVENT_WRITE, self)
        code = sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self.end(os.strerror(code))

    def serve(self, ready: int, now: float, record: Callable[[float, float], None]) -> MemberEvents:
        """Handle a ready socket. Returns the member's private events, and switches."""
        try:
            if self.phase is Phase.CONNECTING:
                self._connected()
            elif ready & EVENT_WRITE:
                self.flush()
            return self._read(now, record) if ready & EVENT_READ and self._socket else ()
        except OSError as error:
            self.end(error.strerror or type(error).__name__)
            return ()
        except ProtocolViolation as reason:
            self.end(str(reason))
            return ()

    def flush(self) -> None:
        """Write the pending output, as far as the socket accepts it. Errors are raised by the next read only."""
        if self._web is None:
            self._out += self.member.client.data_to_send()
        elif self._web.is_open:
            self._out += self._web.encode(self.member.client.data_to_send())
        if self._socket is None or self.phase is Phase.CONNECTING:
            return
        if self._out:
            try:
                del self._out[: self._socket.send(self._out)]
            except BlockingIOError:
                pass
            except OSError:
                self._out.clear()
        self._selector.modify(self._socket, EVENT_READ | EVENT_WRITE * bool(self._out), self)

    def prove(self) -> None:
        """Send the proof of the operator's key, if there is one, for the latest nonce."""
        if self._key:
            # The hex HMAC-SHA256 (RFC 2104) of the nonce. The key itself is never sent.
            self.member.client.operator(hmac.new(self._key, self.member.client.nonce.encode(), "sha256").hexdigest())
            self.flush()

    def say(self, text: str, now: float) -> None:
        """Say a line now."""
        self.member.say(text, now)
        self.flush()

    def end(self, why: str) -> None:
        """Close the connection; `why` is the reason."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        self.member.disconnected()
        self.ending = why
        if self.phase is Phase.HERE and monotonic() >= self._here_since + STABLE_AFTER_S:
            self.attempts = 0
        self.attempts += 1
        self.phase = Phase.AWAY

    def wait(self, random: Random) -> float:
        """A random delay before the next attempt, in seconds, so that not all members reconnect at once."""
        return random.uniform(0, min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(self.attempts, 10)))

    def _connected(self) -> None:
        assert self._socket is not None
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self.phase = Phase.ASKING
        self.member.connected()
        if self._web is not None:
            self._out += self._web.request
        self.flush()

    def _read(self, now: float, record: Callable[[float, float], None]) -> MemberEvents:
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return ()
        if not data:
            words = sanitized(self.member.last_foreign_line.decode(errors="replace"))
            self.end(self.ending or words or "the server closed it")
            return ()
        events = self.member.receive(data if self._web is None else self._unframe(self._web, data), now, record)
        for event in events:
            match event:
                case Welcome():
                    self.phase, self._here_since, self.has_joined, self.ending = Phase.HERE, now, True, ""
                case Refused() if self.phase is Phase.ASKING and event.suggestion:
                    self._suggestions += 1
                    if self._suggestions > MAX_SUGGESTIONS:
                        raise ProtocolViolation("each nickname was taken, also those that it suggested")
                    self.member.client.retry_hello(event.suggestion)
                case Challenge() if not self._was_challenged:
                    self._was_challenged = True
                    self.prove()
                case Goodbye():
                    self.ending = sanitized(event.reason)
        if events:
            self.flush()
        return events

    def _unframe(self, web: WebDoor, data: bytes) -> bytes:
        """The lines in the frames that were read. As soon as the WebSocket is open, the hello is sent."""
        was_open = web.is_open
        lines = web.decode(data)
        if web.is_open and not was_open:
            self.flush()
        return lines


class Unreachable(Exception):
    """No member could join; the message says why."""


class Loop:
    """Serves the sockets of all members.

    `on_event(socket, event)` is called for private events and switches, and `on_lost(socket)` for a member that is no
    longer in the room. `record` receives each latency."""

    def __init__(
        self,
        random: Random,
        on_event: Callable[[MemberSocket, AnyEvent], None],
        on_lost: Callable[[MemberSocket], None],
        record: Callable[[float, float], None],
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: list[MemberSocket] = []
        self.reconnects_lost = True
        """Whether members reconnect after a failure."""
        self._random = random
        self._on_event, self._on_lost, self._record = on_event, on_lost, record
        self._attempts: list[tuple[float, int]] = []
        self._joining: set[int] = set()
        self._served_last = 0
        """The number of the last member served in a turn that ran out of time; otherwise 0."""
        self._family = socket.AF_INET
        self._address: SocketAddress = ("", 0)

    def open(
        self, host: str, port: int, sockets: Sequence[MemberSocket], is_cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Look the room up, and let these members join. Raises Unreachable if the name is not found, or if
        `is_cancelled` returns True before that."""
        deadline = monotonic() + LOOKUP_TIMEOUT_S
        found = look_up(host, port)
        try:
            while not found.done() and not is_cancelled() and monotonic() < deadline:
                wait([found], timeout=POLL_INTERVAL_S)
            self._family, self._address = found.result(timeout=0)[0]
        except TimeoutError:
            raise Unreachable(f"the name {host} was not found within {LOOKUP_TIMEOUT_S:g} seconds") from None
        except OSError as error:
            raise Unreachable(f"the name {host} was not found: {error.strerror}") from error
        self.sockets += sockets
        for sock in sockets:
            self._schedule_attempt(sock, 0.0)

    def here(self) -> list[MemberSocket]:
        """The sockets of the members that are in the room."""
        return [sock for sock in self.sockets if sock.phase is Phase.HERE]

    def turn(self, until: float) -> None:
        """Wait for events, at most until `until`, serve the ready sockets, and start the attempts that are due."""
        if self._attempts:
            until = min(until, self._attempts[0][0])
        found = self.selector.select(max(0.0, until - monotonic()))
        if self._served_last:
            # Continue after the last member served, so that a flood starves none.
            found.sort(key=lambda one: (one[0].data.member.number <= self._served_last, one[0].data.member.number))
            self._served_last = 0
        began = monotonic()
        for key, ready in found:
            sock: MemberSocket = key.data
            self._serve(sock, ready)
            if monotonic() > began + MAX_TURN_S:
                self._served_last = sock.member.number
                break
        self._begin_attempts(monotonic())

    def _serve(self, sock: MemberSocket, ready: int) -> None:
        before = sock.phase
        for event in sock.serve(ready, monotonic(), self._record):
            self._on_event(sock, event)
        if sock.phase is not before:
            self._on_phase(sock, before)

    def close(self) -> None:
        """Close all connections immediately."""
        for sock in self.sockets:
            sock.end("")
        self.selector.close()

    def _schedule_attempt(self, sock: MemberSocket, wait: float) -> None:
        heappush(self._attempts, (monotonic() + wait, sock.member.number))

    def _begin_attempts(self, now: float) -> None:
        while self._attempts and self._attempts[0][0] <= now:
            if len(self._joining) >= MAX_JOINING:
                # All places are taken: check again later, without a busy loop.
                _, number = heappop(self._attempts)
                heappush(self._attempts, (now + POLL_INTERVAL_S, number))
                return
            sock = self.sockets[heappop(self._attempts)[1]]
            if self.reconnects_lost:
                self._joining.add(sock.member.number)
                sock.connect(self._family, self._address)
                if sock.phase is Phase.AWAY:
                    self._on_phase(sock, Phase.CONNECTING)

    def _on_phase(self, sock: MemberSocket, before: Phase) -> None:
        if sock.phase is Phase.HERE or sock.phase is Phase.AWAY:
            self._joining.discard(sock.member.number)
        if sock.phase is Phase.AWAY:
            if before is Phase.HERE:
                self._on_lost(sock)
            self._schedule_attempt(sock, sock.wait(self._random))
