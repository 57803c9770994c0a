"""RoomState: the data of the room, its output in one order, and the persons and connections that commands name.

`Room` dispatches the requests; `admission`, `requests` and `operator_commands` carry them out on a RoomState. Pure: no
socket, lock or clock. Times are seconds of the monotonic clock; times shown to users are made by `timestamp`.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from math import inf

from msgspec import Struct

from protocol.address_group import address_group
from protocol.dialects import PLAIN, Dialect
from protocol.format import plural
from protocol.messages import Event, Goodbye, Hello, Limits, Model, Notice, Refused, Sequenced, Status
from protocol.sanitize import sanitize
from server.address_limits import AddressLimits
from server.log_limit import FloodLog
from server.room.history import History
from server.room.moderation import LineLimits, Moderation
from server.room.operators import Operators
from server.room.outbox import Audience, Broadcast, Outbox
from server.room.roster import Member, PendingPresence, Roster
from server.room.stats import RoomStats
from server.session_types import DeliveryFlags

MEASURE_INTERVAL_S = 0.25
"""Seconds for which a measurement of the resource usage is reused while no connection opens or closes."""

REPLAY_KIB_AT_ONCE, REPLAY_KIB_RATE = 32 * 1024, 2 * 1024.0
"""KiB of history that all welcomes to one address group may contain: at once, then in each second."""
MAX_SHOWN_CHARS = 40
"""Characters of an unknown name that an answer repeats."""


class ResourceUsage(Struct, frozen=True):
    """Resources of the running model. Memory is in bytes, of the whole process tree; shared pages count once."""

    processes: int = 0
    threads: int = 0
    memory: int = 0
    memory_each: int = 0
    cpu: float = 0.0
    """Processor cores in use, on average since the last measurement."""


class Seat(Struct):
    """The room's data of one connection."""

    served_by: str
    worker: int
    """The pid of the process that serves only this connection, or 0."""
    nonce: str
    limits: Limits
    """The limits at the time when it connected. They stay the same for this connection."""
    host: str = ""
    """The peer's address."""
    since: float = 0.0
    dialect: Dialect = PLAIN
    member: Member | None = None
    watches_meter: bool = False
    """It gets the meter every second."""
    kill_requested_by: int = 0
    """The connection of the operator that asked to kill its worker; 0 as soon as the worker has ended or no longer
    serves this connection."""
    challenged_hello: Hello | None = None
    """The hello of a connection that is refused unless it proves the operators' key."""
    has_proved_key: bool = False
    """It has proved the operators' key before it joined."""
    is_closing: bool = False
    """It was sent a goodbye. It gets no more output, and its requests are ignored."""

    @property
    def address_group(self) -> str:
        """The group of addresses that is limited and banned together."""
        return address_group(self.host)


class RoomState:
    """The data of a room and the methods that change it. `Room` adds the requests."""

    now = 0.0
    """The time of the last request or flush, for `close`, which has no time of its own."""
    status_changed = True
    """The model or the number of connections or members has changed since the last status."""
    rules_unsaved = members_unsaved = False
    """Operators have changed rules, or members have joined or left, since the state was saved."""
    is_restored = False
    """The room has restored the state of an earlier one, and the members have not been told yet."""
    switch_under_way = False
    """Another model was requested, and has neither taken over nor failed yet."""
    next_model: Model | None = None
    """The requested model, as soon as the previous one has stopped."""
    pause = 0.0
    """The longest time without a delivery in this switch so far."""
    silent_since = 0.0
    """When the last output was delivered, or the switch began."""
    _usage, _measured_at = ResourceUsage(), -inf

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
        """`make_token` returns an unguessable token, `measure` the resource usage with these workers (see `Seat`),
        `wall_clock_offset` the seconds between the room's clock and the wall clock. `audit_log` logs the actions of
        operators, `log_join` each join with its address."""
        self.limits = limits
        self.line_limits = LineLimits(limits)
        self.replay_limits = AddressLimits(REPLAY_KIB_AT_ONCE, REPLAY_KIB_RATE)
        """In KiB of history. A peer that does not read its welcome costs the server up to four times as much memory."""
        self.model = model
        self.motd = motd
        self.roster = Roster()
        self.history = History(keep, history)
        self.presence = PendingPresence()
        self.moderation = Moderation()
        self.operators = operators
        self.stats = RoomStats()
        self.seats: dict[int, Seat] = {}
        self.dialects: dict[int, Dialect] = {}
        """The dialects of connections that are about to open, if they are known before the hello."""
        self.reserved: set[int] = set()
        """Connections above the limit on connections. Only operators can join on them."""
        self.audience = Audience()
        self.outbox = Outbox()
        """The output of the next flush."""
        self.make_token = make_token
        self.measure = measure
        self.audit_log = audit_log
        self.log_join = log_join
        self._wall_clock_offset = wall_clock_offset
        self.floods = FloodLog(lambda line: self.audit_log(line))
        self.save_state: Callable[[float], None] = lambda now: None
        """Called with the time at each flush; saves the state if it is due."""

    # Called by the listener from another thread: each is a single look-up

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
        """Whether this connection has no member, and is not about to join as an operator."""
        seat = self.seats.get(number)
        if seat is None or seat.is_closing or seat.has_proved_key or number in self.reserved:
            return False
        return seat.member is None

    # Leaving

    def leave(self, number: int, seat: Seat) -> None:
        """Remove the member of this connection, if it has one, from the room."""
        if (member := seat.member) is None:
            return
        member.host = seat.host
        self.detach_member(number, seat)
        self.roster.leave(member, self.now)
        self.presence.record_change(member.token, None)

    def detach_member(self, number: int, seat: Seat) -> None:
        """Separate the connection from its member. It gets the broadcasts so far, and no later ones."""
        self.operators.forget(number)
        self.outbox.departed[number] = self.audience.pop(number)
        seat.member = None
        seat.watches_meter = False

    def disconnect(self, number: int, goodbye: Goodbye) -> None:
        """End a connection, with a reason."""
        if self.seats[number].is_closing:
            return
        self.stats.count_code(goodbye.code)
        self.send(number, goodbye, DeliveryFlags.CLOSE)
        self.leave(number, self.seats[number])

    # Output

    def send(self, number: int, event: Event, flags: int = DeliveryFlags.NONE) -> None:
        """Send one connection an event, in order with the broadcasts."""
        seat = self.seats[number]
        seat.is_closing |= bool(flags & DeliveryFlags.CLOSE)
        if isinstance(event, Refused):
            self.stats.count_code(event.code, by_operator=bool(seat.member and seat.member.operator))
        self.outbox.add(number, seat.dialect.encode(event), flags)

    def broadcast(self, event: Sequenced, author: int = 0) -> None:
        """Send all members an event, which has the next `seq`. See `Broadcast` for its author."""
        self.history.add(event)
        self.outbox.broadcasts.append(Broadcast(event, author))

    def broadcast_presence(self, now: float) -> None:
        """Send all members the changes of the roster, if there are any."""
        if (presence := self.presence.flush(self.history.seq + 1, self.timestamp(now))) is not None:
            self.stats.count_people(len(self.roster))
            self.members_unsaved = True
            self.broadcast(presence)
            self.status_changed = True

    def timestamp(self, now: float) -> float:
        """The wall-clock time at `now`, in seconds since the epoch. For display only, as it can be set back."""
        return now + self._wall_clock_offset()

    # Model and resources

    def begin_switch(self, now: float) -> None:
        """Another model was requested. From now on the room measures the longest time without a delivery."""
        self.switch_under_way, self.pause, self.silent_since = True, 0.0, now

    def connections_changed(self) -> None:
        """Send the status with a new measurement at the next tick."""
        self.status_changed = True
        self._measured_at = -inf

    def usage(self) -> ResourceUsage:
        """The resources of the running model. Measured at most four times a second, and after each change."""
        if not self._measured_at <= self.now < self._measured_at + MEASURE_INTERVAL_S:
            self._measured_at = self.now
            self._usage = self.measure([seat.worker for seat in self.seats.values()])
        return self._usage

    def status(self, seat: Seat, usage: ResourceUsage) -> Status:
        """The status event for one connection."""
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
        """The connections that get the meter."""
        return [number for number, seat in self.seats.items() if seat.watches_meter]


def find_connection(room: RoomState, nick: str) -> int | Refused:
    """The connection with this nickname, or with this number (`#12`), if it is not closing."""
    if nick.startswith("#"):
        number = int(nick[1:]) if nick[1:].isdecimal() and len(nick) < 20 else 0
        seat = room.seats.get(number)
        if seat is not None and not seat.is_closing:
            return number
        return Refused("unknown-person", f"there is no connection {sanitize(nick[1:MAX_SHOWN_CHARS])}".rstrip())
    member = room.roster.find_holder(nick) if nick else None
    if member is None:
        return Refused("unknown-person", f"nobody here is called {sanitize(nick[:MAX_SHOWN_CHARS])}")
    return member.connection_id


class Target(Struct):
    """The person that a command applies to."""

    name: str
    group: str
    """The address group."""
    member: Member | None
    """None for a connection without a nickname."""
    connection_id: int = 0
    """The number of the connection; 0 for a member that has left."""


def find_target(room: RoomState, nick: str, now: float) -> Target | Refused:
    """The person with this nickname or connection number, present or gone for at most ten minutes."""
    number = find_connection(room, nick)
    if not isinstance(number, Refused):
        seat = room.seats[number]
        return Target(display_name(room, number), seat.address_group, seat.member, number)
    former = room.roster.find_former(nick, now) if nick else None
    return Target(former.nick, address_group(former.host), former) if former else number


def refuse_against_key_holder(target: Target, operator: Member) -> Refused | None:
    """The refusal of a command by an appointed operator against a holder of the key, or None."""
    if target.member is None or not target.member.holds_key or operator.holds_key:
        return None
    return Refused("operator", f"{target.name} holds the room's key, and you were made an operator: you cannot do that")


def display_name(room: RoomState, number: int) -> str:
    """The nickname of a connection, or a description if it has none."""
    seat = room.seats.get(number)
    return seat.member.nick if seat and seat.member else f"connection {number}"


def announce_restored(room: RoomState, member: Member | None, now: float) -> None:
    """Announce the restored rules, if `member` is a holder of the key and they have not been announced yet."""
    if not room.is_restored or member is None or not member.holds_key:
        return
    room.is_restored = False
    members = chain(room.roster.present(), room.roster.former_members())
    operators = sum(one.operator and not one.holds_key for one in members)
    appointed = [plural(operators, "appointed operator")] if operators else []
    if held := [*room.moderation.describe(now), *appointed]:
        announce(room, f"the server was started again, and these rules still hold: {', '.join(held)}", now)


def announce(room: RoomState, text: str, now: float) -> None:
    """Send a notice to all members, and log it."""
    room.audit_log(text)
    room.broadcast(Notice(text, room.history.seq + 1, room.timestamp(now)))
