"""Session: one connection's protocol, flood allowance and deadlines. Pure: bytes and times in, commands out.

It decodes and checks what the peer sends, says when to read and when to wake it, and keeps what the peer has not taken
yet. It knows nothing of other members. Its own answers (SessionReply) go through the room as well, so that the
peer gets all output in one order. A Session is a struct of plain values: it can be sent from one process to another, in
the middle of a line.
"""

from math import inf

from msgspec import Struct, field

from protocol.dialects import DIALECTS, PLAIN, WEB, Dialect, detect_dialect, other_protocol
from protocol.format import plural
from protocol.framing import LineBuffer, OverlongLine, read_opening
from protocol.json_lines import AnyCommand
from protocol.messages import Event, Goodbye, Hello, Limits, Notice, Ping, Quit, Refused, Rename, Say
from protocol.nicknames import NicknameRefused, check_nickname
from protocol.sanitize import has_control_sequences, sanitize
from protocol.telnet import TelnetDecoder
from protocol.websocket import FrameDecoder, encode_close
from server.session_types import MOVES, DeliveryFlags, Greeting, Request, SessionReply, State
from server.token_bucket import TokenBucket

MAX_OVERLONG_BYTES = 64 * 1024
"""Bytes above the limit up to which a line is refused. A line that goes on ends its connection."""
MAX_UNSENT_BYTES = 1024 * 1024
"""Unsent bytes that a slow reader may have."""
WRITE_TIMEOUT = 10.0
"""Seconds that a reader may take none of its unsent bytes."""
BURST_RESET = 1.0
"""Seconds without a line that end a flood, at least. A full bucket is not enough: the server may have paused."""
REMINDER_INTERVAL_S = 5.0
"""Seconds between two reminders that lines wait. A peer that has closed answers with a reset."""
JOIN_GRACE = 2.0
"""Seconds that the room has, once, to answer a nickname that was given in time."""
GREETING_DELAY_S = 0.5
"""Silence after which a connection is greeted. A program that speaks first is not disturbed."""
OVERHEAD_BYTES_A_LINE = 1024
"""Bytes of telnet commands, editing keys and control frames that cost as much of the flood allowance as a line."""
CLOSE_TIMEOUT = 2.0
"""Seconds that a closing connection has to take its last bytes."""

TOO_SLOW = Goodbye("too-slow", "you read too slowly, and too much piled up")
_HTTP_ANSWER = b"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n%s\n"
"""Written here, as a worker does not load `protocol.http`."""
NO_WEB_ANSWER = _HTTP_ANSWER % (
    b"400 Bad Request",
    b"This is a chat room, not a web site. Join it with nc, telnet or chat-tui.",
)
LATE_REQUEST_ANSWER = _HTTP_ANSWER % (b"408 Request Timeout", b"the request came too late: load the page again")
"""For a connection that a browser opened in advance. Browsers repeat the request on another (RFC 9110, 15.5.9)."""

check_nickname("Zoë")  # Loads the tables for nicknames once, before workers are forked.


class Session(Struct):
    """One connection, from the first byte to the last. Times are seconds of a monotonic clock."""

    number: int
    limits: Limits
    allowance: TokenBucket
    join_by: float
    last_line_at: float
    """When the last whole line came."""
    dialect_name: str = ""
    """Empty until the first line shows the dialect."""
    state: State = State.CONNECTING
    reminder_at: float = inf
    """When a slowed peer is told again that its lines wait; infinity if it was not told since its last pause (see
    BURST_RESET)."""
    eof_received: bool = False
    """The peer will send no more."""
    close_by: float = inf
    """When the connection is closed, also with unsent bytes; infinity before CLOSING."""
    last_progress_at: float = 0.0
    """When the peer last took bytes of `unsent`, or `unsent` began."""
    has_unreported_end: bool = False
    """`queue` has ended the connection, and the room has not been told yet."""
    welcome_bytes: int = 0
    """Bytes of a long welcome, which may be unsent above the limit."""
    injected_fault: float = 0.0
    """An injected fault that has not happened yet: seconds to block, or infinity for an exception."""
    opening: bytes | None = b""
    """The first bytes, until they show what they are; None from then on."""
    serves_web: bool = False
    """The server answers browsers, so a request that comes here was too late to be recognized as one."""
    greet_at: float = inf
    """When a peer that has said nothing is greeted; infinity once it was, or speaks."""
    telnet: TelnetDecoder = field(default_factory=TelnetDecoder)
    frames: FrameDecoder | None = None
    """Removes the frames of a WebSocket; None for other connections."""
    overhead_bytes: int = 0
    """Bytes besides the lines that have not cost a token yet."""
    lines: LineBuffer = field(default_factory=LineBuffer)
    unsent: bytearray = field(default_factory=bytearray)

    @classmethod
    def open(cls, number: int, limits: Limits, now: float) -> "Session":
        """A session for a connection that was just accepted."""
        allowance = TokenBucket.full(limits.burst, limits.rate, now)
        join_by, greet_at = now + limits.join_timeout, now + GREETING_DELAY_S
        return cls(number, limits, allowance, join_by, now, greet_at=greet_at)

    @classmethod
    def open_socket(cls, number: int, limits: Limits, now: float, join_by: float) -> "Session":
        """A session for a WebSocket, from its first frame on."""
        session = cls.open(number, limits, now)
        session.dialect_name, session.opening, session.frames = WEB.name, None, FrameDecoder()
        session.join_by, session.greet_at = join_by, inf
        return session

    # Input

    def receive(self, data: bytes, now: float) -> list[Request]:
        """Take in bytes that were read; returns the requests for the room."""
        if self.is_leaving:
            return self.check_deadlines(now)
        if self._has_paused(now):
            self.reminder_at = inf
        if self.opening is not None:
            self.opening += data
            self.greet_at = now + GREETING_DELAY_S
            items = self._read_opening()
        else:
            items = self._feed_bytes(data, now)
        return items + self.advance(now)

    def end(self, now: float) -> list[Request]:
        """The peer closed its side. Lines that it sent before are still taken, at their pace."""
        self.eof_received = True
        items = self._read_opening(is_complete=True)
        return items + self.advance(now)

    def _read_opening(self, *, is_complete: bool = False) -> list[Request]:
        """Take in the first bytes, if they show what they are. With `is_complete`, no more of them come soon."""
        if self.opening is None or (opening := read_opening(self.opening, is_complete=is_complete)) is None:
            return []
        data, self.opening = self.opening[opening.size :], b""
        if opening.protocol:
            return [self._end_other_protocol(opening.protocol)]
        if not data:
            return []
        self.opening = None
        if not (dialect := detect_dialect(data)).is_typed:
            self.dialect_name, self.greet_at = dialect.name, inf
        return self._feed_bytes(data, self.last_line_at)

    def _feed_bytes(self, data: bytes, now: float) -> list[Request]:
        """Take in bytes, without the frames of a WebSocket, and without what telnet clients send besides text where the
        dialect may be typed."""
        if self.frames is not None:
            received = self.frames.feed(data, self.limits.line + MAX_OVERLONG_BYTES)
            if received.lines:
                self.lines.feed(received.lines)
            self.eof_received |= self.frames.is_closed
            self._charge(received.overhead, now)
            return [SessionReply(received.pong, "")] if received.pong else []
        if not self.dialect.is_typed or self.telnet.is_idle_for(data):
            self.lines.feed(data)
            return []
        if self.lines.dropped_bytes:
            limit, unfinished = -1, b""  # It is refused anyway, and no longer kept.
        else:
            limit, unfinished = self.limits.line + 1, self.lines.take_unfinished()
        decoded = self.telnet.decode(data, unfinished, limit)
        self.lines.feed(decoded.line)
        self._charge(decoded.removed, now)
        return [SessionReply(decoded.answer, "")] if decoded.answer else []

    def _charge(self, overhead: int, now: float) -> None:
        """Take tokens for bytes besides the lines."""
        tokens, self.overhead_bytes = divmod(self.overhead_bytes + overhead, OVERHEAD_BYTES_A_LINE)
        if tokens:
            self.allowance.consume(now, tokens)

    def _greet(self) -> list[Request]:
        """Greet a peer that has said nothing."""
        items = self._read_opening(is_complete=True)
        self.greet_at = inf
        is_silent = not self.dialect_name and not (self.lines.data or self.lines.dropped_bytes or self.is_leaving)
        return [*items, Greeting()] if is_silent else items

    def advance(self, now: float) -> list[Request]:
        """The requests in whole lines, as far as the allowance goes. The caller calls it again at `next_deadline`."""
        items: list[Request] = self._greet() if now >= self.greet_at and not self.eof_received else []
        while not self.is_leaving:
            if not self.allowance.has_token(now):
                items += self._slow_down(now)
                break
            if not self.dialect_name and (name := other_protocol(self.lines.peek(self.limits.line))):
                items.append(self._end_other_protocol(name))
                break
            line = self.lines.next_line(self.limits.line)
            if line is None:
                items += self._handle_no_line()
                break
            self.allowance.consume(now)
            self.last_line_at = now
            items += self._decode_line(line)
        return items + self.check_deadlines(now)

    def _handle_no_line(self) -> list[Request]:
        if self.lines.dropped_bytes > self.limits.line + MAX_OVERLONG_BYTES:
            return [self._end_overlong()]
        if self.frames is not None and self.frames.close_code:
            self._move(State.LEAVING)
            data = encode_close(self.frames.close_code, self.frames.close_reason)
            return [SessionReply(data, "other-protocol", DeliveryFlags.CLOSE)]
        if self.eof_received:
            self._move(State.LEAVING)
            return [Quit()]
        return []

    def _has_paused(self, now: float) -> bool:
        """Whether the peer said nothing for a while. As long as lines wait here, it is the server that has paused."""
        return not self.lines.has_line and self.allowance.is_full(now) and now >= self.last_line_at + BURST_RESET

    def _slow_down(self, now: float) -> list[Request]:
        """Tell a peer that its lines wait, once and then at intervals."""
        was_told = self.reminder_at < inf
        if not self.lines.has_line or (was_told and now < self.reminder_at):
            return []
        self.reminder_at = now + REMINDER_INTERVAL_S
        pace = f"{plural(self.limits.rate, 'line')} a second"
        if was_told:
            return [self._reply(Notice(f"your lines still wait: they are taken at {pace}"), "reminded")]
        return [self._reply(Notice(f"you are fast: from here on your lines are taken at {pace}, none is lost"), "slow")]

    def _decode_line(self, line: bytes | OverlongLine) -> list[Request]:
        if isinstance(line, OverlongLine):
            if line.size > self.limits.line + MAX_OVERLONG_BYTES:
                return [self._end_overlong()]
            words = f"a line has at most {self.limits.line} bytes; yours had {line.size}, and nothing of it was said"
            return [self._reply(Refused("line-too-long", words))]
        if not self.dialect_name:
            self.dialect_name, self.greet_at = self.dialect.name, inf
        decode = self.dialect.decode_command if self.state > State.CONNECTING else self.dialect.decode_hello
        command = decode(line)
        if command is None:
            return []
        if isinstance(command, Refused):
            return [self._reply(command)]
        return self._check_command(command)

    def _check_command(self, command: AnyCommand) -> list[Request]:
        """The command with its text made harmless, or the refusal of it."""
        match command:
            case Hello() | Rename():
                try:
                    command.nick = check_nickname(command.nick, self.limits.nick)
                except NicknameRefused as error:
                    again = "; try another" if isinstance(command, Hello) else ""
                    return [self._reply(Refused("bad-nickname", f"{error}{again}"))]
                if isinstance(command, Hello):
                    command.dialect = self.dialect_name
                    if self.state is State.CONNECTING:
                        # The line may have waited here while the server was busy or stopped.
                        self._move(State.NAMED)
                        self.join_by = max(self.join_by, self.last_line_at + JOIN_GRACE)
            case Say() | Ping() if not (command.id.isascii() and command.id.isprintable()):
                # All members are told the id of a line. It is not sanitized: the sender waits for the very same id.
                return [self._reply(Refused("bad-id", "an id has up to 64 printable ASCII characters"))]
            case Say():
                said = command.text.replace("\r\n", "\n").strip("\n").replace("\t", "    ")
                command.text = sanitize(said, lines=True)
                if (refused := self._check_size(command)) is not None:
                    return [self._reply(refused)]
                if command.text != said and has_control_sequences(said):
                    return [SessionReply(b"", "escaped"), command]
            case Quit():
                self._move(State.LEAVING)
        return [command]

    def _check_size(self, say: Say) -> Refused | None:
        if not say.text.strip():
            return Refused("empty", "there was nothing in that line", say.id)
        if len(say.text) > self.limits.text:
            words = f"a line has at most {self.limits.text} characters; yours had {len(say.text)}, and was not said"
            return Refused("text-too-long", words, say.id)
        if (count := say.text.count("\n") + 1) > self.limits.lines:
            return Refused("too-many-lines", f"{count} lines at once; {self.limits.lines} are allowed", say.id)
        return None

    # Output

    def queue(self, data: bytes | memoryview, flags: int, now: float) -> None:
        """Queue bytes that the peer did not take at once, and apply the flags of the delivery."""
        if flags & DeliveryFlags.JOINED:
            self._move(State.JOINED)
            self.welcome_bytes = len(data)
        if self.is_closing:
            return
        if flags & DeliveryFlags.CLOSE and self._stalled(now):
            self._drop_backlog()
        if data:
            if not self.unsent:
                self.last_progress_at = now
            self.unsent += data
        if flags & DeliveryFlags.CLOSE:
            self._start_closing(now)
        elif len(self.unsent) > MAX_UNSENT_BYTES + self.welcome_bytes:
            self._drop_backlog()
            self.unsent += self.dialect.encode(TOO_SLOW)
            self._start_closing(now)
            self.has_unreported_end = True

    def _start_closing(self, now: float) -> None:
        self._move(State.CLOSING)
        self.close_by = now + CLOSE_TIMEOUT

    def _move(self, state: State) -> None:
        """Go on to this state, if it can follow the present one."""
        if (self.state, state) in MOVES:
            self.state = state

    def close(self) -> None:
        """The connection was reset, or is closed: nothing more is read from it or written to it."""
        self._move(State.CLOSED)

    def set_fault(self, flags: int) -> None:
        """Keep the injected fault of a delivery, if it has one, for `apply_fault`."""
        if flags & DeliveryFlags.FAULTS:
            self.injected_fault = max(
                self.injected_fault, inf if flags & DeliveryFlags.FAIL else (flags >> DeliveryFlags.SHIFT) / 1000
            )

    def cancel_block(self) -> None:
        """Cancel an injected block: in the next model it would delay other members than announced."""
        if self.injected_fault < inf:
            self.injected_fault = 0.0

    def sent(self, count: int, now: float) -> None:
        """The peer has taken `count` bytes of `unsent`."""
        if count:
            del self.unsent[:count]
            self.last_progress_at = now

    def _stalled(self, now: float) -> bool:
        return bool(self.unsent) and now >= self.last_progress_at + WRITE_TIMEOUT

    def _drop_backlog(self) -> None:
        """Drop the unsent bytes, except for an event that may be half sent."""
        if end := self.dialect.first_end(self.unsent):
            del self.unsent[end:]

    def check_deadlines(self, now: float) -> list[Request]:
        """The goodbye of a connection whose deadline has passed; empty if `queue` has written it already."""
        if self.has_unreported_end:
            self.has_unreported_end = False
            return [SessionReply(b"", TOO_SLOW.code, DeliveryFlags.CLOSE)]
        if self.is_leaving:
            return []
        if self._stalled(now):
            return [self._goodbye(TOO_SLOW.code, TOO_SLOW.reason)]
        if self.state is not State.JOINED and now >= self.join_by:
            words = f"no nickname came within {plural(self.limits.join_timeout, 'second')}"
            return [self._goodbye("join-timeout", words)]
        idle = self.limits.idle_timeout
        if idle and self.state is State.JOINED and now >= self.last_line_at + idle:
            return [self._goodbye("idle", f"nothing was heard of you for {plural(idle, 'second')}")]
        return []

    # State, for the model

    @property
    def dialect(self) -> Dialect:
        """The dialect that this connection is written to in: plain, until its first line shows another one."""
        return DIALECTS.get(self.dialect_name, PLAIN)

    @property
    def is_leaving(self) -> bool:
        """Whether nothing more is taken from the peer."""
        return self.state >= State.LEAVING

    @property
    def is_closing(self) -> bool:
        """Whether the last bytes are queued, and nothing is added to them."""
        return self.state >= State.CLOSING

    def is_over(self, now: float) -> bool:
        """Whether the connection can be closed."""
        if self.state is State.CLOSED or now >= self.close_by:
            return True
        return self.is_closing and self.eof_received and not self.unsent

    def wants_read(self, now: float) -> bool:
        """Whether to read: not while the rate limit holds. A leaving connection is read, and its input dropped."""
        return not self.eof_received and (self.is_leaving or self.allowance.has_token(now))

    def next_deadline(self, now: float) -> float:
        """When to call `advance` without input; infinity for never."""
        if self.is_over(now) or self.injected_fault or self.has_unreported_end:
            return now
        if self.is_leaving:
            return self.close_by
        deadline = inf if self.state is State.JOINED else self.join_by
        if self.unsent:
            deadline = min(deadline, self.last_progress_at + WRITE_TIMEOUT)
        if self.state is State.JOINED and self.limits.idle_timeout:
            deadline = min(deadline, self.last_line_at + self.limits.idle_timeout)
        if not self.eof_received:
            deadline = min(deadline, self.greet_at)
        if self.lines.has_line or not self.allowance.has_token(now):
            deadline = min(deadline, self.allowance.next_token_at())
        return deadline

    def _reply(self, event: Event, code: str = "") -> SessionReply:
        code = event.code if isinstance(event, Refused) else code
        return SessionReply(self.dialect.encode(event), code)

    def _goodbye(self, code: str, reason: str) -> SessionReply:
        self._move(State.LEAVING)
        return SessionReply(self.dialect.encode(Goodbye(code, reason)), code, DeliveryFlags.CLOSE)

    def _end_overlong(self) -> SessionReply:
        return self._goodbye("line-too-long", f"a line ends within {self.limits.line} bytes, and yours did not")

    def _end_other_protocol(self, name: str) -> SessionReply:
        self._move(State.LEAVING)
        if name == "HTTP":
            answer = LATE_REQUEST_ANSWER if self.serves_web else NO_WEB_ANSWER
            return SessionReply(answer, "other-protocol", DeliveryFlags.CLOSE)
        return self._goodbye("other-protocol", f"this is a chat room without encryption, and you speak {name}")
