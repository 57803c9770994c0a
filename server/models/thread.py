"""The thread model: a thread for each connection, and the room behind a lock.

What is shared: everything, and easily, but whoever touches the room must hold the lock. (To see whether something is
`waiting` there, a look is enough: who adds to it delivers.)
The price: a stack for each connection, and every access to the room is thought about twice.
"""

import logging
import selectors
import sys
import threading
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic, time

from server.bell import Bell
from server.broadcast import broadcast
from server.connection import LONGEST_SLEEP, Connection, speakers_first, wait
from server.lookout import Lookout
from server.room.room import TICK, Room
from server.session import Session
from server.sockets import Listener
from server.threads import Threads
from server.wishes import Stop

log = logging.getLogger("chat.server")

MOMENT = 0.02
"""Seconds after which a thread looks up whose peer is leaving: somebody else may be delivering the goodbye just now."""
GLANCE = 2.0
"""Seconds after which a thread looks up for which somebody else writes, or will: its output, or its welcome."""


class ThreadModel:
    """Run by `server.handover.run`: it takes over, runs once and again, and stops."""

    def __init__(self, listener: Listener, room: Room, stopping: Stop) -> None:
        self.listener = listener
        self.room = room
        self.stopping = stopping
        self.connections: dict[int, Connection] = {}
        self.threads = Threads()
        self.writers: dict[int, threading.Thread] = {}
        self.lock = threading.Lock()
        """Guards the room."""
        self.delivering = threading.Lock()
        """Guards what goes out: who holds it writes for everybody."""
        self.bell = Bell()
        """All sleep by it."""
        self.startled = False
        """Something has happened to somebody whose thread may sleep through it."""
        self.selector = selectors.DefaultSelector()
        self.selector.register(stopping, EVENT_READ)
        for source in listener.sources:
            self.selector.register(source, EVENT_READ)

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these, carried over from another model."""
        # All of them before the first thread runs: what it hears is for the others too, started or not.
        self.connections = {connection.number: connection for connection in connections}
        for connection in speakers_first(connections):  # A thousand threads take half a second to start.
            self.start(connection)
        with self.lock:
            self.room.begin(time())
        self.deliver()

    def run_once(self) -> None:
        """The main thread: let newcomers in, and tell what was gathered."""
        for key, _ in self.selector.select(TICK):
            if key.fileobj in self.listener.sources:
                self.listener.admit(self.start_new)
        self.deliver()
        if self.startled:
            self.startled = False  # First: who is startled from now on may sleep by the next ring already.
            if not self.bell.ring():
                self.startled = True

    # Start — somebody is here
    def start(self, connection: Connection) -> None:
        self.connections[connection.number] = connection
        with self.lock:
            self.room.open(connection.number, f"thread {connection.number}", connection.host)
        self.threads.start(self.read, connection)

    def start_new(self, connection: Connection) -> None:
        """The same, but a connection that cannot be served leaves no trace."""
        try:
            self.start(connection)
        except OSError:
            del self.connections[connection.number]
            with self.lock:
                self.room.close(connection.number)
            raise

    # Read — one connection's thread, which sleeps until there is something to do
    def read(self, connection: Connection) -> None:
        lookout = Lookout()
        try:
            while not connection.over(monotonic()) and not self.stopping:
                ring = self.bell.next  # First: what happens from now on rings this one.
                if connection.session.unsent:  # It came with this from another model, or no thread was to be had.
                    with self.delivering:
                        self.catch_up(connection)
                if self.room.waiting:
                    self.deliver()
                interest = connection.interest(monotonic()) & EVENT_READ
                ready = lookout.wait(wait, connection, ring.fileno(), interest, patience(connection.session))
                if connection.session.unsent:  # Before it is judged: we may have been stopped, and not it.
                    with self.delivering:
                        connection.flush(monotonic())
                items = connection.read(monotonic()) if ready & EVENT_READ else connection.advance(monotonic())
                with self.lock:
                    for item in items:
                        self.room.handle(connection.number, item, time(), lookout.since)
        except Exception:
            log.exception("connection %d failed, and ends", connection.number)
            self.end(connection, failed=True)
        else:
            if connection.over(monotonic()):
                self.end(connection)

    # Deliver — by the thread that spoke. Waking a thousand writers for a line is what kills: so whoever gets the lock
    # takes all that was said and writes it for everybody, and the others go on without waiting
    def deliver(self) -> None:
        while self.delivering.acquire(blocking=False):
            try:
                with self.lock:
                    turn, now = self.room.take(time()), monotonic()
                for connection in broadcast(turn, self.connections, now):
                    self.catch_up(connection)
                    if connection.session.startled:
                        self.startled = True
                with self.lock:
                    self.room.delivered(turn, time())
            finally:
                self.delivering.release()
            # Said after we took the turn, while we held the lock: its speaker has gone on and relies on us.
            if not self.room.waiting:
                return

    # Stop — wake all threads, and wait until they are gone
    def stop(self) -> list[Connection]:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1.0)  # Else each of a thousand would ask for the interpreter two hundred times a second.
        try:
            self.stopping.ask()
            self.bell.toll()
            self.threads.join()
        finally:
            sys.setswitchinterval(interval)
        self.deliver()
        self.selector.close()
        return list(self.connections.values())

    def catch_up(self, connection: Connection) -> None:
        """Called with `delivering` held: a connection that did not take it all gets a writer until it has."""
        if connection.session.unsent and connection.number not in self.writers and not self.stopping:
            try:
                self.writers[connection.number] = self.threads.start(self.write, connection)
            except OSError as error:
                self.startled = True
                log.warning("no writer for connection %d yet: %s", connection.number, error.strerror)

    def write(self, connection: Connection) -> None:
        """A slow connection's second thread."""
        caught_up = False
        while not caught_up and not self.stopping:
            ring = self.bell.next
            wait(connection, ring.fileno(), EVENT_WRITE)
            with self.delivering:
                connection.flush(monotonic())
                with self.lock:
                    for item in connection.session.expire(monotonic()):
                        self.room.handle(connection.number, item, time())
                over = connection.over(monotonic())
                caught_up = over or not connection.session.unsent
                if over:
                    connection.hang_up()  # Which wakes its own thread, if that listens to it,
                    self.startled = True  # and so does the bell, if not.
                if caught_up:
                    self.writers.pop(connection.number, None)
            self.deliver()

    def end(self, connection: Connection, *, failed: bool = False) -> None:
        with self.lock:
            self.room.close(connection.number, failed=failed)
        with self.delivering:
            del self.connections[connection.number]
            writer = self.writers.pop(connection.number, None)
        connection.hang_up()
        if writer is not None:
            writer.join()  # Closed any earlier, its descriptor could already be somebody else's.
        connection.close()
        self.deliver()


def patience(session: Session) -> float:
    """For how many seconds a thread may sleep, as others may do what it waits for."""
    if session.parting and not session.closing:
        return MOMENT
    welcomed_by_others = session.introduced and not session.joined
    return GLANCE if session.unsent or welcomed_by_others else LONGEST_SLEEP
