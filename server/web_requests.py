"""WebRequests: hears the first bytes of connections before the room knows of them, and answers HTTP.

A fetch of the page is no connection of the room: no worker serves it, and it takes no place. A WebSocket becomes one
with its first frame. Other connections go on as soon as their first bytes show that they are not HTTP, or when they
have been silent for FIRST_BYTES_TIMEOUT_S, as `nc` is. Their bytes stay in the socket.
"""

import socket
from collections import Counter, deque
from collections.abc import Callable
from http import HTTPStatus

from protocol.dialects import WEB
from protocol.format import plural
from protocol.framing import read_opening
from protocol.http import MAX_HEAD_BYTES, HttpRefused, head_size, is_http
from protocol.messages import Goodbye
from server.closing_sockets import ClosingSockets
from server.session import GREETING_DELAY_S
from server.sockets import WakeupSource
from server.waiting import Stage, Waiting
from server.web_site import WebSite, refusal, unavailable_page

FIRST_BYTES_TIMEOUT_S = GREETING_DELAY_S
"""Seconds after which a silent connection is taken for a person at `nc`."""
REJECTED_TIMEOUT_S = 2.0
"""The same for a rejected connection. A browser on a slow network would not understand the reason as plain text."""
MAX_HEARD = 1024
"""Connections that are heard at a time. One more ends the oldest of the address group that has the most."""
HEARD_AT_ONCE = 64
"""Connections that are read in one pass, so that a rush does not delay the lines of members."""
LOOK_INTERVAL_S = 0.05
"""Seconds between two looks at the deadlines."""


def holds_request(sock: socket.SocketType) -> bool:
    """Whether the beginning of a request waits to be read from a socket."""
    try:
        return bool(is_http(sock.recv(MAX_HEAD_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)))
    except OSError:
        return False


class WebRequests:
    """The connections that are heard. `advance` answers requests, and returns the connections that go on."""

    def __init__(
        self,
        site: WebSite,
        wakeup: WakeupSource,
        closing: ClosingSockets,
        full_for: Callable[[str], str],
        timeout: Callable[[], float],
    ) -> None:
        """`full_for` returns why an address group cannot come in now, or an empty string. `timeout` returns the seconds
        that a client has for its request and its first frame."""
        self._site = site
        self._wakeup = wakeup
        self._closing = closing
        self._full_for = full_for
        self._timeout = timeout
        self._heard: dict[socket.SocketType, Waiting] = {}
        self._undecided: set[socket.SocketType] = set()
        """Connections whose bytes do not show yet what they are. They are not watched, because they stay readable."""
        self._known: deque[Waiting] = deque()
        """Connections that go on."""
        self._next_look = 0.0

    def __len__(self) -> int:
        return len(self._heard) + len(self._known)

    def hear(self, waiting: Waiting, now: float, rejected_for: str = "") -> None:
        """Hear this connection from now on. With `rejected_for` it is told that reason in its dialect, and closed."""
        waiting.heard_since, waiting.rejected_for = now, rejected_for
        waiting.sock.setblocking(False)
        self._watch(waiting)
        self._listen(waiting, now)
        if len(self._heard) > MAX_HEARD:
            largest = Counter(one.group for one in self._heard.values()).most_common(1)[0][0]
            self._expire(next(one for one in self._heard.values() if one.group == largest), now)

    def advance(self, now: float, most: int) -> list[Waiting]:
        """Read what has come, answer requests, and meet deadlines. Returns the next connections that go on, `most` of
        them at most."""
        ready = [waiting for sock in self._wakeup.ready() if (waiting := self._heard.get(sock)) is not None]
        for waiting in ready[:HEARD_AT_ONCE]:
            self._listen(waiting, now)
        if now >= self._next_look:
            self._next_look = now + LOOK_INTERVAL_S
            for sock in list(self._undecided):
                self._listen(self._heard[sock], now)
            for waiting in [one for one in self._heard.values() if now >= one.heard_since + self._patience(one)]:
                self._expire(waiting, now)
        known = [self._known.popleft() for _ in range(min(most, len(self._known)))]
        if self._known:
            self._wakeup.set()
        return known

    def reject_all(self, reason: str, now: float) -> None:
        """Reject all of them."""
        for waiting in [*self._known, *self._heard.values()]:
            self._forget(waiting)
            self._reject(waiting, reason, now)
        self._known.clear()

    def _watch(self, waiting: Waiting) -> None:
        self._heard[waiting.sock] = waiting
        self._wakeup.watch(waiting.sock)

    def _forget(self, waiting: Waiting) -> None:
        self._heard.pop(waiting.sock, None)
        self._undecided.discard(waiting.sock)
        self._wakeup.unwatch(waiting.sock)

    def _patience(self, waiting: Waiting) -> float:
        if waiting.stage is not Stage.FIRST_BYTES:
            return self._timeout()
        return REJECTED_TIMEOUT_S if waiting.rejected_for else FIRST_BYTES_TIMEOUT_S

    def _listen(self, waiting: Waiting, now: float) -> None:
        """Look at the bytes that have come. A connection that has ended or fails is closed."""
        try:
            self._look(waiting, now)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._forget(waiting)
            waiting.sock.close()

    def _look(self, waiting: Waiting, now: float) -> None:
        """Look at the bytes in the socket, which stay there. Raises OSError."""
        data = waiting.sock.recv(MAX_HEAD_BYTES, socket.MSG_PEEK)
        if not data:
            self._forget(waiting)
            waiting.sock.close()
        elif waiting.stage is Stage.FIRST_BYTES:
            self._read_first_bytes(waiting, data, now)
        elif waiting.stage is Stage.HEAD:
            self._read_head(waiting, data, now)
        else:
            self._go_on(waiting, now)

    def _read_first_bytes(self, waiting: Waiting, data: bytes, now: float) -> None:
        opening = read_opening(data)
        found = is_http(data[opening.size :]) if opening is not None and not opening.protocol else False
        if opening is None or found is None:
            self._wakeup.unwatch(waiting.sock)
            self._undecided.add(waiting.sock)
        elif not found:
            self._go_on(waiting, now)
        else:
            self._forget(waiting)
            waiting.stage, waiting.skipped = Stage.HEAD, opening.size
            self._watch(waiting)
            self._read_head(waiting, data, now)

    def _read_head(self, waiting: Waiting, data: bytes, now: float) -> None:
        """Read up to the end of the head, and answer. Bytes behind it are frames, and stay in the socket."""
        received = waiting.head + data
        try:
            size = head_size(received[waiting.skipped :])
        except HttpRefused as refused:
            self._forget(waiting)
            self._closing.add(waiting.sock, refusal(refused), now)
            return
        end = waiting.skipped + size if size else len(received)
        waiting.sock.recv(end - len(waiting.head))
        waiting.head = received[:end]
        if size:
            self._forget(waiting)
            self._answer(waiting, waiting.head[waiting.skipped :], now)

    def _answer(self, waiting: Waiting, head: bytes, now: float) -> None:
        answer = self._site.answer(head, waiting.rejected_for or self._full_for(waiting.group))
        if not answer.opens_socket:
            self._closing.add(waiting.sock, answer.data, now)
            return
        try:
            waiting.sock.send(answer.data)
        except OSError:
            waiting.sock.close()
            return
        waiting.stage, waiting.head = Stage.FIRST_FRAME, b""
        if waiting.rejected_for:
            self._reject(waiting, waiting.rejected_for, now)
        else:
            self._watch(waiting)
            self._listen(waiting, now)

    def _go_on(self, waiting: Waiting, now: float) -> None:
        """The server knows its dialect."""
        self._forget(waiting)
        if waiting.rejected_for:
            self._reject(waiting, waiting.rejected_for, now)
        else:
            self._known.append(waiting)

    def _expire(self, waiting: Waiting, now: float) -> None:
        """The time of a connection is over, unless it gets further with bytes that wait in the socket: the server may
        have been busy when they came."""
        stage = waiting.stage
        self._listen(waiting, now)
        if waiting.sock in self._heard and waiting.stage is stage:
            self._give_up(waiting, now)

    def _give_up(self, waiting: Waiting, now: float) -> None:
        """Its time is over: a silent connection goes on, and others are closed."""
        if waiting.stage is Stage.FIRST_BYTES:
            waiting.was_silent = True
            self._go_on(waiting, now)
            return
        self._forget(waiting)
        if waiting.stage is Stage.HEAD:
            late = HttpRefused(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time")
            self._closing.add(waiting.sock, refusal(late), now)
        else:
            goodbye = Goodbye("join-timeout", f"no nickname came within {plural(self._timeout(), 'second')}")
            self._closing.add(waiting.sock, WEB.encode(goodbye), now)

    def _reject(self, waiting: Waiting, reason: str, now: float) -> None:
        is_http = waiting.stage is Stage.HEAD
        data = unavailable_page(reason) if is_http else waiting.dialect.encode(Goodbye("full", reason))
        self._closing.add(waiting.sock, data, now)
