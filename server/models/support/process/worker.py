"""The worker: the code of a child process of the process model. It serves one connection.

The worker passes bytes between its peer and the master, through the Session, until either is gone or the master asks
for the session. The code is kept small for memory: the system copies each page that a child writes to, and a call of a
function writes to its code object, so a worker pays for each function that it runs.
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
from server.session_types import Request


def work(sock: socket.SocketType, channel: Channel) -> NoReturn:
    """The whole life of a worker, from fork to exit. If it fails, it sends its traceback to the master."""
    try:
        run(sock, channel)
        channel.send(pack(ENDED))
    except Exception:  # noqa: BLE001 - sent to the master, which logs it
        import traceback  # Only here, because it takes much memory.

        channel.send(pack_failure(traceback.format_exc()))
    finally:
        channel.close()  # First, because the rest of the exit takes longer.
        os._exit(0)


def run(sock: socket.SocketType, channel: Channel) -> None:
    """Serve the peer. The first frame from the master is its session."""
    frames: list[tuple[bytes, bytes]] = []
    while not frames:
        if not receive(channel, frames):
            return
    session = session_in(frames.pop(0)[1])
    serve(Connection(sock, session, pause=partial(block, channel, frames)), channel, frames)


def serve(connection: Connection, channel: Channel, frames: list[tuple[bytes, bytes]]) -> None:
    """Pass data between the peer and the master until either is gone. `frames` have arrived from the master already."""
    clock = ReadyClock()
    poll = WorkerPoll(connection.socket, channel)
    ready, settled = 0, False
    while True:
        for kind, payload in frames:  # `block` may add more.
            if kind in (TALK, DELIVERY):
                if not connection.send(*delivery_in(kind, payload), monotonic()):
                    settled = False
                    connection.apply_fault()  # In order: before the bytes that follow.
            elif kind == FLUSHED:
                channel.send(pack(FLUSHED))
            elif kind == RETURN:
                channel.send(pack_session(connection.session))
                return
        frames.clear()
        if not settled:  # Most often all bytes were passed on, and nothing has changed.
            if items := attend(connection, ready):
                channel.send(b"".join([pack_item(item, clock.ready_since) for item in items]))
            if frames:  # They arrived during a `block`.
                ready = 0
                continue
            now = monotonic()
            if connection.is_over(now):
                return
            poll.expect_until(connection.interest(now), connection.session.next_deadline(now))
        ready, arrived, due = clock.wait(poll.wait)
        if arrived is None:
            return
        frames += arrived
        settled = not ready and not due


def receive(channel: Channel, frames: list[tuple[bytes, bytes]]) -> bool:
    """Add the frames that have arrived from the master to `frames`. Returns False if the master is gone."""
    arrived = channel.receive()
    frames += arrived or []
    return arrived is not None


def attend(connection: Connection, ready: int) -> list[Request]:
    """Write as much as the peer takes now, and read from it. Returns its requests to the room."""
    if ready & EVENT_WRITE:
        connection.flush(monotonic())
    return connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())


def block(channel: Channel, frames: list[tuple[bytes, bytes]], seconds: float) -> None:
    """An injected fault: do nothing for some seconds, or until the master asks for the session. Frames that arrive
    meanwhile are added to `frames`."""
    until = monotonic() + seconds
    poller = select.poll()
    poller.register(channel.reading, select.POLLIN)
    while all(kind != RETURN for kind, _ in frames) and (left := until - monotonic()) > 0:
        if poller.poll(left * 1000) and not receive(channel, frames):
            return


class WorkerPoll(PeerPoll):
    """Lets a worker sleep until its peer or the master has sent data, or its connection is due.

    Each line in the room wakes each worker. Most often the worker only passes the line on and sleeps again, which
    happens in here.
    """

    def __init__(self, peer: socket.SocketType, channel: Channel) -> None:
        super().__init__(peer, channel.reading)
        self._socket = peer
        self._channel = channel
        self._due = inf

    def expect_until(self, interest: int, due: float) -> None:
        """Watch the peer for `interest` (flags of `selectors`), until `due` (monotonic clock; infinity: no limit)."""
        self.expect(interest)
        self._due = due

    def wait(self) -> tuple[int, list[tuple[bytes, bytes]] | None, bool]:
        """Sleep. Returns the readiness of the peer, the frames that have arrived from the master (None if it is gone),
        and whether the connection is due."""
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
        """Sleep, and pass bytes from the master on to the peer, until there is other work.

        Returns the result of poll(2), and the bytes from the master that were not passed on. A line wakes a thousand
        workers, each on a core with other data in its caches. So this loop touches as little memory as possible.
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
                taken = 0  # The session will get the same error.
            if taken < len(data):
                return found, data[taken:]
