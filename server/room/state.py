"""RoomState: what the room knows, and how it tells people: one of them, or everybody in one order.

`admission`, `requests` and `desk` carry out on it what is asked, and `Room` says which of them is asked. Pure: no
socket, lock or clock. Times are seconds of the monotonic clock; only what is shown has a `timestamp`.
"""

from collections.abc import Callable, Sequence
from math import inf

from msgspec import Struct

from protocol.dialects import PLAIN, Dialect
from protocol.messages import Event, Goodbye, Hello, Limits, Model, Refused, Sequenced, Status
from server.address_groups import address_group
from server.address_limits import AddressLimits
from server.flood_log import FloodLog
from server.room.history import History
from server.room.line_limits import LineLimits
from server.room.member import Member
from server.room.moderation import Moderation
from server.room.operators import Operators
from server.room.outbox import Audience, Broadcast, Outbox
from server.room.presence import PendingPresence
from server.room.roster import Roster
from server.room.stats import RoomStats
from server.session import DeliveryFlags

MEASURE_INTERVAL_S = 0.25
"""Seconds for which one measurement of the cost does, while nobody comes or goes."""

REPLAY_KIB_AT_ONCE, REPLAY_KIB_RATE = 32 * 1024, 2 * 1024.0
"""What welcomes may bring to one address group: at once, then a second."""


class ResourceUsage(Struct, frozen=True):
    """What the running model takes: memory in bytes of the whole tree, shared pages counted once."""

    processes: int = 0
    threads: int = 0
    memory: int = 0
    memory_each: int = 0
    cpu: float = 0.0
    """Processor cores in use since this was last measured."""


class Seat(Struct):
    """A connection, as the room knows it."""

    served_by: str
    worker: int
    """The pid of the process that serves it alone, or 0."""
    nonce: str
    limits: Limits
    """What it is held to: as they were when it came."""
    host: str = ""
    """The peer's address."""
    since: float = 0.0
    dialect: Dialect = PLAIN
    member: Member | None = None
    watches: bool = False
    """It is told the meter every second."""
    kill_requested_by: int = 0
    """The connection of the operator that asks to kill its worker, until the worker has ended or something else serves
    this connection."""
    challenged: Hello | None = None
    """It would not be let in, and is to prove the operators' key. This is what it asked."""
    proven: bool = False
    """It has proved the operators' key, before it was in the room."""
    is_closing: bool = False
    """It was told goodbye. It is told nothing more, and not heard any more."""

    @property
    def address_group(self) -> str:
        """What the peer's address is counted and banned by."""
        return address_group(self.host)


class RoomState:
    """A room without what is asked of it: that is `Room`'s."""

    def __init__(
        self,
        limits: Limits,
        *,
        model: Model = Model.EVENT,
        keep: int = 10_000,
        history: int = 50,
        motd: str = "",
        operators: Operators,
        make_token: Callable[[], str],
        measure: Callable[[Sequence[int]], ResourceUsage],
        audit_log: Callable[[str], None] = lambda text: None,
        log_join: Callable[[str], None] = lambda text: None,
        wall_clock_offset: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`make_token` gives an unguessable token, `measure` what it costs to serve connections by these
        workers (see `Seat`); `audit_log` is told what the operators do, `log_join` who has come in, and from where;
        `wall_clock_offset` gives the seconds between the room's clock and the wall clock now."""
        self.limits = limits
        self.line_limits = LineLimits(limits)
        self.replay_limits = AddressLimits(REPLAY_KIB_AT_ONCE, REPLAY_KIB_RATE)
        """In KiB of what welcomes bring. A peer that does not read costs the server up to four times that."""
        self.model = model
        self.motd = motd
        self.roster = Roster()
        self.history = History(keep, history)
        self.presence = PendingPresence()
        self.moderation = Moderation()
        self.operators = operators
        self.stats = RoomStats()
        self.seats: dict[int, Seat] = {}
        self.reserved: set[int] = set()
        """Connections above the limit on connections. Only operators get in on them."""
        self.audience = Audience()
        self.outbox = Outbox()
        """What is to be told next."""
        self.make_token = make_token
        self.measure = measure
        self.audit_log = audit_log
        self.log_join = log_join
        self._wall_clock_offset = wall_clock_offset
        self.floods = FloodLog(lambda line: self.audit_log(line))
        self.now = 0.0
        """When something was last asked or taken: a connection that ends does not say when."""
        self.status_changed = True
        """The model, or how many are here, has changed since the last status."""
        self.orders_unsaved = self.members_unsaved = False
        """Operators have changed something, or members have come or gone, since the state was saved."""
        self.save_state: Callable[[float], None] = lambda now: None
        """Called with the time, often; saves the state if that is due."""
        self.is_restored = False
        """It goes on with the state of an earlier room, and nobody was told yet."""
        self._usage, self._measured_at = ResourceUsage(), -inf
        self.switch_under_way = False
        """Another model was asked for, and neither serves yet nor has failed."""
        self.next_model: Model | None = None
        """That model, once the one before has stopped."""
        self.pause = 0.0
        """The longest time without a delivery in this switch so far."""
        self.silent_since = 0.0
        """When something was last delivered, or the switch began."""

    # Asked by the listener, from another thread than the room's: one look-up each

    def is_operator(self, token: str) -> bool:
        """Whether the member with this token is an operator."""
        member = self.roster.find(token)
        return member is not None and member.operator

    def is_established(self, token: str) -> bool:
        """Whether the member with this token has been in the room for a while."""
        member = self.roster.find(token)
        return member is not None and member.is_established(self.now)

    def is_member(self, number: int) -> bool:
        """Whether this connection has a member."""
        seat = self.seats.get(number)
        return seat is not None and seat.member is not None

    def is_nameless(self, number: int) -> bool:
        """Whether this connection has no member, and does not need to keep its place until an operator has come in."""
        seat = self.seats.get(number)
        if seat is None or seat.is_closing or seat.proven or number in self.reserved:
            return False
        return seat.member is None

    # Going

    def leave(self, number: int, seat: Seat) -> None:
        """The member on this seat, if there is one, is in the room no more."""
        if (member := seat.member) is None:
            return
        member.host = seat.host
        self.detach_member(number, seat)
        self.roster.leave(member, self.now)
        self.presence.record_change(member.token, None)

    def detach_member(self, number: int, seat: Seat) -> None:
        """The seat has no member any more, and hears what was told so far, and no more."""
        self.operators.forget(number)
        self.outbox.departed[number] = self.audience.pop(number)
        seat.member = None
        seat.watches = False

    def disconnect(self, number: int, goodbye: Goodbye) -> None:
        """End a connection, with a reason."""
        if self.seats[number].is_closing:
            return
        self.stats.count_code(goodbye.code)
        self.send(number, goodbye, DeliveryFlags.CLOSE)
        self.leave(number, self.seats[number])

    # Telling

    def send(self, number: int, event: Event, flags: int = DeliveryFlags.NONE) -> None:
        """Tell one connection something, in order with what everybody is told."""
        seat = self.seats[number]
        seat.is_closing |= bool(flags & DeliveryFlags.CLOSE)
        if isinstance(event, Refused):
            self.stats.count_code(event.code, by_operator=bool(seat.member and seat.member.operator))
        self.outbox.add(number, seat.dialect.encode(event), flags)

    def broadcast(self, event: Sequenced, author: int = 0) -> None:
        """Tell everybody an event with the next `seq`; a plain client is not told what it said itself."""
        self.history.add(event)
        self.outbox.broadcasts.append(Broadcast(event, author))

    def broadcast_presence(self, now: float) -> None:
        """Tell everybody who has come and gone, if anybody has."""
        if (presence := self.presence.flush(self.history.seq + 1, self.timestamp(now))) is not None:
            self.stats.count_people(len(self.roster))
            self.members_unsaved = True
            self.broadcast(presence)
            self.status_changed = True

    def timestamp(self, now: float) -> float:
        """What the wall clock shows at `now`, in seconds since the epoch. For display only: it can be set back."""
        return now + self._wall_clock_offset()

    # What runs it

    def begin_switch(self, now: float) -> None:
        """Another model is asked for. From now on it is noted how long nothing is delivered."""
        self.switch_under_way, self.pause, self.silent_since = True, 0.0, now

    def connections_changed(self) -> None:
        """Everybody is told the status soon, measured anew."""
        self.status_changed = True
        self._measured_at = -inf

    def usage(self) -> ResourceUsage:
        """What the running model takes: measured four times a second at most, however many ask, and after a change."""
        if not self._measured_at <= self.now < self._measured_at + MEASURE_INTERVAL_S:
            self._measured_at = self.now
            self._usage = self.measure([seat.worker for seat in self.seats.values()])
        return self._usage

    def status(self, seat: Seat, usage: ResourceUsage) -> Status:
        """What the room runs on, for one connection."""
        return Status(
            model=self.model,
            connections=len(self.seats),
            served_by=seat.served_by,
            people=len(self.roster),
            processes=usage.processes,
            threads=usage.threads,
            memory=usage.memory,
            memory_each=usage.memory_each,
        )

    @property
    def watchers(self) -> list[int]:
        """The connections that are told the meter."""
        return [number for number, seat in self.seats.items() if seat.watches]
