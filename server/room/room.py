"""Room: who is here, in which order things were said, and what is to be told to whom. Pure: no socket, lock or clock.

Every model owns the one Room and does two things with it: `handle` a request of a connection, and `take` the Outbox of
everything to be delivered. Each event for all members gets the next `seq` in one place, so there is one order under
all models. Requests are carried out on its RoomState by `admission` (joining), `requests` (talking) and
`operator_commands`. Times are seconds of the monotonic clock; only what is shown has a `timestamp`.
"""

from math import inf

from protocol.messages import (
    Goodbye,
    Hello,
    MeterReading,
    Model,
    ModelSwitched,
    Notice,
    Operator,
    OperatorCommand,
    Quit,
    Refused,
)
from server.room import admission, faults, operator_commands, requests
from server.room.outbox import Audience, Outbox
from server.room.state import RoomState, Seat
from server.session import DeliveryFlags, Greeting, Request, SessionReply

TICK = 0.25
"""Seconds between two presence or status events. Presence is told sooner where a line or a name would be taken for
somebody else's."""
METER_EVERY = 1.0
"""Seconds between two readings for those who watch the meter."""


class Room(RoomState):
    """One room. Not safe to use from two threads at once: the models ask it through an Inbox."""

    _next_tick = 0.0
    _next_reading = 0.0

    # Connections

    def open(self, number: int, served_by: str, host: str = "", worker: int = 0) -> None:
        """Connection `number` is served by that process, thread or loop. It is in the room from its hello on."""
        if (seat := self.seats.get(number)) is not None:
            faults.spare(self, number, seat)
            seat.served_by, seat.worker = served_by, worker
        else:
            self.seats[number] = Seat(served_by, worker, self.make_token(), self.limits, host, self.now)
        self.connections_changed()

    def close(self, number: int, *, failed: bool = False) -> None:
        """Connection `number` has ended, however it did. Harmless to say twice."""
        if seat := self.seats.get(number):
            if failed:
                faults.report_kill(self, number, seat)
            faults.spare(self, number, seat)
            self.leave(number, seat)
            self.operators.forget(number)
            self.reserved.discard(number)
            del self.seats[number]
            self.connections_changed()
            self.figures.tally.died += failed

    def drop(self, number: int) -> None:
        """Close a connection without a goodbye, because the room has failed over its request."""
        if (seat := self.seats.get(number)) is not None and not seat.let_go:
            seat.let_go = True
            self.turn.tell(number, b"", DeliveryFlags.CLOSE)
            self.figures.tally.died += 1
            self.leave(number, seat)

    def handle(self, number: int, item: Request, now: float, since: float = inf) -> None:
        """Carry out what connection `number` asks. It may have waited since `since`, where that is before `now`."""
        self.now = now
        seat = self.seats.get(number)
        if seat is None or seat.let_go:
            return
        match item:
            case SessionReply():
                self._pass_on(number, seat, item)
            case Greeting():
                self.tell(number, Notice(requests.greeting(self)))
            case Quit():
                self.dismiss(number, Goodbye("quit", "see you"))
            case Hello():
                admission.enter(self, number, seat, item, now)
            case Operator() if seat.challenged is not None:
                requests.prove(self, number, seat, item, now)
            case _ if seat.member is None:
                self.tell(number, Refused("not-joined", "you are not in the room yet"))
            case OperatorCommand():
                operator_commands.obey(self, number, seat.member, item, now)
            case _:
                requests.answer(self, number, seat, seat.member, item, now, min(since, now))

    def _pass_on(self, number: int, seat: Seat, reply: SessionReply) -> None:
        """What the session answers by itself takes its place in what the connection is told."""
        if reply.code == "slow":
            self.floods.count("connection slowed", seat.address_group, self.now)
        self.figures.answered(reply.code, by_operator=bool(seat.member and seat.member.operator))
        if reply.data or reply.mark:
            self.turn.tell(number, reply.data, reply.mark)
        if reply.mark & DeliveryFlags.CLOSE:
            seat.let_go = True
            self.leave(number, seat)

    # What is to be delivered

    @property
    def waiting(self) -> bool:
        """Whether something was told that nobody has taken yet."""
        return bool(self.turn)

    def take(self, now: float) -> Outbox:
        """What is to be delivered now: all that was told since the last time, and what was gathered, if it is due."""
        self.now = now
        requests.answer_proofs(self, now)
        if (self.presence.changed or self.changed) and not self._next_tick - TICK <= now < self._next_tick:
            self._next_tick = now + TICK
            self.tell_presence(now)
            self._tell_status()
        if not self._next_reading - METER_EVERY <= now < self._next_reading:
            self._next_reading = now + METER_EVERY
            self._tell_meter(now)
            self.floods.flush(now)
        self.keep_state(now)
        turn, self.turn = self.turn, Outbox()
        turn.audience = self.audience.besides() if turn.entries else Audience()
        return turn

    def delivered(self, turn: Outbox, now: float) -> None:
        """All of the turn has been written to everybody."""
        if turn.entries:
            self.pause, self.silent_since = max(self.pause, now - self.silent_since), now
        self.figures.delivered(turn.said_at, now)

    # What the server itself has to say

    def announce(self, text: str, now: float) -> None:
        """Tell everybody something in the room's own words."""
        self.broadcast(Notice(text, self.record.seq + 1, self.timestamp(now)))

    def switching(self, model: Model, now: float) -> None:
        """`model` takes over. Where nobody has asked for it, that begins now."""
        if not self.switch_under_way:
            self.begin_switch(now)
        self.taking_over = model

    def switch_failed(self, reason: str) -> None:
        """The model asked for could not take over; the one before goes on. Those who may ask hear why."""
        model, self.taking_over, self.switch_under_way = self.taking_over, None, False
        for number, seat in self.seats.items():
            if seat.member and seat.member.operator:
                self.tell(number, Refused("switch-failed", f"the {model} model could not take over: {reason}"))

    def begin(self, now: float) -> None:
        """A model serves all connections: if that ends a switch, everybody is told."""
        if self.taking_over is None:
            return
        before, self.model, self.taking_over, self.switch_under_way = self.model, self.taking_over, None, False
        pause = max(self.pause, now - self.silent_since)
        at = self.timestamp(now)
        self.broadcast(ModelSwitched(self.record.seq + 1, at, self.model, before, pause, len(self.seats)))
        self.figures.forget_latencies()
        self.connections_changed()

    def dismiss_all(self, reason: str) -> None:
        """Say goodbye to everybody: the server ends."""
        for number in list(self.seats):
            self.dismiss(number, Goodbye("closing", reason))
        self.presence.changed.clear()

    # What everybody is told of what runs it

    def _tell_status(self) -> None:
        if not self.changed:
            return
        self.changed = False
        cost = self.cost()
        for dialect, numbers in self.audience.by_dialect.items():
            if dialect.tracks_room:
                for number in numbers:
                    self.tell(number, self.status(self.seats[number], cost))

    def _tell_meter(self, now: float) -> None:
        if not (watchers := self.watched):
            return
        cost, (lines, deliveries) = self.cost(), self.figures.rates(now)
        reading = MeterReading(
            at=self.timestamp(now),
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
