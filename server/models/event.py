"""The event model: one loop serves all connections, and each connection is a generator.

Shared: everything. No lock is needed, because only one generator runs at a time.
The price: one slow step delays all connections.
"""

import logging
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic

from server.connection import Connection, broadcast
from server.control import StopEvent
from server.listener import Listener
from server.models.support.poller import Poller
from server.room.inbox import Inbox
from server.room.room import TICK_S

log = logging.getLogger("chat.server")


class EventModel:
    """`server.handover.run` calls `take_over` once, `run_once` in a loop, and `stop` at the end."""

    def __init__(self, listener: Listener, inbox: Inbox, stopping: StopEvent) -> None:
        self.listener = listener
        self.inbox = inbox
        self.connections: dict[int, Connection] = {}
        self.generators: dict[int, Generator[None, int]] = {}
        self.poller = Poller(*listener.sources, stopping)

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these connections, which another model has served until now."""
        self.connections = {connection.number: connection for connection in connections}
        for connection in connections:
            self.start(connection)
        self.inbox.end_switch(monotonic())
        self.deliver()

    def run_once(self) -> None:
        """The loop: sleep until a socket is ready or a deadline has passed, resume its generator, and deliver."""
        for source, ready in self.poller.select(TICK_S):
            if isinstance(source, Connection):
                self.resume(source, ready)
            elif source in self.listener.sources:
                self.listener.admit(self.start)
        self.deliver()

    # Start: one generator for each connection
    def start(self, connection: Connection) -> None:
        self.poller.watch(connection)  # First, because it may raise OSError.
        self.connections[connection.number] = connection
        self.generators[connection.number] = generator = self.read(connection)
        self.inbox.open(connection.number, "event loop", connection.host)
        next(generator, None)

    # Read: the generator's whole life. It yields until its socket is ready (as a fiber does in the talk)
    def read(self, connection: Connection) -> Generator[None, int]:
        while not connection.is_over(monotonic()):
            ready = yield
            if ready & EVENT_WRITE:
                connection.flush(monotonic())
            items = connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())
            for item in items:
                self.inbox.handle(connection.number, item, self.poller.ready_since)

    # Deliver: the loop writes to one socket after the other, and waits for none
    def deliver(self) -> None:
        outbox = self.inbox.flush(monotonic())
        for connection in broadcast(outbox, self.connections, monotonic()):
            self.poller.watch(connection)  # Its socket is full, or the room has changed its state.
        self.inbox.delivered(outbox, monotonic())

    # Stop: no other code runs now, so the connections can be returned at once
    def stop(self) -> list[Connection]:
        self.deliver()
        self.poller.close()
        return list(self.connections.values())

    def resume(self, connection: Connection, ready: int) -> None:
        """Run one generator until it yields. If it fails, only its own connection ends."""
        try:
            self.generators[connection.number].send(ready)
            self.poller.watch(connection)
        except StopIteration:
            self.end(connection)
        except Exception:
            log.exception("connection %d failed, and ends", connection.number)
            self.end(connection, failed=True)

    def end(self, connection: Connection, *, failed: bool = False) -> None:
        self.inbox.close(connection.number, failed=failed)
        self.poller.forget(connection)
        del self.generators[connection.number], self.connections[connection.number]
        connection.close()
