"""The process model: a child process for each connection, and pipes to the master, which owns the room.

Shared: nothing. A worker that crashes, or is killed, ends one connection and harms no other.
The price: a process's memory for each connection, and two trips through a pipe for every line.
"""

import logging
from selectors import EVENT_READ, DefaultSelector
from time import monotonic

from server.connection import Connection
from server.control import StopEvent
from server.listener import Listener
from server.models.support.process.fork_server_handle import ForkServer
from server.models.support.process.parked import COLLECT_INTERVAL, WORKERS_AT_ONCE, ParkedConnection, SessionCollector
from server.models.support.process.worker_handle import Worker, WriteScheduler
from server.room.inbox import Inbox
from server.room.room import TICK

log = logging.getLogger("chat.server")


class ProcessModel:
    """Run by `server.handover.run`: it takes over, runs once and again, and stops."""

    def __init__(self, listener: Listener, inbox: Inbox, stopping: StopEvent) -> None:
        self.listener = listener
        self.inbox = inbox
        self.stopping = stopping
        self.peers: dict[int, Worker | ParkedConnection] = {}
        """The worker of each connection; ParkedConnection while it has none, and the master itself serves it."""
        self.scheduler = WriteScheduler()
        self.selector = DefaultSelector()
        self.selector.register(stopping, EVENT_READ)
        try:
            self.fork_server = ForkServer()
        except OSError:
            self.selector.close()  # The model that goes on instead may need this very descriptor.
            raise

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these connections, which another model has served until now."""
        self.park(connections)
        for count, connection in enumerate(connections):
            if self.stopping:
                return
            if connection.number in self.peers:  # Else it has ended meanwhile.
                self.start(connection)
            if count % WORKERS_AT_ONCE == 0:
                self.run_once(0)  # A thousand forks take a second; lines go on being delivered.
        for source in self.listener.sources:
            self.selector.register(source, EVENT_READ)
        self.inbox.end_switch(monotonic())
        self.deliver()

    def run_once(self, timeout: float = TICK) -> list[Worker | ParkedConnection]:
        """The master: sleep until a pipe or a socket is ready, serve each of them, deliver. Returns those it read."""
        heard = []
        for key, ready in self.selector.select(min(timeout, self.scheduler.delay())):
            if key.fileobj in self.listener.sources:
                self.listener.admit(self.start)
            elif key.fileobj is not self.stopping:
                self.read(key.data, ready)
                heard.append(key.data)
        self.deliver()
        return heard

    # Start — one child process for this connection
    def start(self, connection: Connection) -> None:
        worker = Worker(connection, self.fork_server, self.selector, self.scheduler)
        if connection.number in self.peers:
            self.peers[connection.number].close()  # From now on only the worker reads its socket.
        self.peers[connection.number] = worker
        self.inbox.open(connection.number, f"process {worker.pid}", connection.host, worker.pid)

    # Read — the worker reads its socket (`work` in support/process/worker.py), and the master reads the worker's pipe
    def read(self, peer: Worker | ParkedConnection, ready: int) -> None:
        if self.peers.get(peer.number) is not peer:
            return  # It ended earlier in this very round: its descriptors may be another's by now.
        try:
            for item, since in peer.receive(ready):
                self.inbox.handle(peer.number, item, since)
        except Exception:
            log.exception("connection %d failed, and ends", peer.number)
            peer.over = True
        if peer.over:
            self.end(peer)

    # Deliver — write to the workers' pipes, to a few workers in a row, and wait for none; each worker writes its socket
    def deliver(self) -> None:
        outbox = self.inbox.flush(monotonic())
        for number, data, flags in outbox:
            if (peer := self.peers.get(number)) is not None:
                peer.send(data, flags)
        for flushed in self.scheduler.write_next(outbox):
            self.inbox.delivered(flushed, monotonic())

    # StopEvent — ask a few workers at a time for their sessions, and serve these connections until all have come back
    def stop(self) -> list[Connection]:
        for key in list(self.selector.get_map().values()):
            if key.data is None:  # A source of connections, or `stopping`.
                self.selector.unregister(key.fileobj)
        collector = SessionCollector(self.peers)
        while collector.ask() or not self.fork_server.ended():
            for worker in collector.stuck(self.run_once(COLLECT_INTERVAL)):
                self.end(worker)
        self.selector.close()
        return [peer.connection for peer in self.peers.values()]

    def park(self, connections: list[Connection]) -> None:
        """Have the master itself serve these connections. All are known before the first can fail (OSError)."""
        parked = [ParkedConnection(connection, self.selector) for connection in connections]
        self.peers.update((peer.number, peer) for peer in parked)
        for peer in parked:
            peer.listen()

    def end(self, peer: Worker | ParkedConnection) -> None:
        """The connection has ended, or its worker has given it back."""
        del self.peers[peer.number]
        peer.close()
        if (connection := peer.take_back()) is not None:
            self.park([connection])
        else:
            self.inbox.close(peer.number, failed=peer.failed)
            peer.connection.close()
