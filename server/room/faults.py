"""Fault injection: operators break parts of the server on purpose, to show which connections each model harms.

The room itself breaks nothing. A fault travels as DeliveryFlags to the code that serves the victim; guests are clients
that `server.fault_clients` starts. Only the model kills a worker. The room announces the kill when the connection has
ended. If another model serves the connection by then, the room tells the operator that no worker was killed.
"""

import random

from protocol.messages import FAULTS, GUEST_FAULTS, RANDOM_MEMBER, Chaos, Model, Refused
from server.fault_clients import GUEST_DURATION_S
from server.room.state import (
    RoomState,
    Seat,
    Target,
    announce,
    display_name,
    find_connection,
    refuse_against_key_holder,
)
from server.session_types import DeliveryFlags


def inject_fault(room: RoomState, number: int, command: Chaos, now: float) -> None:
    """Inject the fault that the operator on connection `number` asks for, or tell the operator why not."""
    by = display_name(room, number)
    if command.what not in FAULTS:
        room.send(number, Refused("bad-command", f"chaos is one of {', '.join(FAULTS[:-1])} or {FAULTS[-1]}"))
        return
    if command.what in GUEST_FAULTS:
        invite_guest(room, number, command.what, now)
        return
    victim = choose_victim(room, number, command)
    if isinstance(victim, Refused):
        room.send(number, victim)
        return
    seat, operator = room.seats[victim], room.seats[number].member
    target = Target(display_name(room, victim), seat.address_group, seat.member, victim)
    if operator is not None and (refused := refuse_against_key_holder(target, operator)) is not None:
        room.send(number, refused)
        return
    served_by = f"{seat.served_by} of {target.name}"
    match command.what:
        case "kill-worker" if not seat.worker:
            words = f"there is no worker to kill: no process serves {target.name} alone"
            room.send(number, Refused("no-worker", words))
        case "kill-worker":
            seat.kill_requested_by = number
            room.outbox.add(victim, b"", DeliveryFlags.KILL)
        case "raise":
            announce(room, f"{by} raises an exception in {served_by}", now)
            room.outbox.add(victim, b"", DeliveryFlags.FAIL)
        case "block":
            felt = "everybody waits" if room.model is Model.EVENT else "nobody else waits"
            announce(room, f"{by} blocks {served_by} for {command.seconds * 1000:.0f} ms: {felt}", now)
            room.outbox.add(victim, b"", DeliveryFlags.BLOCK | int(command.seconds * 1000) << DeliveryFlags.SHIFT)


def invite_guest(room: RoomState, number: int, kind: str, now: float) -> None:
    """Start a guest, a client that misbehaves."""
    # A silent guest never sends a hello, so the lock does not stop it.
    if room.moderation.rules.locked and kind != "silent":
        room.send(number, Refused("no-guest", "no guest can come now: the room is locked"))
        return
    try:
        room.operators.fault_clients.invite(kind)
    except OSError as error:
        room.send(number, Refused("no-guest", f"no guest can come now: {error.strerror}"))
        return
    stays = min(GUEST_DURATION_S, room.limits.join_timeout) if kind == "silent" else GUEST_DURATION_S
    announce(room, f"{display_name(room, number)} lets in a {kind} guest, which stays for {stays:g} s", now)


def choose_victim(room: RoomState, number: int, command: Chaos) -> int | Refused:
    """The connection to hit: the one named, or a random other one. `block` without a name hits the operator's own."""
    if command.nick and command.nick != RANDOM_MEMBER:
        return find_connection(room, command.nick)
    if command.what == "block" and not command.nick:
        return number
    others = [other for other, seat in room.seats.items() if seat.member and other != number]
    return random.choice(others) if others else Refused("unknown-person", "nobody is here but you")


def report_kill(room: RoomState, victim: int, seat: Seat) -> None:
    """Connection `victim` has failed. If an operator asked to kill its worker, announce that."""
    if seat.kill_requested_by:
        worker = f"the worker of {display_name(room, victim)}, {seat.served_by}"
        operator = display_name(room, seat.kill_requested_by)
        announce(room, f"{operator} killed {worker}: it has ended, and nobody else has", room.now)
        seat.kill_requested_by = 0


def cancel_kill(room: RoomState, victim: int, seat: Seat) -> None:
    """Connection `victim` has no such worker any more. Tell that to the operator that asked to kill it."""
    if seat.kill_requested_by in room.seats:
        words = f"there is no worker of {display_name(room, victim)} to kill now"
        room.send(seat.kill_requested_by, Refused("no-worker", words))
    seat.kill_requested_by = 0
