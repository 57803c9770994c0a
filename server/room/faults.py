"""Chaos: breaking things on purpose, as an operator asks. Whom it hurts depends on the model: that is the show.

The room breaks nothing itself. Faults travel as flags to the code that serves the victim, and the guests are in
`server.fault_clients`. Only a model knows its workers, so only a model kills one. The room tells of it when that
connection has ended; if another model serves the connection instead, it tells the operator that no worker was killed.
"""

import random

from protocol.messages import ANYBODY, FAULTS, GUESTS, Chaos, Model, Refused
from server.fault_clients import GUEST_STAYS
from server.room.state import RoomState, Seat
from server.room.targets import Target, called, find, openly, refuse_against_key_holder
from server.session import DeliveryFlags


def wreak(room: RoomState, number: int, order: Chaos, now: float) -> None:
    """Break what the operator on connection `number` asks for, or tell why not."""
    by = called(room, number)
    if order.what not in FAULTS:
        room.tell(number, Refused("bad-command", f"chaos is one of {', '.join(FAULTS[:-1])} or {FAULTS[-1]}"))
        return
    if order.what in GUESTS:
        invite(room, number, order.what, now)
        return
    victim = choose(room, number, order)
    if isinstance(victim, Refused):
        room.tell(number, victim)
        return
    seat, operator = room.seats[victim], room.seats[number].member
    target = Target(called(room, victim), seat.address_group, seat.member, victim)
    if operator is not None and (refused := refuse_against_key_holder(target, operator)) is not None:
        room.tell(number, refused)
        return
    served_by = f"{room.seats[victim].served_by} of {called(room, victim)}"
    match order.what:
        case "kill-worker" if not room.seats[victim].worker:
            words = f"there is no worker to kill: no process serves {called(room, victim)} alone"
            room.tell(number, Refused("no-worker", words))
        case "kill-worker":
            room.seats[victim].kill_requested_by = number
            room.turn.tell(victim, b"", DeliveryFlags.KILL)
        case "raise":
            openly(room, f"{by} raises an exception in {served_by}", now)
            room.turn.tell(victim, b"", DeliveryFlags.FAIL)
        case "block":
            felt = "everybody waits" if room.model is Model.EVENT else "nobody else waits"
            openly(room, f"{by} blocks {served_by} for {order.seconds * 1000:.0f} ms: {felt}", now)
            room.turn.tell(victim, b"", DeliveryFlags.BLOCK | int(order.seconds * 1000) << DeliveryFlags.SHIFT)


def invite(room: RoomState, number: int, kind: str, now: float) -> None:
    """Let a guest in who behaves badly."""
    if room.moderation.rules.locked and kind != "silent":  # A silent one gives no nickname, and is not asked for more.
        room.tell(number, Refused("no-guest", "no guest can come now: the room is locked"))
        return
    try:
        room.operators.strikes.invite(kind)
    except OSError as error:
        room.tell(number, Refused("no-guest", f"no guest can come now: {error.strerror}"))
        return
    stays = min(GUEST_STAYS, room.limits.join_timeout) if kind == "silent" else GUEST_STAYS
    openly(room, f"{called(room, number)} lets in a {kind} guest, which stays for {stays:g} s", now)


def choose(room: RoomState, number: int, order: Chaos) -> int | Refused:
    """Whom chaos strikes: who is named, or anybody but the operator; `block` strikes the operator if nobody is."""
    if order.nick and order.nick != ANYBODY:
        return find(room, order.nick)
    if order.what == "block" and not order.nick:
        return number
    others = [other for other, seat in room.seats.items() if seat.member and other != number]
    return random.choice(others) if others else Refused("unknown-person", "nobody is here but you")


def report_kill(room: RoomState, victim: int, seat: Seat) -> None:
    """Connection `victim` has failed. If an operator has asked to kill its worker, all members are told that."""
    if seat.kill_requested_by:
        worker = f"the worker of {called(room, victim)}, {seat.served_by}"
        operator = called(room, seat.kill_requested_by)
        openly(room, f"{operator} killed {worker}: it has ended, and nobody else has", room.now)
        seat.kill_requested_by = 0


def spare(room: RoomState, victim: int, seat: Seat) -> None:
    """Connection `victim` has lost its worker otherwise. An operator that has asked to kill the worker is told that."""
    if seat.kill_requested_by in room.seats:
        words = f"there is no worker of {called(room, victim)} to kill now"
        room.tell(seat.kill_requested_by, Refused("no-worker", words))
    seat.kill_requested_by = 0
