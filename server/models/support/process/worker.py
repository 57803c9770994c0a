"""The worker: the code of a child process of the process model, for one connection and no other.

It carries between its peer and the master's pipe, with the Session in between, until either is gone or the master asks
for the session. Everything here is kept light: a page that a child writes to is copied, and running a function writes
to its code, so a worker pays for each function that it runs.
"""

import os
import select
import socket
from functools import partial
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from typing import NoReturn

from server.connection import Connection
from server.models.support.poller import PeerPoll, ReadyClock
from server.models.support.process.pipes import (
    DELIVERY,
    ENDED,
    FLUSHED,
    NUL,
    READ_SIZE,
    RETURN,
    TALK,
    Channel,
    delivery_in,
    pack,
    pack_failure,
    pack_item,
    pack_session,
    session_in,
)
from server.session import Request


def work(sock: socket.SocketType, channel: Channel) -> NoReturn:
    """A child's life, from fork to exit. If it fails, it sends the master its traceback."""
    try:
        run(sock, channel)
        channel.send(pack(ENDED))
    except Exception:  # noqa: BLE001 - sent to the master, which logs it
        import traceback  # Only now: it is not light.

        channel.send(pack_failure(traceback.format_exc()))
    finally:
        channel.close()  # The master need not wait for the rest of the exit, which takes longer.
        os._exit(0)


def run(sock: socket.SocketType, channel: Channel) -> None:
    """Serve the peer. The first frame that arrives is its session."""
    frames: list[tuple[bytes, bytes]] = []
    while not frames:
        if not receive(channel, frames):
            return
    session = session_in(frames.pop(0)[1])
    serve(Connection(sock, session, pause=partial(block, channel, frames)), channel, frames)


def serve(connection: Connection, channel: Channel, frames: list[tuple[bytes, bytes]]) -> None:
    """Carry between the peer and the master until either is gone. `frames` have arrived from the master already."""
    clock = ReadyClock()
    poll = WorkerPoll(connection.socket, channel)
    ready, settled = 0, False
    while True:
        for kind, payload in frames:  # They become more in a block.
            if kind in (TALK, DELIVERY):
                if not connection.send(*delivery_in(kind, payload), monotonic()):
                    settled = False
                    connection.suffer()  # In order: before what was told after it.
            elif kind == FLUSHED:
                channel.send(pack(FLUSHED))
            elif kind == RETURN:
                channel.send(pack_session(connection.session))
                return
        frames.clear()
        if not settled:  # Else all that arrived was passed on and nothing has changed, as happens most often.
            if items := attend(connection, ready):
                channel.send(b"".join([pack_item(item, clock.ready_since) for item in items]))
            if frames:  # They arrived in a block that the session brought with it.
                ready = 0
                continue
            now = monotonic()
            if connection.over(now):
                return
            poll.expect_until(connection.interest(now), connection.session.due(now))
        ready, arrived, due = clock.wait(poll.wait)
        if arrived is None:
            return
        frames += arrived
        settled = not ready and not due


def receive(channel: Channel, frames: list[tuple[bytes, bytes]]) -> bool:
    """Add what has arrived from the master to `frames`; False once it is gone."""
    arrived = channel.receive()
    frames += arrived or []
    return arrived is not None


def attend(connection: Connection, ready: int) -> list[Request]:
    """Write what the peer takes now, and read from it; returns what it asks of the room."""
    if ready & EVENT_WRITE:
        connection.flush(monotonic())
    return connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())


def block(channel: Channel, frames: list[tuple[bytes, bytes]], seconds: float) -> None:
    """Chaos: do nothing for so long, or until the session is asked for. What arrives meanwhile is added to `frames`."""
    until = monotonic() + seconds
    poller = select.poll()
    poller.register(channel.reading, select.POLLIN)
    while all(kind != RETURN for kind, _ in frames) and (left := until - monotonic()) > 0:
        if poller.poll(left * 1000) and not receive(channel, frames):
            return


class WorkerPoll(PeerPoll):
    """How a worker sleeps until its peer or the master has something for it, or its connection is due.

    A worker is woken for every line in the room. Most often that is to pass the line on and to sleep again, so that is
    done in here.
    """

    def __init__(self, peer: socket.SocketType, channel: Channel) -> None:
        super().__init__(peer, channel.reading)
        self._socket = peer
        self._channel = channel
        self._due = inf

    def expect_until(self, interest: int, due: float) -> None:
        """What to wait for from now on: of the peer (as `selectors` has it), and until when (infinity for ever)."""
        self.expect(interest)
        self._due = due

    def wait(self) -> tuple[int, list[tuple[bytes, bytes]] | None, bool]:
        """Sleep. Returns what the peer is ready for, the frames that have arrived from the master (None once it is
        gone), and whether the connection is due."""
        never = self._due == inf
        if never and self._channel.between_frames and not self._interest & EVENT_WRITE:
            found, data = self._relay()
        else:
            found, data = self.sleep(self._due), None
        ready = 0
        frames: list[tuple[bytes, bytes]] | None = []
        for descriptor, flags in found:
            if descriptor == self._channel.reading:
                frames = self._channel.receive() if data is None else self._channel.take(data)
            else:
                ready = self.ready(flags)
        return ready, frames, not never and monotonic() >= self._due

    def _relay(self) -> tuple[list[tuple[int, int]], bytes | None]:
        """Sleep, and pass on to the peer what the master has for it, until there is something else to do.

        Returns the result of poll(2) then, and what was read from the master and is not passed on. A line wakes a
        thousand workers, each on a core that has just worked for others: memory that is not touched in here need not be
        fetched again.
        """
        poll, pipe, peer = self._poll.poll, self._channel.reading, self._socket.fileno()
        while True:
            found = poll()
            if found[0][0] != pipe or len(found) > 1:
                return found, None
            data = os.read(pipe, READ_SIZE)
            if not data or NUL in data:
                return found, data
            try:
                taken = os.write(peer, data)
            except OSError:
                taken = 0  # Whichever error it is, the session will meet it again.
            if taken < len(data):
                return found, data[taken:]
