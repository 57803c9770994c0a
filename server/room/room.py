"""Room: who is here, in which order things were said, and what is to be told to whom. Pure: no socket, lock or clock.

Every model owns the one Room and does two things with it: `handle` what a connection asks, and `take` the Turn of what
is to be delivered. All that is told to everybody gets the next `seq` here and nowhere else, so there is one order,
whichever model runs. What is asked is carried out in `admission` (coming in), `requests` (talking) and `desk` (what
operators do). Times are seconds since the epoch.
"""

from collections.abc import Callable, Sequence
from math import inf

from msgspec import Struct

from protocol.dialects import encode
from protocol.messages import (
    Dialect,
    Event,
    Goodbye,
    Hello,
    Limits,
    Metered,
    Model,
    Notice,
    Order,
    Quit,
    Refused,
    Sequenced,
    Status,
    Switched,
)
from server.room import admission, chaos, desk, requests
from server.room.figures import Figures
from server.room.member import Member
from server.room.moderation import Moderation
from server.room.operators import Operators
from server.room.presence import Gathered
from server.room.record import Record
from server.room.roster import Roster
from server.room.turn import Entry, Turn
from server.session import Item, Mark, Reply

TICK = 0.25
"""Seconds between two presence or status events. Presence is told sooner where a line or a name would be taken for
somebody else's."""
METER_EVERY = 1.0
"""Seconds between two readings for those who watch the meter."""


class Cost(Struct, frozen=True):
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
    host: str = ""
    """The peer's address."""
    since: float = 0.0
    dialect: Dialect = Dialect.PLAIN
    member: Member | None = None
    watches: bool = False
    """It is told the meter every second."""
    let_go: bool = False
    """It was told goodbye. It is told nothing more, and not heard any more."""


class Room:
    """One room. `handle` and `take` are not safe to call from two threads at once; see `server/models/thread.py`."""

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
        measure: Callable[[Sequence[int]], Cost],
        journal: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`make_token` gives an unguessable token, `measure` what it costs to serve connections by these
        workers (see `Seat`); `journal` is told what the operators do."""
        self.limits = limits
        self.model = model
        self.motd = motd
        self.roster = Roster()
        self.record = Record(keep, history)
        self.gathered = Gathered()
        self.moderation = Moderation()
        self.operators = operators
        self.figures = Figures()
        self.seats: dict[int, Seat] = {}
        self.audience: dict[int, Dialect] = {}
        """The connections that are in the room, and how they are written to."""
        self.turn = Turn()
        """What is to be told next."""
        self.make_token = make_token
        self.measure = measure
        self.journal = journal
        self.now = 0.0
        """When something was last asked or taken: a connection that ends does not say when."""
        self.condemned: dict[int, int] = {}
        """Whose worker this turn tells the model to kill, and the operator who asked for it."""
        self._dying: dict[int, int] = {}
        """The same of the turn before, without those that were killed."""
        self._changed = True
        """The model, or how many are here, has changed since the last status."""
        self._cost, self._measured_at = Cost(), -inf
        self._next_tick = 0.0
        self._next_reading = 0.0
        self._switch: tuple[Model, float] | None = None
        """The model that is taking over, and since when."""
        self.switch_under_way = False
        """Another model was asked for, and neither serves yet nor has failed."""
        self._delivered_again = inf
        """When the model that is taking over first delivered something: it may before it serves all."""

    # Connections

    def open(self, number: int, served_by: str, host: str = "", worker: int = 0) -> None:
        """Connection `number` is served by that process, thread or loop. It is in the room from its hello on."""
        if number in self.seats:
            self.seats[number].served_by, self.seats[number].worker = served_by, worker
        else:
            self.seats[number] = Seat(served_by, worker, self.make_token(), host, self.now)
        self._connections_changed()

    def close(self, number: int, *, failed: bool = False) -> None:
        """Connection `number` has ended, however it did. Harmless to say twice."""
        if seat := self.seats.get(number):
            self.leave(number, seat)
            del self.seats[number]
            self._connections_changed()
            self.figures.tally.died += failed

    def _connections_changed(self) -> None:
        """Everybody is told the status soon, measured anew."""
        self._changed = True
        self._measured_at = -inf

    def killed(self, number: int, now: float) -> None:
        """The running model does as Mark.KILL says: it kills the worker of connection `number`."""
        if number in self._dying:
            chaos.killed(self, number, self._dying.pop(number), now)

    def handle(self, number: int, item: Item, now: float, since: float = inf) -> None:
        """Carry out what connection `number` asks. It may have waited since `since`, where that is before `now`."""
        self.now = now
        seat = self.seats.get(number)
        if seat is None or seat.let_go:
            return
        match item:
            case Reply():
                self._pass_on(number, seat, item)
            case Quit():
                self.dismiss(number, Goodbye("quit", "see you"))
            case Hello():
                admission.enter(self, number, seat, item, now)
            case _ if seat.member is None:
                self.tell(number, Refused("not-joined", "you are not in the room yet"))
            case Order():
                desk.obey(self, number, seat.member, item, now)
            case _:
                requests.answer(self, number, seat, seat.member, item, now, min(since, now))

    def _pass_on(self, number: int, seat: Seat, reply: Reply) -> None:
        """What the session answers by itself takes its place in what the connection is told."""
        self.figures.answered(reply.code, by_operator=bool(seat.member and seat.member.operator))
        if reply.data or reply.mark:
            self.turn.tell(number, reply.data, reply.mark)
        if reply.mark & Mark.CLOSE:
            seat.let_go = True
            self.leave(number, seat)

    # What is to be delivered

    @property
    def waiting(self) -> bool:
        """Whether something was told that nobody has taken yet."""
        return bool(self.turn)

    def take(self, now: float) -> Turn:
        """What is to be delivered now: all that was told since the last time, and what was gathered, if it is due."""
        self.now = now
        requests.answer_proofs(self, now)
        if (self.gathered.changed or self._changed) and not self._next_tick - TICK <= now < self._next_tick:
            self._next_tick = now + TICK
            self.tell_presence(now)
            self._tell_status()
        if not self._next_reading - METER_EVERY <= now < self._next_reading:
            self._next_reading = now + METER_EVERY
            self._tell_meter(now)
        for victim, operator in self._dying.items():
            chaos.spared(self, victim, operator)
        self._dying, self.condemned = self.condemned, {}
        turn, self.turn = self.turn, Turn()
        turn.audience = self.audience.copy() if turn.entries else {}
        return turn

    def delivered(self, turn: Turn, now: float) -> None:
        """All of the turn has been written to everybody."""
        if turn.entries:
            self._delivered_again = min(self._delivered_again, now)
        self.figures.delivered(turn.said_at, now)

    # What the server itself has to say

    def announce(self, text: str, now: float) -> None:
        """Tell everybody something in the room's own words."""
        self.broadcast(Notice(text, self.record.seq + 1, now))

    @property
    def taking_over(self) -> Model | None:
        """The model that is taking over, if one is."""
        return self._switch and self._switch[0]

    def switching(self, model: Model, now: float) -> None:
        """`model` takes over; deliveries have paused since `now`."""
        self._switch = (model, now)
        self._delivered_again = inf

    def switch_failed(self, reason: str) -> None:
        """The model asked for could not take over; the one before goes on. Those who may ask hear why."""
        model, self._switch, self.switch_under_way = self.taking_over, None, False
        for number, seat in self.seats.items():
            if seat.member and seat.member.operator:
                self.tell(number, Refused("switch-failed", f"the {model} model could not take over: {reason}"))

    def begin(self, now: float) -> None:
        """A model serves all connections: if that ends a switch, everybody is told."""
        if self._switch is None:
            return
        (model, since), self._switch, self.switch_under_way = self._switch, None, False
        pause = max(0.0, min(now, self._delivered_again) - since)
        before, self.model = self.model, model
        self.broadcast(Switched(self.record.seq + 1, now, model, before, pause, len(self.seats)))
        self.figures.forget_latencies()
        self._connections_changed()

    def dismiss_all(self, reason: str) -> None:
        """Say goodbye to everybody: the server ends."""
        for number in list(self.seats):
            self.dismiss(number, Goodbye("closing", reason))
        self.gathered.changed.clear()

    # Going

    def leave(self, number: int, seat: Seat) -> None:
        """The member on this seat, if there is one, is in the room no more."""
        if (member := seat.member) is None:
            return
        self.unseat(number, seat)
        self.roster.leave(member, self.now)
        self.gathered.note(member.token, None)

    def unseat(self, number: int, seat: Seat) -> None:
        """The seat has no member any more, and hears what was told so far, and no more."""
        self.operators.forget(number)
        self.turn.leavers[number] = self.audience.pop(number)
        seat.member = None
        seat.watches = False

    def dismiss(self, number: int, goodbye: Goodbye) -> None:
        """End a connection, with a reason."""
        if self.seats[number].let_go:
            return
        self.figures.answered(goodbye.code)
        self.tell(number, goodbye, Mark.CLOSE)
        self.leave(number, self.seats[number])

    # Telling

    def tell(self, number: int, event: Event, mark: int = Mark.NONE) -> None:
        """Tell one connection something, in order with what everybody is told."""
        seat = self.seats[number]
        seat.let_go |= bool(mark & Mark.CLOSE)
        if isinstance(event, Refused):
            self.figures.answered(event.code, by_operator=bool(seat.member and seat.member.operator))
        self.turn.tell(number, encode(event, seat.dialect), mark)

    def broadcast(self, event: Sequenced, author: int = 0) -> None:
        """Tell everybody an event with the next `seq`; a plain client is not told what it said itself."""
        self.record.add(event)
        self.turn.entries.append(Entry(event, author))

    def tell_presence(self, now: float) -> None:
        """Tell everybody who has come and gone, if anybody has."""
        if (presence := self.gathered.tell(self.record.seq + 1, now)) is not None:
            self.figures.people(len(self.roster))
            self.broadcast(presence)
            self._changed = True

    def cost(self) -> Cost:
        """What the running model takes: measured four times a second at most, however many ask, and after a change."""
        if not self._measured_at <= self.now < self._measured_at + TICK:
            self._measured_at = self.now
            self._cost = self.measure([seat.worker for seat in self.seats.values()])
        return self._cost

    def status(self, seat: Seat, cost: Cost) -> Status:
        """What the room runs on, for one connection."""
        return Status(
            model=self.model,
            connections=len(self.seats),
            served_by=seat.served_by,
            people=len(self.roster),
            processes=cost.processes,
            threads=cost.threads,
            memory=cost.memory,
            memory_each=cost.memory_each,
        )

    def _tell_status(self) -> None:
        if not self._changed:
            return
        self._changed = False
        cost = self.cost()
        for number, dialect in self.audience.items():
            if dialect is Dialect.RICH:
                self.tell(number, self.status(self.seats[number], cost))

    @property
    def watched(self) -> list[int]:
        """The connections that are told the meter."""
        return [number for number, seat in self.seats.items() if seat.watches]

    def _tell_meter(self, now: float) -> None:
        if not (watchers := self.watched):
            return
        cost, (lines, deliveries) = self.cost(), self.figures.rates(now)
        reading = Metered(
            at=now,
            model=self.model,
            connections=len(self.seats),
            people=len(self.roster),
            lines=lines,
            deliveries=deliveries,
            p50=self.figures.percentile(0.5),
            p99=self.figures.percentile(0.99),
            processes=cost.processes,
            threads=cost.threads,
            memory=cost.memory,
            memory_each=cost.memory_each,
            cpu=cost.cpu,
            tally=self.figures.tally,
        )
        for number in watchers:
            self.tell(number, reading)
