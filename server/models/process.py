"""The process model: a child process for each connection, and pipes to the master, which owns the room.

What is shared: nothing. A worker that crashes, or is killed, ends one connection and harms nobody else.
The price: a process's memory for each connection, and two trips through a pipe for everything said.
"""

import logging
import selectors
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic, time

from server.connection import Connection
from server.processes.forking import ForkServer
from server.processes.held import Held
from server.processes.recall import GANG, LOOK, Recall
from server.processes.rounds import Rounds
from server.processes.workers import Worker
from server.room.room import TICK, Room
from server.session import Mark
from server.sockets import Listener
from server.wishes import Stop

log = logging.getLogger("chat.server")


class ProcessModel:
    """Run by `server.handover.run`: it takes over, runs once and again, and stops."""

    def __init__(self, listener: Listener, room: Room, stopping: Stop) -> None:
        self.listener = listener
        self.room = room
        self.stopping = stopping
        self.workers: dict[int, Worker] = {}
        self.rounds = Rounds()
        self.selector = selectors.DefaultSelector()
        self.selector.register(stopping, EVENT_READ)
        self.held = Held(self.selector, room)
        try:
            self.forkserver = ForkServer()
        except OSError:
            self.selector.close()  # The model that goes on instead may need this very descriptor.
            raise

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these, carried over from another model."""
        self.held.hold_all(connections)
        for count, connection in enumerate(connections):
            if self.stopping:
                return
            if connection.number in self.held:  # Else it has ended since.
                self.start(connection)
            if count % GANG == 0:
                self.run_once(0)  # A thousand forks take a second: let everybody talk meanwhile.
        for source in self.listener.sources:
            self.selector.register(source, EVENT_READ)
        self.room.begin(time())
        self.deliver()

    def run_once(self, most: float = TICK) -> None:
        """The master: hear what the workers say, let newcomers in, then tell everybody what it brought."""
        self.listen(most)
        self.deliver()

    def listen(self, most: float) -> list[Worker]:
        """Wait, at most so many seconds, for whoever says something; returns the workers among them."""
        heard = []
        for key, ready in self.selector.select(min(most, self.rounds.due())):
            if isinstance(key.data, Worker):
                self.resume(key.data, ready)
                heard.append(key.data)
            elif isinstance(key.data, Connection):
                self.held.hear(key.data)
            elif key.fileobj in self.listener.sources:
                self.listener.admit(self.start)
        return heard

    # Start — somebody is here
    def start(self, connection: Connection) -> None:
        worker = self.workers[connection.number] = Worker(connection, self.forkserver, self.selector)
        self.held.release(connection)
        self.room.open(connection.number, f"process {worker.pid}", connection.host, worker.pid)

    # Read — what a worker says to the room; what it reads from its peer (`server.processes.worker`), nobody else sees
    def read(self, worker: Worker) -> None:
        for item, since in worker.receive():
            self.room.handle(worker.number, item, time(), since)
        for turn in worker.arrived():
            self.room.delivered(turn, time())
        if worker.over:
            self.end(worker)

    # Deliver — into each worker's pipe, to a few in a row, and nobody is waited for
    def deliver(self) -> None:
        turn, now = self.room.take(time()), monotonic()
        for number, data, mark in turn:
            if mark & Mark.KILL:
                self.strike(number)
            if number in self.held:
                self.held[number].send(data, mark, now)
            elif (worker := self.workers.get(number)) is not None:
                self.rounds.add(worker)
                if not worker.send(data, mark):
                    self.kill(worker, "does not read its pipe")
        if self.rounds.last is None:
            self.room.delivered(turn, time())
        elif turn.said_at:
            self.rounds.last.follow(turn)
        self.rounds.go()

    # Stop — ask each worker for its session, a few at a time, and serve who is left without one; then nobody reads more
    def stop(self) -> list[Connection]:
        for key in list(self.selector.get_map().values()):
            if key.data is None:  # The sources of connections, and the request to stop.
                self.selector.unregister(key.fileobj)
        recall = Recall(self.workers)
        while self.workers or not self.forkserver.ended():
            recall.ask()
            for worker in recall.stuck(self.listen(LOOK)):
                self.kill(worker, "is stuck")
            self.deliver()
        self.selector.close()
        return list(self.held.values())

    def resume(self, worker: Worker, ready: int) -> None:
        """Go on with a worker. If the room fails over what it says, it alone ends."""
        if worker.number not in self.workers:
            return  # It ended in this very turn: its descriptors may be somebody else's by now.
        try:
            if ready & EVENT_WRITE:
                worker.flush()
            if ready & EVENT_READ:
                self.read(worker)
        except Exception:
            log.exception("connection %d failed, and ends", worker.number)
            worker.kill()
            self.end(worker)

    def end(self, worker: Worker) -> None:
        """A worker has ended, and with it its connection, unless it has given the session back."""
        if self.workers.pop(worker.number, None) is None:
            return
        self.rounds.forget(worker)
        worker.close()
        if worker.returned:
            self.held.hold(worker.take_back())
        else:
            self.room.close(worker.number, failed=worker.failed)
            worker.connection.close()

    def strike(self, number: int) -> None:
        """Chaos: kill a worker, if there is one. Its last words are heard first: it may have given its session back."""
        if (worker := self.workers.get(number)) is not None:
            self.resume(worker, EVENT_READ)
        if worker is not None and number in self.workers and not worker.returned:
            self.room.killed(number, time())
            self.kill(worker, "was killed on purpose")

    def kill(self, worker: Worker, why: str) -> None:
        log.warning("process %d %s, and its connection ends", worker.pid, why)
        worker.kill()
        self.end(worker)
