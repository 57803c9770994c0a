"""Room: the members, the order of all events, and the recipients of each. Pure: no socket, lock or clock.

The running model owns the one Room. It applies the requests of connections (`apply`) and takes the output (`flush`).
Each event for all members gets its `seq` in one place, so there is one order under all models. The modules `admission`
(joining), `requests` (talking) and `operator_commands` carry out the requests on the RoomState. Times are seconds of
the monotonic clock; times shown to users are made by `timestamp`.
"""

from math import inf

from protocol.dialects import PLAIN
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
from server.session_types import DeliveryFlags, Greeting, Request, SessionReply

TICK_S = 0.25
"""Seconds between two presence or status events. Presence is sent earlier if a line or a nickname would otherwise be
attributed to another member."""
METER_INTERVAL_S = 1.0
"""Seconds between two readings for the operators that watch the meter."""


class Room(RoomState):
    """One room. Not thread-safe: the models use it through an Inbox."""

    _next_tick = 0.0
    _next_reading = 0.0

    # Connections

    def open(self, number: int, served_by: str, host: str = "", worker: int = 0) -> None:
        """The process, thread or loop `served_by` serves connection `number` from now on. A hello makes it join."""
        if (seat := self.seats.get(number)) is not None:
            faults.cancel_kill(self, number, seat)
            seat.served_by, seat.worker = served_by, worker
        else:
            dialect = self.dialects.pop(number, PLAIN)
            self.seats[number] = Seat(served_by, worker, self.make_token(), self.limits, host, self.now, dialect)
        self.connections_changed()

    def close(self, number: int, *, failed: bool = False) -> None:
        """Connection `number` has ended. May be called twice."""
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
        """Close a connection without a goodbye, because its request has raised an exception."""
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
        """Carry out a request of connection `number`. It may have waited to be read since `since`, if before `now`."""
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
            case Operator() if seat.challenged_hello is not None:
                requests.queue_proof(self, number, seat, item, now)
            case _ if seat.member is None:
                self.send(number, Refused("not-joined", "you are not in the room yet"))
            case OperatorCommand():
                operator_commands.execute(self, number, seat.member, item, now)
            case _:
                requests.execute(self, number, seat, seat.member, item, now, min(since, now))

    def _forward_reply(self, number: int, seat: Seat, reply: SessionReply) -> None:
        """Send the reply of the session itself, in order with the output of the room."""
        if reply.code == "slow":
            self.floods.count("connection slowed", seat.address_group, self.now)
        self.stats.count_code(reply.code, by_operator=bool(seat.member and seat.member.operator))
        if reply.data or reply.flags:
            self.outbox.add(number, reply.data, reply.flags)
        if reply.flags & DeliveryFlags.CLOSE:
            seat.is_closing = True
            self.leave(number, seat)

    # Output

    @property
    def has_output(self) -> bool:
        """Whether there is output that has not been flushed."""
        return bool(self.outbox)

    def flush(self, now: float) -> Outbox:
        """Return the output since the last flush, with the gathered presence, status and meter events that are due."""
        self.now = now
        requests.answer_proofs(self, now)
        if (self.presence.changed or self.status_changed) and not self._next_tick - TICK_S <= now < self._next_tick:
            self._next_tick = now + TICK_S
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
        """The whole outbox has been written to all connections."""
        if outbox.broadcasts:
            self.pause, self.silent_since = max(self.pause, now - self.silent_since), now
        self.stats.add_latencies(outbox.said_at, now)

    # The server itself

    def announce(self, text: str, now: float) -> None:
        """Send a notice to all members."""
        self.broadcast(Notice(text, self.history.seq + 1, self.timestamp(now)))

    def switch_to(self, model: Model, now: float) -> None:
        """`model` begins to take over. If no operator has asked for it, the switch begins now."""
        if not self.switch_under_way:
            self.begin_switch(now)
        self.next_model = model

    def switch_failed(self, reason: str) -> None:
        """The requested model could not take over, and the previous one goes on. All operators are told the reason."""
        model, self.next_model, self.switch_under_way = self.next_model, None, False
        for number, seat in self.seats.items():
            if seat.member and seat.member.operator:
                self.send(number, Refused("switch-failed", f"the {model} model could not take over: {reason}"))

    def end_switch(self, now: float) -> None:
        """The model has taken over all connections. If a switch was under way, tell all members that it has ended."""
        if self.next_model is None:
            return
        before, self.model, self.next_model, self.switch_under_way = self.model, self.next_model, None, False
        pause = max(self.pause, now - self.silent_since)
        at = self.timestamp(now)
        self.broadcast(ModelSwitched(self.history.seq + 1, at, self.model, before, pause, len(self.seats)))
        self.stats.forget_latencies()
        self.connections_changed()

    def disconnect_all(self, reason: str) -> None:
        """End all connections with a goodbye, because the server ends."""
        for number in list(self.seats):
            self.disconnect(number, Goodbye("closing", reason))
        self.presence.changed.clear()

    # Status and meter

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
