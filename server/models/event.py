"""The event model: one loop for everybody, and a generator for each connection.

What is shared: everything. Nobody needs a lock, because only one thing happens at a time.
The price: one slow turn delays all.
"""

import logging
import selectors
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic, time

from server.broadcast import broadcast
from server.connection import Connection
from server.deadlines import Deadlines
from server.lookout import Lookout
from server.room.room import TICK, Room
from server.sockets import Listener
from server.wishes import Stop

log = logging.getLogger("chat.server")


class EventModel:
    """Run by `server.handover.run`: it takes over, runs once and again, and stops."""

    def __init__(self, listener: Listener, room: Room, stopping: Stop) -> None:
        self.listener = listener
        self.room = room
        self.connections: dict[int, Connection] = {}
        self.conversations: dict[int, Generator[None, int]] = {}
        self.deadlines = Deadlines()
        self.lookout = Lookout()
        self.selector = selectors.DefaultSelector()
        self.selector.register(stopping, EVENT_READ)
        for source in listener.sources:
            self.selector.register(source, EVENT_READ)

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these, carried over from another model."""
        self.connections = {connection.number: connection for connection in connections}
        for connection in connections:
            self.start(connection)
        self.room.begin(time())
        self.deliver()

    def run_once(self) -> None:
        """Wait until something can be done, do all of it, then tell everybody what it brought."""
        began = monotonic()
        patience = min(TICK, max(0.0, self.deadlines.next() - began))
        for key, ready in self.lookout.wait(self.selector.select, patience):
            if isinstance(key.fileobj, Connection):
                self.resume(key.fileobj, ready)
            elif key.fileobj in self.listener.sources:
                self.listener.admit(self.start)
        for number in self.deadlines.take(began):  # Due before we looked: what they said in time was found.
            if number in self.connections:
                self.resume(self.connections[number], 0)
        self.deliver()

    # Start — somebody is here
    def start(self, connection: Connection) -> None:
        self.watch(connection)  # First, as it may raise OSError.
        self.connections[connection.number] = connection
        self.conversations[connection.number] = conversation = self.read(connection)
        self.room.open(connection.number, "event loop", connection.host)
        next(conversation, None)

    # Read — one conversation, told each time what its connection is ready for (the talk's fibers)
    def read(self, connection: Connection) -> Generator[None, int]:
        while not connection.over(monotonic()):
            ready = yield
            if ready & EVENT_WRITE:
                connection.flush(monotonic())
            items = connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())
            for item in items:
                self.room.handle(connection.number, item, time(), self.lookout.since)

    # Deliver — to all, one after the other, and nobody is waited for
    def deliver(self) -> None:
        turn, now = self.room.take(time()), monotonic()
        for connection in broadcast(turn, self.connections, now):
            self.watch(connection)
        self.room.delivered(turn, time())

    # Stop — what was said is delivered, what is unsent stays with its session
    def stop(self) -> list[Connection]:
        self.deliver()
        self.selector.close()
        return list(self.connections.values())

    def resume(self, connection: Connection, ready: int) -> None:
        """Let a conversation go on. If it fails, it alone ends."""
        try:
            self.conversations[connection.number].send(ready)
            self.watch(connection)
        except Exception as error:
            failed = not isinstance(error, StopIteration)
            if failed:
                log.exception("connection %d failed, and ends", connection.number)
            self.end(connection, failed=failed)

    def watch(self, connection: Connection) -> None:
        """Tell the selector what this connection waits for now, and note when it is due without that."""
        now = monotonic()
        interest = connection.interest(now)
        registered = self.selector.get_map().get(connection)
        if registered is None and interest:
            self.selector.register(connection, interest)
        elif registered is not None and not interest:
            self.selector.unregister(connection)
        elif registered is not None and registered.events != interest:
            self.selector.modify(connection, interest)
        self.deadlines.plan(connection.number, now if connection.over(now) else connection.session.due(now))

    def end(self, connection: Connection, *, failed: bool = False) -> None:
        if connection in self.selector.get_map():
            self.selector.unregister(connection)
        self.deadlines.forget(connection.number)
        del self.conversations[connection.number], self.connections[connection.number]
        self.room.close(connection.number, failed=failed)
        connection.close()
