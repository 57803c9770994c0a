"""The process model: a child process for each connection, and pipes to the master, which owns the room.

What is shared: nothing. A worker that crashes, or is killed, ends one connection and harms nobody else.
The price: a process's memory for each connection, and two trips through a pipe for everything said.
"""

import logging
import selectors
from itertools import islice
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic, time

from server.connection import Connection
from server.processes.forking import Nursery
from server.processes.frames import ECHO, ENDED, FAILURE, ITEM, RETURN, SESSION, item_in, pack, pack_delivery
from server.processes.workers import Echoes, Worker, WorkerFailed
from server.room.room import TICK, Room
from server.sockets import CannotStart, Listener, Stop, turn_away

log = logging.getLogger("chat.server")

WAKING = 25e-6
"""Seconds of processor that waking one worker takes. Nobody is woken more often than all can be."""
GANG = 32
"""Workers that begin, or give their session back, at a time."""
PATIENCE = 0.8
"""Seconds a worker has to give its session back, before it is taken to be stuck."""


def run(listener: Listener, connections: list[Connection], room: Room, stop: Stop) -> list[Connection]:
    """Serve until `stop`, and give the connections back."""
    model = ProcessModel(listener, room, stop)
    model.held = {connection.number: connection for connection in connections}
    for count, connection in enumerate(connections):
        try:
            model.start(connection)
        except OSError as error:
            raise CannotStart(f"no process: {error.strerror}", model.stop()) from error
        if count % GANG == 0:
            model.turn()  # A thousand forks take a second: let those who have a worker talk meanwhile.
    room.begin(time())
    while not stop:
        model.turn()
    return model.stop()


class ProcessModel:
    def __init__(self, listener: Listener, room: Room, stop: Stop) -> None:
        self.listener = listener
        self.room = room
        self.stopping = stop
        self.nursery = Nursery()
        self.workers: dict[int, Worker] = {}
        self.held: dict[int, Connection] = {}
        """Connections without a worker, before it has begun or after it has ended: the master writes to them itself."""
        self.leaving: dict[int, tuple[float, list[tuple[bytes, int]]]] = {}
        """Workers asked for their session: until when they have time, and what has come for them meanwhile."""
        self.echoes = Echoes()
        self.deliver_at = 0.0
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, EVENT_READ)
        self.selector.register(stop, EVENT_READ)

    def turn(self) -> None:
        """The master: hear what the workers say, let newcomers in, then tell everybody what it brought."""
        wait = max(0.0, self.deliver_at - monotonic()) if self.room.waiting else 0 if self.held else TICK
        for key, ready in self.selector.select(wait):
            if isinstance(key.data, Worker):
                self.resume(key.data, ready)
            elif key.fileobj is self.listener:
                for connection in self.listener.accept():
                    try:
                        self.start(connection)
                    except OSError as error:
                        log.warning("no process for connection %d: %s", connection.number, error)
                        turn_away(connection, "full", f"the room is full: no process for you ({error.strerror})")
        if monotonic() >= self.deliver_at:
            self.deliver()
            self.deliver_at = monotonic() + WAKING * len(self.workers)

    # Start — somebody is here
    def start(self, connection: Connection) -> None:
        worker = self.workers[connection.number] = Worker(connection, self.nursery, self.selector)
        self.held.pop(connection.number, None)
        self.room.open(connection.number, f"process {worker.pid}", connection.host)

    # Read — what a worker says to the room; what it reads from its peer, nobody else ever sees
    def read(self, worker: Worker) -> None:
        number = worker.connection.number
        frames = worker.receive()
        if frames is None:
            self.end(worker)
            return
        for kind, payload in frames:
            if kind == ITEM:
                self.room.handle(number, item_in(payload), time())
            elif kind == ECHO:
                if (turn := self.echoes.came(payload)) is not None:
                    self.room.delivered(turn, time())
            else:
                worker.last_word = kind
                if kind == FAILURE:
                    log.error("connection %d failed, and ends", number, exc_info=WorkerFailed(payload.decode()))
                elif kind == SESSION:
                    self.take_back(worker, payload)

    # Deliver — into each worker's pipe, and nobody is waited for; to many goes the same frame
    def deliver(self) -> None:
        last, frame, worker = b"", b"", None
        turn = self.room.take(time())
        for number, data, mark in turn:
            if number in self.leaving:
                self.leaving[number][1].append((data, mark))
            elif number in self.held:
                self.held[number].send(data, mark, monotonic())
            elif (worker := self.workers.get(number)) is not None:
                if mark or data is not last:
                    last, frame = data, pack_delivery(data, mark)
                if not worker.send(frame):
                    log.warning("process %d does not read its pipe, and its connection ends", worker.pid)
                    self.kill(worker)
        if worker is not None and turn.said_at:
            self.echoes.ask(worker, turn)

    # Stop — ask each worker for its session, a few at a time, while the others go on; what was unsent comes with it
    def stop(self) -> list[Connection]:
        self.selector.unregister(self.listener)
        self.selector.unregister(self.stopping)
        asked = iter(list(self.workers.values()))
        while self.workers:
            for worker in islice(asked, GANG - len(self.leaving)):
                if worker.connection.number in self.workers:
                    self.leaving[worker.connection.number] = (monotonic() + PATIENCE, [])
                    worker.send(pack(RETURN))
            for key, ready in self.selector.select(PATIENCE / 10):
                self.resume(key.data, ready)
            for number in [number for number, (until, _) in self.leaving.items() if until < monotonic()]:
                log.warning("process %d is stuck, and its connection ends", self.workers[number].pid)
                self.kill(self.workers[number])
            self.deliver()
        self.deliver()
        self.selector.close()
        self.nursery.close()
        return list(self.held.values())

    def resume(self, worker: Worker, ready: int) -> None:
        """Go on with a worker. If the room fails over what it says, it alone ends."""
        try:
            if ready & EVENT_WRITE:
                worker.flush()
            if ready & EVENT_READ and worker.connection.number in self.workers:
                self.read(worker)
        except Exception:
            log.exception("connection %d failed, and ends", worker.connection.number)
            self.kill(worker)

    def take_back(self, worker: Worker, payload: bytes) -> None:
        """A worker has given its session back, and ends."""
        worker.take_back(payload)
        connection = self.held[worker.connection.number] = worker.connection
        _, meanwhile = self.forget(worker)
        for data, mark in meanwhile:
            connection.send(data, mark, monotonic())

    def end(self, worker: Worker) -> None:
        """A worker has ended, and with it its connection."""
        self.forget(worker)
        if not worker.last_word:
            log.warning("process %d died, and its connection ends", worker.pid)
        self.room.close(worker.connection.number, failed=worker.last_word != ENDED)
        worker.connection.close()

    def forget(self, worker: Worker) -> tuple[float, list[tuple[bytes, int]]]:
        worker.close()
        del self.workers[worker.connection.number]
        return self.leaving.pop(worker.connection.number, (0.0, []))

    def kill(self, worker: Worker) -> None:
        worker.kill()
        self.end(worker)
