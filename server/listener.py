"""The listener: it accepts connections, admits or rejects them, and prepares their sockets for all three models."""

import contextlib
import errno
import logging
import os
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Protocol

from protocol.dialects import PLAIN, WEB, Dialect
from protocol.format import plural
from protocol.messages import Goodbye, Limits
from server.admission_queue import AdmissionQueue
from server.closing_sockets import ClosingSockets
from server.connection import Connection
from server.places import Occupants, Places
from server.session import Session
from server.sockets import Source, WakeupSource, prepare
from server.waiting import FirstLine, Waiting, peek_first_line
from server.web_requests import WebRequests, holds_request
from server.web_site import WebSite, unavailable_page

ACCEPTED_AT_ONCE = 128
"""New connections taken from the listen queue in one pass. That is cheap."""
ADMITTED_AT_ONCE = 16
"""New connections served in one pass, so that a rush does not delay the lines of members."""
MAX_ADMISSIBLE = 1024
"""If so many that their addresses allow are waiting, the others stay in the listen queue."""
MAX_WAITING = 2048
"""Connections that wait; a quarter of the descriptors at most."""
MAX_UNDECIDED, MAX_UNDECIDED_EACH = 128, 32
"""Connections that wait at a full room, as an operator may be among them; of these, from one address group."""
MAX_RESERVED, MAX_RESERVED_EACH = 16, 4
"""Connections above the limit that may try to prove the operators' key; of these, from one address group."""
HELLO_TIMEOUT_S = 1.0
"""Seconds that such a connection has to send its hello."""
ADMIT_INTERVAL_S = 0.05
ACCEPT_CAPACITY_ERRNOS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""The errors of accept(2) if the system has no resources left. A second call at once would fail too."""

EVICTED = Goodbye("full", "the room is full, and you gave no nickname: another connection has your place now")

log = logging.getLogger("chat.server")


class Members(Occupants, Protocol):
    """The room's answers about a connection, and about the token that a hello carries."""

    def is_operator(self, token: str) -> bool:
        """Whether the member with this token is an operator."""

    def is_established(self, token: str) -> bool:
        """Whether the member with this token has been in the room for a while."""


class Listener:
    """The sources of connections, and the limits on which connections are accepted.

    Accepting is cheap, serving is not. So all connections are accepted into an AdmissionQueue, from which a few at
    a time are admitted in fair turns between addresses.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        limits: Limits,
        max_clients: int = 0,
        max_per_ip: int = 0,
        pause: Callable[[float], object] = sleep,
        members: Members | None = None,
        site: WebSite | None = None,
    ) -> None:
        """`limits` hold for connections from now on; 0 clients means no limit. `pause`: see Connection. `members` is
        asked at a full room, which operators can enter. `site` answers browsers."""
        self._wakeup = WakeupSource()
        self.sources: Sequence[Source] = [*sources, self._wakeup]
        """Each is readable while `admit` has something to do."""
        self.limits = limits
        self.max_clients = max_clients
        self.max_per_ip = max_per_ip
        self._pause = pause
        self._members = members
        self.on_rejected: Callable[[], None] = lambda: None
        self.on_flood: Callable[[str, str], object] = lambda what, group: None
        """Called with the event that was limited, and the address group."""
        self.on_reserved: Callable[[int], object] = lambda number: None
        """Called with the number of a connection above the limit, which has to prove the operators' key."""
        self.on_tick: Callable[[], None] = lambda: None
        """Called several times a second, by `wake_if_waiting`."""
        self.on_evicted: Callable[[int, Goodbye], object] = lambda number, goodbye: None
        """Called with the number of a connection that gives its place up, and the reason to tell it."""
        self.dialects: dict[int, Dialect] = {}
        """The dialects of connections that are about to start, if they are known. The room takes them out."""
        self._reserved: dict[int, str] = {}
        self._places = Places()
        self._last_number = 0
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._queue: AdmissionQueue[Waiting] = AdmissionQueue(min(MAX_WAITING, max(1, descriptors // 4)))
        self._at_full_room: list[Waiting] = []
        """They wait at a full room until their hello shows whether they are operators."""
        self._closing = ClosingSockets(self._wakeup)
        self._requests = (
            WebRequests(site, self._wakeup, self._closing, self._full_for_page, lambda: self.limits.join_timeout)
            if site is not None
            else None
        )
        self._next_wake = self._next_look = 0.0

    def admit(self, start: Callable[[Connection], None]) -> None:
        """Accept a few of the waiting connections, and have the running model `start` each. If `start` raises OSError,
        the system has too few resources left, and the connection is rejected."""
        for connection in self.accept():
            try:
                start(connection)
            except OSError as error:
                log.warning("connection %d cannot be served: %s", connection.number, error.strerror)
                words = f"the room is full: the server has too little left ({error.strerror})"
                self.dialects.pop(connection.number, None)
                self.reject(connection, words, connection.session.dialect)

    def accept(self) -> Iterator[Connection]:
        """Yield the connections that are admitted now, a few at a time. A rejected one is told the reason."""
        now = monotonic()
        for source in self.sources:
            self._accept_from(source, now)
        self._closing.advance(now)
        self._promote_returning(now)
        yield from self._admit_operators(now)
        for waiting in self._take(now):
            if (connection := self._admit(waiting, now)) is not None:
                yield connection
        if self._queue.admissible(now):
            self._wakeup.set()

    def wake_if_waiting(self) -> None:
        """Have `admit` called again while connections wait. The caller does this several times a second."""
        self.on_tick()
        is_busy = self._queue or self._at_full_room or self._closing or self._requests
        if is_busy and (now := monotonic()) >= self._next_wake:
            self._next_wake = now + ADMIT_INTERVAL_S
            self._wakeup.set()

    def reject_waiting(self, reason: str) -> None:
        """Reject all waiting connections, with the reason."""
        for waiting in [*self._queue, *self._at_full_room]:
            self._queue.discard(waiting.group, waiting)
            self.reject(waiting.sock, reason, waiting.dialect)
        self._at_full_room.clear()
        if self._requests is not None:
            self._requests.reject_all(reason, monotonic())

    def reject(
        self, peer: socket.socket | Connection, reason: str, dialect: Dialect = PLAIN, *, lingers: bool = True
    ) -> None:
        """Tell a newcomer why it is rejected, in its dialect, and close it. A browser that has asked for a page gets
        one."""
        self.on_rejected()
        sock = peer if isinstance(peer, socket.socket) else peer.socket
        data = dialect.encode(Goodbye("full", reason))
        if self._requests is not None and dialect is PLAIN and holds_request(sock):
            data = unavailable_page(reason)
        self._closing.add(peer, data, monotonic(), lingers=lingers)

    def _reject_unheard(self, waiting: Waiting, reason: str, now: float) -> None:
        """Reject a newcomer that may be a browser, and may have sent nothing so far."""
        if self._requests is None:
            self.reject(waiting.sock, reason)
        else:
            self.on_rejected()
            self._requests.hear(waiting, now, reason)

    def _take(self, now: float) -> list[Waiting]:
        """The connections that can be admitted now, a few at a time. They are not gone, and speak no HTTP."""
        taken: list[Waiting] = []
        for waiting in self._queue.take(now, ADMITTED_AT_ONCE):
            if self._is_gone(waiting):
                waiting.sock.close()
            elif self._requests is not None:
                self._requests.hear(waiting, now)
            else:
                taken.append(waiting)
        return self._requests.advance(now, ADMITTED_AT_ONCE) if self._requests is not None else taken

    def _accept_from(self, source: Source, now: float) -> None:
        """Accept from the listen queue. There, a connection would wait behind a flood from another address."""
        if len(self._queue) >= MAX_ADMISSIBLE and self._queue.admissible(now) >= MAX_ADMISSIBLE:
            return
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, address = source.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._accept_on_spare(source)
                if error.errno in ACCEPT_CAPACITY_ERRNOS:
                    return
                continue  # The peer has gone again (ECONNABORTED and its like, see accept(2)).
            waiting = Waiting(sock, str(address[0]), now)
            self._queue.add(waiting.group, waiting)
            for excess in self._queue.drop_excess(waiting.group, now):
                self.on_flood("connection rejected", excess.group)
                left = max(1, round(self._queue.wait(excess.group, now)))
                words = f"many connections come from your address: try again in {plural(left, 'second')}"
                self._reject_unheard(excess, words, now)

    def _admit(self, waiting: Waiting, now: float) -> Connection | None:
        full = self._full_for(waiting.group)
        if full and self._members is not None:
            full = self._free_place(waiting, peek_first_line(waiting), now)
        if not full:
            return self._open(waiting, now)
        if self._members is None:
            self.reject(waiting.sock, full, waiting.dialect)
            return None
        self._at_full_room.append(waiting)
        self._wakeup.watch(waiting.sock)
        same = [other for other in self._at_full_room if other.group == waiting.group]
        for one in same[: max(0, len(same) - MAX_UNDECIDED_EACH)] or self._at_full_room[:-MAX_UNDECIDED]:
            self._forget(one)
            self.reject(one.sock, full, one.dialect)
        return None

    def _forget(self, waiting: Waiting) -> None:
        """Remove a connection from those that wait at the full room."""
        self._at_full_room.remove(waiting)
        self._wakeup.unwatch(waiting.sock)

    def _full_for(self, group: str) -> str:
        """Why no connection from this group can come in now; an empty string if it can."""
        if self.max_clients and len(self._places) >= self.max_clients:
            return f"the room is full: it takes {plural(self.max_clients, 'connection')}"
        if self._is_group_full(group):
            are = "is" if self.max_per_ip == 1 else "are"
            return f"there {are} {plural(self.max_per_ip, 'connection')} from your address already"
        return ""

    def _is_group_full(self, group: str) -> bool:
        return 0 < self.max_per_ip <= self._places.count(group)

    def _full_for_page(self, group: str) -> str:
        """Why a browser from this group does not get the page now. Where the group has a connection, it may be a
        member that loads the page again."""
        full = self._full_for(group)
        if not full or self._places.count(group) or self._places.has_own_share(group, self.max_clients):
            return ""
        if self._members is not None and self._places.has_evictable(group, monotonic(), self._members):
            return ""
        return full

    def _free_place(self, waiting: Waiting, line: FirstLine, now: float) -> str:
        """Free a place for a newcomer. Returns why it cannot come in; an empty string if it can."""
        group = waiting.group
        full, within_group = self._full_for(group), self._is_group_full(group)
        if not full or self._members is None:
            return full
        place = self._places.evict(group, now, self._members, has_nickname=line.has_nickname, within_group=within_group)
        if place is not None:
            self.on_flood("connection ended without a nickname", place.group)
            self.on_evicted(place.number, EVICTED)
            return ""
        return "" if not within_group and self._places.has_own_share(group, self.max_clients) else full

    def _open(self, waiting: Waiting, now: float) -> Connection | None:
        """Prepare a connection that is served from now on."""
        sock, host, group = waiting.sock, waiting.host, waiting.group
        try:
            prepare(sock)
        except OSError:  # The peer has gone again (EINVAL on macOS).
            sock.close()
            return None
        self._last_number += 1
        number = self._last_number
        self._places.add(number, group, now)
        log.debug("connection %d opened from %s", number, host)
        if waiting.dialect is WEB:
            join_by = waiting.heard_since + self.limits.join_timeout
            session = Session.open_socket(number, self.limits, monotonic(), join_by)
            self.dialects[number] = WEB
        else:
            session = Session.open(number, self.limits, monotonic())
            session.serves_web = self._requests is not None
            if waiting.was_silent:
                session.greet_at = now
        return Connection(sock, session, host, lambda: self._released(number), self._pause)

    def _released(self, number: int) -> None:
        log.debug("connection %d closed", number)
        self._reserved.pop(number, None)
        self._places.remove(number)

    def _promote_returning(self, now: float) -> None:
        """Put returning members before the newcomers from the same address, if these have to wait."""
        if self._members is None or not self._queue or now < self._next_look:
            return
        self._next_look = now + ADMIT_INTERVAL_S
        for waiting in self._queue.delayed(now):
            if self._members.is_established(peek_first_line(waiting).token):
                self._queue.promote(waiting.group, waiting)

    def _admit_operators(self, now: float) -> Iterator[Connection]:
        """Admit operators among the connections that wait at a full room, and reject the others."""
        for waiting in list(self._at_full_room):
            line = peek_first_line(waiting)
            is_operator = self._members is not None and self._members.is_operator(line.token)
            reserved = line.holds_key and not is_operator and self._has_reserve(waiting.group)
            full = "" if is_operator or reserved else self._free_place(waiting, line, now)
            if full and not line.decided and now < waiting.since + HELLO_TIMEOUT_S:
                if line.begun:
                    self._wakeup.unwatch(
                        waiting.sock
                    )  # It stays readable. `wake_if_waiting` finds the rest of the line.
                continue
            self._forget(waiting)
            if full:
                self.reject(waiting.sock, full, waiting.dialect)
            elif (connection := self._open(waiting, now)) is not None:
                if reserved:
                    self._reserved[connection.number] = waiting.group
                    self.on_reserved(connection.number)
                yield connection

    def _has_reserve(self, group: str) -> bool:
        """Whether one more of this group may try to prove the operators' key at a full room."""
        groups = list(self._reserved.values())
        return len(groups) < MAX_RESERVED and groups.count(group) < MAX_RESERVED_EACH

    @staticmethod
    def _is_gone(waiting: Waiting) -> bool:
        """Whether the peer has closed without sending anything."""
        try:
            return not waiting.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    def _accept_on_spare(self, source: Source) -> None:
        """Close the spare descriptor, accept a newcomer and reject it, so that it does not hang."""
        log.warning("no file descriptor is left for a new connection; it was rejected")
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with contextlib.suppress(OSError):  # Another thread may take the free descriptor first.
            sock, _ = source.accept()
            self.reject(sock, "the room is full: the server has no file descriptor left", lingers=False)
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)
