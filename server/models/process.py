"""The process model: one child process (a worker) serves each connection, and the master process owns the room.

Shared: nothing. Workers and master exchange messages through pipes. A worker that crashes ends only its connection.
The price: the memory of a process for each connection, and two trips through a pipe for each line.
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
from server.room.room import TICK_S

log = logging.getLogger("chat.server")


class ProcessModel:
    """`server.handover.run` calls `take_over` once, `run_once` in a loop, and `stop` at the end."""

    def __init__(self, listener: Listener, inbox: Inbox, stopping: StopEvent) -> None:
        self.listener = listener
        self.inbox = inbox
        self.stopping = stopping
        self.peers: dict[int, Worker | ParkedConnection] = {}
        """The worker of each connection, or a ParkedConnection while the master itself serves the connection."""
        self.scheduler = WriteScheduler()
        self.selector = DefaultSelector()
        self.selector.register(stopping, EVENT_READ)
        try:
            self.fork_server = ForkServer()
        except OSError:
            self.selector.close()  # The previous model goes on, and may need this descriptor.
            raise

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these connections, which another model has served until now."""
        self.park(connections)
        for count, connection in enumerate(connections):
            if self.stopping:
                return
            if connection.number in self.peers:  # Otherwise it has ended meanwhile.
                self.start(connection)
            if count % WORKERS_AT_ONCE == 0:
                self.run_once(0)  # A thousand forks take a second: deliver lines meanwhile.
        for source in self.listener.sources:
            self.selector.register(source, EVENT_READ)
        self.inbox.end_switch(monotonic())
        self.deliver()

    def run_once(self, timeout: float = TICK_S) -> list[Worker | ParkedConnection]:
        """The master: sleep until a pipe or a socket is ready, read it, and deliver. Returns the peers that it read."""
        served = []
        for key, ready in self.selector.select(min(timeout, self.scheduler.delay())):
            if key.fileobj in self.listener.sources:
                self.listener.admit(self.start)
            elif key.fileobj is not self.stopping:
                self.read(key.data, ready)
                served.append(key.data)
        self.deliver()
        return served

    # Start: one worker for each connection
    def start(self, connection: Connection) -> None:
        worker = Worker(connection, self.fork_server, self.selector, self.scheduler)
        if connection.number in self.peers:
            self.peers[connection.number].close()  # From now on only the worker reads its socket.
        self.peers[connection.number] = worker
        self.inbox.open(connection.number, f"process {worker.pid}", connection.host, worker.pid)

    # Read: the worker reads its socket (`work` in support/process/worker.py), and the master reads the worker's pipe
    def read(self, peer: Worker | ParkedConnection, ready: int) -> None:
        if self.peers.get(peer.number) is not peer:
            return  # It ended earlier in this round, and its descriptors may have been reused.
        try:
            for item, since in peer.receive(ready):
                self.inbox.handle(peer.number, item, since)
        except Exception:
            log.exception("connection %d failed, and ends", peer.number)
            peer.is_over = True
        if peer.is_over:
            self.end(peer)

    # Deliver: the master writes to the pipes of a few workers at a time, and never waits. A worker writes to its socket
    def deliver(self) -> None:
        outbox = self.inbox.flush(monotonic())
        for number, data, flags in outbox:
            if (peer := self.peers.get(number)) is not None:
                peer.send(data, flags)
        for flushed in self.scheduler.write_next(outbox):
            self.inbox.delivered(flushed, monotonic())

    # Stop: each worker returns its session, a few workers at a time. The master serves these connections meanwhile
    def stop(self) -> list[Connection]:
        for key in list(self.selector.get_map().values()):
            if key.data is None:  # A source of connections, or `stopping`.
                self.selector.unregister(key.fileobj)
        collector = SessionCollector(self.peers)
        while collector.request_sessions() or not self.fork_server.has_ended():
            for worker in collector.kill_stuck(self.run_once(COLLECT_INTERVAL)):
                self.end(worker)
        self.selector.close()
        return [peer.connection for peer in self.peers.values()]

    def park(self, connections: list[Connection]) -> None:
        """Let the master itself serve these connections. Raises OSError, but then all of them are in `peers`."""
        parked = [ParkedConnection(connection, self.selector) for connection in connections]
        self.peers.update((peer.number, peer) for peer in parked)
        for peer in parked:
            peer.listen()

    def end(self, peer: Worker | ParkedConnection) -> None:
        """The connection has ended, or its worker has returned it."""
        del self.peers[peer.number]
        peer.close()
        if (connection := peer.take_back()) is not None:
            self.park([connection])
        else:
            self.inbox.close(peer.number, failed=peer.failed)
            peer.connection.close()
