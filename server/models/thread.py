"""The thread model: one thread serves each connection, and a lock guards the room and the sockets.

Shared: everything. A thread must hold `lock` to flush the inbox and to write to any socket.
The price: a stack for each connection, and care at every access to shared data.
"""

import logging
import threading
from selectors import EVENT_READ
from time import monotonic

from server.connection import Connection, broadcast, readable_first
from server.control import StopEvent
from server.listener import Listener
from server.models.support.poller import Poller
from server.models.support.threads import Threads, Waiter
from server.room.inbox import Inbox
from server.room.room import TICK_S

log = logging.getLogger("chat.server")


class ThreadModel:
    """`server.handover.run` calls `take_over` once, `run_once` in a loop, and `stop` at the end."""

    def __init__(self, listener: Listener, inbox: Inbox, stopping: StopEvent) -> None:
        self.listener = listener
        self.inbox = inbox
        self.stopping = stopping
        self.connections: dict[int, Connection] = {}
        self.threads = Threads(stopping)
        self.lock = threading.Lock()
        """The thread that holds it flushes the inbox and writes to all sockets."""
        self.poller = Poller(*listener.sources, stopping)

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these connections, which another model has served until now."""
        # All are known before the first thread runs, because the lines that it reads are for all of them.
        self.connections = {connection.number: connection for connection in connections}
        for connection in readable_first(connections):  # To start a thousand threads takes half a second.
            self.start(connection)
        with self.lock:
            self.inbox.end_switch(monotonic())
        self.deliver()

    def run_once(self) -> None:
        """The main thread: sleep until a connection can be accepted or the room has a timed event, and deliver."""
        for source, _ in self.poller.select(TICK_S):
            if source in self.listener.sources:
                self.listener.admit(self.start)
        self.deliver()

    # Start: one thread for each connection
    def start(self, connection: Connection) -> None:
        self.threads.start(self.read, connection)

    # Read: the thread's whole life. It sleeps until its socket is ready or another thread wakes it
    def read(self, connection: Connection, waiter: Waiter) -> None:
        self.connections[connection.number] = connection
        self.inbox.open(connection.number, f"thread {connection.number}", connection.host)
        try:
            while not self.stopping and not connection.is_over(monotonic()):
                ready = waiter.wait()
                if connection.session.unsent:
                    with self.lock:
                        connection.flush(monotonic())
                    self.deliver()  # Another thread may have failed to get the lock meanwhile.
                items = connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())
                for item in items:
                    self.inbox.handle(connection.number, item, waiter.ready_since)
                if self.inbox.has_work:
                    self.deliver()
        except Exception:
            log.exception("connection %d failed, and ends", connection.number)
            self.end(connection, failed=True)
        else:
            if connection.is_over(monotonic()):
                self.end(connection)

    # Deliver: the thread that gets the lock writes to all sockets, and the other threads go on without waiting. Waking
    # a thousand threads for each line would cost more than writing the line a thousand times
    def deliver(self) -> None:
        while self.lock.acquire(blocking=False):
            try:
                outbox = self.inbox.flush(monotonic())
                for connection in broadcast(outbox, self.connections, monotonic()):
                    self.threads.wake(connection)  # Its socket is full, or the room has changed its state.
                self.inbox.delivered(outbox, monotonic())
            finally:
                self.lock.release()
            # Threads that appended requests since the flush did not get the lock, so this thread delivers for them.
            if not self.inbox.has_work:
                return

    # Stop: `stopping` wakes all threads, and each returns
    def stop(self) -> list[Connection]:
        self.stopping.set()
        self.threads.join()
        self.deliver()
        self.poller.close()
        return list(self.connections.values())

    def end(self, connection: Connection, *, failed: bool = False) -> None:
        self.inbox.close(connection.number, failed=failed)
        with self.lock:  # Another thread may be writing to this socket.
            del self.connections[connection.number]
        connection.close()
        self.deliver()
