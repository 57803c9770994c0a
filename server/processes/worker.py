"""The worker: what runs in a child process of the process model, for one connection and nobody else.

It carries between its peer and the master's pipe, with the Session in between, until either is gone or the master wants
the session back. Everything here is kept light: a page that a child writes to is copied, and running a function writes
to its code, so what a worker does not do it does not pay for.
"""

import os
import select
import socket
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from typing import NoReturn

from server.connection import Connection
from server.lookout import Lookout
from server.processes.frames import (
    DELIVERY,
    ECHO,
    ENDED,
    RETURN,
    TALK,
    delivery_in,
    pack,
    pack_failure,
    pack_item,
    pack_session,
    session_in,
)
from server.processes.pipes import Channel
from server.processes.waiting import Waiter
from server.session import Item


def work(sock: socket.SocketType, channel: Channel) -> NoReturn:
    """A child's life, from fork to exit. If it fails, the master is told how."""
    try:
        converse(sock, channel)
        channel.send(pack(ENDED))
    except Exception:  # noqa: BLE001 - told to the master, which logs it
        import traceback  # Only now: it is not light.

        channel.send(pack_failure(traceback.format_exc()))
    finally:
        channel.close()  # The master need not wait for the rest of the exit, which takes longer.
        os._exit(0)


def converse(sock: socket.SocketType, channel: Channel) -> None:
    """Serve the peer. The first frame that comes is its session."""
    frames: list[tuple[bytes, bytes]] = []
    while not frames:
        if not hear(channel, frames):
            return
    session = session_in(frames.pop(0)[1])
    carry(Connection(sock, session, pause=partial(sit_out, channel, frames)), channel, frames)


def carry(connection: Connection, channel: Channel, frames: list[tuple[bytes, bytes]]) -> None:
    """Carry between the peer and the master, from whom `frames` have come already, until either is gone."""
    lookout = Lookout()
    waiter = Waiter(connection.socket, channel)
    ready, settled = 0, False
    while True:
        for kind, payload in frames:  # They become more in a block.
            if kind in (TALK, DELIVERY):
                if not connection.send(*delivery_in(kind, payload), monotonic()):
                    settled = False
                    connection.suffer()  # In order: before what was told after it.
            elif kind == ECHO:
                channel.send(pack(ECHO))
            elif kind == RETURN:
                channel.send(pack_session(connection.session))
                return
        frames.clear()
        if not settled:  # Else all that came was passed on, and nothing is different: this is what happens most.
            if items := attend(connection, ready):
                channel.send(b"".join([pack_item(item, lookout.since) for item in items]))
            if frames:  # They came in a block that the session brought with it.
                ready = 0
                continue
            now = monotonic()
            if connection.over(now):
                return
            waiter.expect(connection.interest(now), connection.session.due(now))
        ready, came, due = lookout.wait(waiter.wait)
        if came is None:
            return
        frames += came
        settled = not ready and not due


def hear(channel: Channel, frames: list[tuple[bytes, bytes]]) -> bool:
    """Add what has come from the master to `frames`; False once it is gone."""
    came = channel.receive()
    frames += came or []
    return came is not None


def attend(connection: Connection, ready: int) -> list[Item]:
    """Write what the peer takes now, and take in what it says; returns what is to be told to the room."""
    if ready & EVENT_WRITE:
        connection.flush(monotonic())
    return connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())


def sit_out(channel: Channel, frames: list[tuple[bytes, bytes]], seconds: float) -> None:
    """Chaos: do nothing for so long, or until the session is asked for. What comes meanwhile is added to `frames`."""
    until = monotonic() + seconds
    poller = select.poll()
    poller.register(channel.reading, select.POLLIN)
    while all(kind != RETURN for kind, _ in frames) and (left := until - monotonic()) > 0:
        if poller.poll(left * 1000) and not hear(channel, frames):
            return
