"""MemberSocket: a member's socket, never waited for. It connects, reads, writes, and says when to try again."""

import errno
import hmac
import os
import socket
from collections.abc import Callable
from enum import Enum
from random import Random
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from time import monotonic

from protocol.messages import Challenge, Goodbye, OperatorGranted, Refused, Welcome
from tui.crowd.member import Member, MemberEvents, NotARoom
from tui.crowd.words import sanitized
from tui.link.connecting import SocketAddress

READ_SIZE = 64 * 1024
FIRST_DELAY_S, MAX_DELAY_S = 0.25, 10.0
"""Seconds: each attempt to come back waits a random time, up to twice as long as the one before."""
STABLE_AFTER_S = 5.0
"""Seconds in the room after which a member that is sent away waits as briefly as at first."""
MAX_SUGGESTIONS = 3
"""Nicknames that a member takes from the room on one connection."""


class Phase(Enum):
    """Where a member is."""

    AWAY = "away"
    CONNECTING = "connecting"
    ASKING = "asking"
    """Connected, and not welcomed yet."""
    HERE = "here"


class MemberSocket:
    """One member and its connection."""

    def __init__(self, member: Member, selector: BaseSelector, key: bytes = b"") -> None:
        """`key` is the operators', for the member that is to be one."""
        self.member = member
        self.member.client.holds_key = bool(key)
        self._key = key
        self.phase = Phase.AWAY
        self.attempts = 0
        """Attempts since it was last in the room for STABLE_AFTER_S seconds."""
        self.ending = ""
        """Why the last connection ended, in a few words."""
        self.has_joined = False
        self.operator = False
        self._here_since = 0.0
        self._suggestions, self._was_challenged = 0, False
        self._selector = selector
        self._socket: socket.socket | None = None
        self._out = bytearray()

    def connect(self, family: int, address: SocketAddress) -> None:
        """Begin to connect. How that ends is heard of by `serve`."""
        sock = self._socket = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.phase = Phase.CONNECTING
        self._suggestions, self._was_challenged = 0, False
        self._out.clear()
        self._selector.register(sock, EVENT_WRITE, self)
        code = sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self.end(os.strerror(code))

    def serve(self, ready: int, now: float, record: Callable[[float, float], None]) -> MemberEvents:
        """The socket is ready for something: do it. Returns what the member was told alone, and switches."""
        try:
            if self.phase is Phase.CONNECTING:
                self._connected()
            elif ready & EVENT_WRITE:
                self.flush()
            return self._read(now, record) if ready & EVENT_READ and self._socket else ()
        except OSError as error:
            self.end(error.strerror or type(error).__name__)
            return ()
        except NotARoom as reason:
            self.end(str(reason))
            return ()

    def flush(self) -> None:
        """Write what the member has to say, as far as the room takes it. Raises nothing: a broken socket is read."""
        self._out += self.member.client.data_to_send()
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
        """Give the proof that the key is known, where it is, for the nonce that was told last."""
        if self._key:
            # The hex HMAC-SHA256 (RFC 2104) of the nonce: the key itself never travels.
            self.member.client.operator(hmac.new(self._key, self.member.client.nonce.encode(), "sha256").hexdigest())
            self.flush()

    def say(self, text: str, now: float) -> None:
        """Say a line now."""
        self.member.say(text, now)
        self.flush()

    def end(self, why: str) -> None:
        """The connection is over."""
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
        """Seconds to wait before the next attempt, at random so that a thousand do not come at once."""
        return random.uniform(0, min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(self.attempts, 10)))

    def _connected(self) -> None:
        assert self._socket is not None
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self.phase = Phase.ASKING
        self.member.connected()
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
        news = self.member.receive(data, now, record)
        for event in news:
            match event:
                case Welcome():
                    self.phase, self._here_since, self.has_joined, self.ending = Phase.HERE, now, True, ""
                    self.operator = self.operator and event.resumed
                case OperatorGranted(on=True):
                    self.operator = True
                case Refused() if self.phase is Phase.ASKING and event.suggestion:
                    self._suggestions += 1
                    if self._suggestions > MAX_SUGGESTIONS:
                        raise NotARoom("each nickname was taken, also those that it suggested")
                    self.member.client.retry_hello(event.suggestion)
                case Challenge() if not self._was_challenged:
                    self._was_challenged = True
                    self.prove()
                case Goodbye():
                    self.ending = sanitized(event.reason)
        if news:
            self.flush()
        return news
