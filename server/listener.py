"""The listener: it accepts connections, admits or rejects them, and prepares their sockets for all three models."""

import contextlib
import errno
import logging
import os
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import NamedTuple, Protocol

from protocol import json_lines
from protocol.dialects import PLAIN
from protocol.format import plural
from protocol.messages import Goodbye, Hello, Limits
from server.address_limits import address_group
from server.admission_queue import AdmissionQueue
from server.connection import Connection
from server.places import Occupants, Places
from server.session import Session
from server.sources import Source, WakeupSource, prepare

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
MAX_REJECTED, REJECT_LINGER_S = 64, 2.0
"""Rejected connections that the peer may still close, and the seconds it has for that."""
ADMIT_INTERVAL_S = 0.05
PEEKED_BYTES = 4096
"""Of the first line of a waiting connection."""
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


class Waiting:
    """A connection that was accepted and is not served yet."""

    __slots__ = ("group", "host", "since", "sock")

    def __init__(self, sock: socket.socket, host: str, since: float) -> None:
        self.sock = sock
        self.host = host
        self.group = address_group(host)
        self.since = since


class FirstLine(NamedTuple):
    """The first bytes that a waiting connection has sent."""

    begun: bool
    decided: bool
    """No bytes that follow can make it the hello of a returning member."""
    token: str = ""
    """The token of a returning member."""
    holds_key: bool = False
    """The hello says that the client can prove the operators' key."""
    has_nickname: bool = False
    """The line is complete, and gives a nickname."""


def peek_first_line(sock: socket.socket) -> FirstLine:
    """Look at the first line without reading it."""
    try:
        data = sock.recv(PEEKED_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError):
        return FirstLine(False, False)
    except OSError:
        return FirstLine(True, True)
    line, end, _ = data.partition(b"\n")
    if not line.startswith(b"{"):
        return FirstLine(True, True, has_nickname=bool(end and line.strip()))
    command = json_lines.decode_command(line) if end else None
    if not isinstance(command, Hello):
        return FirstLine(True, bool(end) or len(data) == PEEKED_BYTES)
    return FirstLine(True, True, command.resume.token if command.resume else "", command.operator, True)


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
    ) -> None:
        """`limits` hold for connections from now on; 0 clients means no limit. `pause`: see Connection. `members` is
        asked at a full room, which operators can enter."""
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
        self.on_evicted: Callable[[int, Goodbye], object] = lambda number, goodbye: None
        """Called with the number of a connection that gives its place up, and the reason to tell it."""
        self._reserved: dict[int, str] = {}
        self._places = Places()
        self._last_number = 0
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._queue: AdmissionQueue[Waiting] = AdmissionQueue(min(MAX_WAITING, max(1, descriptors // 4)))
        self._at_full_room: list[Waiting] = []
        """They wait at a full room until their hello shows whether they are operators."""
        self._rejected: list[tuple[socket.socket | Connection, socket.SocketType, float]] = []
        """Connections that were told the reason, each with the latest time at which it is closed."""
        self._next_wake = self._next_look = 0.0

    def admit(self, start: Callable[[Connection], None]) -> None:
        """Accept a few of the waiting connections, and have the running model `start` each. If `start` raises OSError,
        the system has too few resources left, and the connection is rejected."""
        for connection in self.accept():
            try:
                start(connection)
            except OSError as error:
                log.warning("connection %d cannot be served: %s", connection.number, error.strerror)
                self.reject(connection, f"the room is full: the server has too little left ({error.strerror})")

    def accept(self) -> Iterator[Connection]:
        """Yield the connections that are admitted now, a few at a time. A rejected one is told the reason."""
        now = monotonic()
        for source in self.sources:
            self._accept_from(source, now)
        self._drain_rejected(now)
        self._promote_returning(now)
        yield from self._admit_operators(now)
        for waiting in self._queue.take(now, ADMITTED_AT_ONCE):
            if self._is_gone(waiting):
                waiting.sock.close()
            elif (connection := self._admit(waiting, now)) is not None:
                yield connection
        if self._queue.admissible(now):
            self._wakeup.set()

    def wake_if_waiting(self) -> None:
        """Have `admit` called again while connections wait. The caller does this several times a second."""
        if (self._queue or self._at_full_room or self._rejected) and (now := monotonic()) >= self._next_wake:
            self._next_wake = now + ADMIT_INTERVAL_S
            self._wakeup.set()

    def reject_waiting(self, reason: str) -> None:
        """Reject all waiting connections, with the reason."""
        for waiting in [*self._queue, *self._at_full_room]:
            self._queue.discard(waiting.group, waiting)
            self.reject(waiting.sock, reason)
        self._at_full_room.clear()

    def reject(self, peer: socket.socket | Connection, reason: str, *, lingers: bool = True) -> None:
        """Tell a newcomer why it is rejected, and close it. It has no dialect yet, so the text is plain."""
        self.on_rejected()
        with contextlib.suppress(OSError):
            sock = peer if isinstance(peer, socket.socket) else peer.socket
            sock.setblocking(False)
            sock.send(PLAIN.encode(Goodbye("full", reason)))
            if lingers:
                sock.shutdown(socket.SHUT_WR)
                self._wakeup.watch(sock)
                self._rejected.append((peer, sock, monotonic() + REJECT_LINGER_S))
                if len(self._rejected) > MAX_REJECTED:
                    self._close_rejected(*self._rejected[0][:2])
                return
        peer.close()

    def _close_rejected(self, peer: socket.socket | Connection, sock: socket.SocketType) -> None:
        self._rejected = [entry for entry in self._rejected if entry[0] is not peer]
        self._wakeup.unwatch(sock)
        peer.close()

    def _drain_rejected(self, now: float) -> None:
        """Drop the input of rejected connections, and close those that have ended. To close one at once, with bytes
        unread, would reset it and lose the reason (RFC 9112, 9.6)."""
        for peer, sock, deadline in list(self._rejected):
            try:
                has_ended = not sock.recv(PEEKED_BYTES)
            except (BlockingIOError, InterruptedError):
                has_ended = False
            except OSError:
                has_ended = True
            if has_ended or now >= deadline:
                self._close_rejected(peer, sock)

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
                self.on_flood("connection turned away", excess.group)
                left = max(1, round(self._queue.wait(excess.group, now)))
                words = f"many connections come from your address: try again in {plural(left, 'second')}"
                self.reject(excess.sock, words)

    def _admit(self, waiting: Waiting, now: float) -> Connection | None:
        full = self._full_for(waiting.group)
        if full and self._members is not None:
            full = self._free_place(waiting, peek_first_line(waiting.sock), now)
        if not full:
            return self._open(waiting, now)
        if self._members is None:
            self.reject(waiting.sock, full)
            return None
        self._at_full_room.append(waiting)
        self._wakeup.watch(waiting.sock)
        same = [other for other in self._at_full_room if other.group == waiting.group]
        for one in same[: max(0, len(same) - MAX_UNDECIDED_EACH)] or self._at_full_room[:-MAX_UNDECIDED]:
            self._forget(one)
            self.reject(one.sock, full)
        return None

    def _forget(self, waiting: Waiting) -> None:
        """Remove a connection from those that wait at the full room."""
        self._at_full_room.remove(waiting)
        self._wakeup.unwatch(waiting.sock)

    def _full_for(self, group: str) -> str:
        """Why no connection from this group can come in now; an empty string where it can."""
        if self.max_clients and len(self._places) >= self.max_clients:
            return f"the room is full: it takes {plural(self.max_clients, 'connection')}"
        if self._is_group_full(group):
            are = "is" if self.max_per_ip == 1 else "are"
            return f"there {are} {plural(self.max_per_ip, 'connection')} from your address already"
        return ""

    def _is_group_full(self, group: str) -> bool:
        return 0 < self.max_per_ip <= self._places.count(group)

    def _free_place(self, waiting: Waiting, line: FirstLine, now: float) -> str:
        """Free a place for a newcomer. Returns why it cannot come in; an empty string where it can."""
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
        session = Session.open(number, self.limits, monotonic())
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
            if self._members.is_established(peek_first_line(waiting.sock).token):
                self._queue.promote(waiting.group, waiting)

    def _admit_operators(self, now: float) -> Iterator[Connection]:
        """Admit operators among the connections that wait at a full room, and reject the others."""
        for waiting in list(self._at_full_room):
            line = peek_first_line(waiting.sock)
            is_operator = self._members is not None and self._members.is_operator(line.token)
            reserved = line.holds_key and not is_operator and self._has_reserve(waiting.group)
            full = "" if is_operator or reserved else self._free_place(waiting, line, now)
            if full and not line.decided and now < waiting.since + HELLO_TIMEOUT_S:
                if line.begun:
                    self._wakeup.unwatch(waiting.sock)  # It stays readable. `tend` finds the rest of the line.
                continue
            self._forget(waiting)
            if full:
                self.reject(waiting.sock, full)
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
        log.warning("no file descriptor is left for a new connection; it was turned away")
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with contextlib.suppress(OSError):  # Another thread may take the free descriptor first.
            sock, _ = source.accept()
            self.reject(sock, "the room is full: the server has no file descriptor left", lingers=False)
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)


def raise_file_limit() -> None:
    """Raise the limit on open files to the hard limit. A connection takes one, and up to three in the process model."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS says "unlimited" and means less.
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
