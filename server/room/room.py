"""Room: who is here, in which order things were said, and what is to be told to whom. Pure: no socket, lock or clock.

Every model owns the one Room and does two things with it: `apply` a request of a connection, and `flush` the Outbox of
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
METER_INTERVAL_S = 1.0
"""Seconds between two readings for those who watch the meter."""


class Room(RoomState):
    """One room. Not safe to use from two threads at once: the models ask it through an Inbox."""

    _next_tick = 0.0
    _next_reading = 0.0

    # Connections

    def open(self, number: int, served_by: str, host: str = "", worker: int = 0) -> None:
        """Connection `number` is served by that process, thread or loop. It is in the room from its hello on."""
        if (seat := self.seats.get(number)) is not None:
            faults.cancel_kill(self, number, seat)
            seat.served_by, seat.worker = served_by, worker
        else:
            self.seats[number] = Seat(served_by, worker, self.make_token(), self.limits, host, self.now)
        self.connections_changed()

    def close(self, number: int, *, failed: bool = False) -> None:
        """Connection `number` has ended, however it did. Harmless to say twice."""
        if seat := self.seats.get(number):
            if failed:
                faults.report_kill(self, number, seat)
            faults.cancel_kill(self, number, seat)
            self.leave(number, seat)
            self.operators.forget(number)
            self.reserved.discard(number)
            del self.seats[number]
            self.connections_changed()
            self.stats.totals.died += failed

    def abort(self, number: int) -> None:
        """Close a connection without a goodbye, because the room has failed over its request."""
        if (seat := self.seats.get(number)) is not None and not seat.is_closing:
            seat.is_closing = True
            self.outbox.add(number, b"", DeliveryFlags.CLOSE)
            self.stats.totals.died += 1
            self.leave(number, seat)

    def evict(self, number: int, goodbye: Goodbye) -> None:
        """End a connection that has given no nickname, with a reason. One that has joined meanwhile stays."""
        if self.is_nameless(number):
            self.disconnect(number, goodbye)

    def apply(self, number: int, item: Request, now: float, since: float = inf) -> None:
        """Carry out what connection `number` asks. It may have waited since `since`, where that is before `now`."""
        self.now = now
        seat = self.seats.get(number)
        if seat is None or seat.is_closing:
            return
        match item:
            case SessionReply():
                self._forward_reply(number, seat, item)
            case Greeting():
                self.send(number, Notice(requests.greeting(self)))
            case Quit():
                self.disconnect(number, Goodbye("quit", "see you"))
            case Hello():
                admission.enter(self, number, seat, item, now)
            case Operator() if seat.challenged is not None:
                requests.queue_proof(self, number, seat, item, now)
            case _ if seat.member is None:
                self.send(number, Refused("not-joined", "you are not in the room yet"))
            case OperatorCommand():
                operator_commands.execute(self, number, seat.member, item, now)
            case _:
                requests.execute(self, number, seat, seat.member, item, now, min(since, now))

    def _forward_reply(self, number: int, seat: Seat, reply: SessionReply) -> None:
        """What the session answers by itself takes its place in what the connection is told."""
        if reply.code == "slow":
            self.floods.count("connection slowed", seat.address_group, self.now)
        self.stats.count_code(reply.code, by_operator=bool(seat.member and seat.member.operator))
        if reply.data or reply.mark:
            self.outbox.add(number, reply.data, reply.mark)
        if reply.mark & DeliveryFlags.CLOSE:
            seat.is_closing = True
            self.leave(number, seat)

    # What is to be delivered

    @property
    def has_output(self) -> bool:
        """Whether something was told that nobody has taken yet."""
        return bool(self.outbox)

    def flush(self, now: float) -> Outbox:
        """What is to be delivered now: all that was told since the last time, and what was gathered, if it is due."""
        self.now = now
        requests.answer_proofs(self, now)
        if (self.presence.changed or self.status_changed) and not self._next_tick - TICK <= now < self._next_tick:
            self._next_tick = now + TICK
            self.broadcast_presence(now)
            self._send_status()
        if not self._next_reading - METER_INTERVAL_S <= now < self._next_reading:
            self._next_reading = now + METER_INTERVAL_S
            self._send_meter(now)
            self.floods.flush(now)
        self.save_state(now)
        outbox, self.outbox = self.outbox, Outbox()
        outbox.audience = self.audience.without() if outbox.broadcasts else Audience()
        return outbox

    def delivered(self, outbox: Outbox, now: float) -> None:
        """All of the turn has been written to everybody."""
        if outbox.broadcasts:
            self.pause, self.silent_since = max(self.pause, now - self.silent_since), now
        self.stats.add_latencies(outbox.said_at, now)

    # What the server itself has to say

    def announce(self, text: str, now: float) -> None:
        """Tell everybody something in the room's own words."""
        self.broadcast(Notice(text, self.history.seq + 1, self.timestamp(now)))

    def switch_to(self, model: Model, now: float) -> None:
        """`model` takes over. Where nobody has asked for it, that begins now."""
        if not self.switch_under_way:
            self.begin_switch(now)
        self.next_model = model

    def switch_failed(self, reason: str) -> None:
        """The model asked for could not take over; the one before goes on. Those who may ask hear why."""
        model, self.next_model, self.switch_under_way = self.next_model, None, False
        for number, seat in self.seats.items():
            if seat.member and seat.member.operator:
                self.send(number, Refused("switch-failed", f"the {model} model could not take over: {reason}"))

    def end_switch(self, now: float) -> None:
        """A model serves all connections: if that ends a switch, everybody is told."""
        if self.next_model is None:
            return
        before, self.model, self.next_model, self.switch_under_way = self.model, self.next_model, None, False
        pause = max(self.pause, now - self.silent_since)
        at = self.timestamp(now)
        self.broadcast(ModelSwitched(self.history.seq + 1, at, self.model, before, pause, len(self.seats)))
        self.stats.forget_latencies()
        self.connections_changed()

    def disconnect_all(self, reason: str) -> None:
        """Say goodbye to everybody: the server ends."""
        for number in list(self.seats):
            self.disconnect(number, Goodbye("closing", reason))
        self.presence.changed.clear()

    # What everybody is told of what runs it

    def _send_status(self) -> None:
        if not self.status_changed:
            return
        self.status_changed = False
        usage = self.usage()
        for dialect, numbers in self.audience.by_dialect.items():
            if dialect.tracks_room:
                for number in numbers:
                    self.send(number, self.status(self.seats[number], usage))

    def _send_meter(self, now: float) -> None:
        if not (watchers := self.watchers):
            return
        usage, (lines, deliveries) = self.usage(), self.stats.rates(now)
        reading = MeterReading(
            at=self.timestamp(now),
            model=self.model,
            connections=len(self.seats),
            people=len(self.roster),
            lines=lines,
            deliveries=deliveries,
            p50=self.stats.percentile(0.5),
            p99=self.stats.percentile(0.99),
            processes=usage.processes,
            threads=usage.threads,
            memory=usage.memory,
            memory_each=usage.memory_each,
            cpu=usage.cpu,
            tally=self.stats.totals,
        )
        for number in watchers:
            self.send(number, reading)
