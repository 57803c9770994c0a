"""Loop: the crowd's connections, served together, made a few at a time, and made again when they break."""

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
"""Members on their way in at a time: far below any listen queue, and a room that forks keeps up."""
POLL_INTERVAL_S = 0.01
"""Seconds until the next look at whether the way in is free."""

MAX_TURN_S = 0.25
"""Seconds after which a turn serves no further member: Ctrl-C and the clock are looked at between two turns."""

LOOKUP_TIMEOUT_S = 10.0
"""Seconds that a name server has to answer."""


class Unreachable(Exception):
    """Nobody got in; the message says why."""


class Loop:
    """Serves all seats. `on_news(sock, event)` hears what a member was told alone, and of switches; `on_lost(sock)` of
    a member that was in the room and is not any more."""

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
        """Whether members whose connection broke try again."""
        self.is_cancelled: Callable[[], bool] = lambda: False
        """Whether the name is not to be waited for any longer."""
        self._random = random
        self._on_news, self._on_lost, self._record = on_news, on_lost, record
        self._attempts: list[tuple[float, int]] = []
        self._joining: set[int] = set()
        self._served_last = 0
        """The number of the member that was served last, where there was no time for the others; else 0."""
        self._family = socket.AF_INET
        self._address: SocketAddress = ("", 0)

    def open(self, host: str, port: int, sockets: Sequence[MemberSocket]) -> None:
        """Look the room up, and send these members in. Raises Unreachable for a name that is not found."""
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
        """The seats whose members are in the room."""
        return [sock for sock in self.sockets if sock.phase is Phase.HERE]

    def turn(self, until: float) -> None:
        """Wait, at most until then, do what can be done, and begin what is due."""
        if self._attempts:
            until = min(until, self._attempts[0][0])
        found = self.selector.select(max(0.0, until - monotonic()))
        if self._served_last:
            # All in turn, also where a flood leaves time for some of them only.
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
        """End all connections, at once."""
        for sock in self.sockets:
            sock.end("")
        self.selector.close()

    def _schedule_attempt(self, sock: MemberSocket, wait: float) -> None:
        heappush(self._attempts, (monotonic() + wait, sock.member.number))

    def _begin_attempts(self, now: float) -> None:
        while self._attempts and self._attempts[0][0] <= now:
            if len(self._joining) >= MAX_JOINING:
                # Nothing to do until somebody is in, and no reason to run in circles meanwhile.
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
