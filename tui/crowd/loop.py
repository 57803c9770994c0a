"""Loop: serves the crowd's connections. Members connect a few at a time, and reconnect after a failure."""

import selectors
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from heapq import heappop, heappush
from random import Random
from time import monotonic

from protocol.json_lines import AnyEvent
from tui.crowd.member_socket import MemberSocket, Phase
from tui.link.connecting import SocketAddress, look_up

MAX_JOINING = 64
"""Limit of simultaneous attempts to join: far below any listen queue, and slow enough for a room that forks."""
POLL_INTERVAL_S = 0.01
"""Delay until the next check for a free place among the attempts, or for the looked-up name."""

MAX_TURN_S = 0.25
"""Limit of one turn. Ctrl-C and timers are handled between two turns."""

LOOKUP_TIMEOUT_S = 10.0
"""Timeout of the name look-up."""


class Unreachable(Exception):
    """No member could join; the message says why."""


class Loop:
    """Serves the sockets of all members.

    `on_news(socket, event)` is called for private events and switches, and `on_lost(socket)` for a member that has left
    the room. `record` receives each latency."""

    def __init__(
        self,
        random: Random,
        on_news: Callable[[MemberSocket, AnyEvent], None],
        on_lost: Callable[[MemberSocket], None],
        record: Callable[[float, float], None],
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: list[MemberSocket] = []
        self.reconnects_lost = True
        """Whether members reconnect after a failure."""
        self.is_cancelled: Callable[[], bool] = lambda: False
        """Returns True to cancel the name look-up."""
        self._random = random
        self._on_news, self._on_lost, self._record = on_news, on_lost, record
        self._attempts: list[tuple[float, int]] = []
        self._joining: set[int] = set()
        self._served_last = 0
        """The number of the last member served in a turn that ran out of time; otherwise 0."""
        self._family = socket.AF_INET
        self._address: SocketAddress = ("", 0)

    def open(self, host: str, port: int, sockets: Sequence[MemberSocket]) -> None:
        """Look the room up, and let these members join. Raises Unreachable if the name is not found."""
        deadline = monotonic() + LOOKUP_TIMEOUT_S
        found = look_up(host, port)
        try:
            while not found.done() and not self.is_cancelled() and monotonic() < deadline:
                wait([found], timeout=POLL_INTERVAL_S)
            self._family, self._address = found.result(timeout=0)[0]
        except TimeoutError:
            raise Unreachable(f"the name {host} was not found within {LOOKUP_TIMEOUT_S:g} seconds") from None
        except OSError as error:
            raise Unreachable(f"nobody knows the name {host}: {error.strerror}") from error
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
            self._on_news(sock, event)
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
