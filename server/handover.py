"""Runs the room by one model, and hands every connection over to the next.

The rules, after a switch from one model to another:
1. No code of the old model runs: no thread, no child and no registered socket of it is left.
2. Nobody is dropped, and no line is lost, doubled or told in another order, whatever was in flight.
3. A model that fails to start, or to take all of them over, hands back to the one before; the operator hears why. Where
   that one cannot go on either, the event model does, which needs neither threads nor processes.
4. There is one switch at a time. A second one is refused.
5. A slow or hostile connection does not delay a switch beyond a second: it is carried over with what it has not taken
   yet, or let go with a reason if its own limit was reached.
6. New connections wait in the listen queue meanwhile, and are served by the new model.

How: stop reading, drain what the room was told, carry over what is unsent, return the sessions with their sockets. The
room itself never moves, so its order goes on where it was. With a process for each connection that takes long, so it is
done for a few at a time, and the others talk on meanwhile.
"""

import logging
import selectors
from collections.abc import Callable
from time import monotonic, time

from protocol.messages import Model
from protocol.text import counted
from server.connection import Connection
from server.models import event, process, thread
from server.room.room import Room
from server.session import LINGER
from server.sockets import CannotStart, Listener, Stop

log = logging.getLogger("chat.server")

Run = Callable[[Listener, list[Connection], Room, Stop], list[Connection]]
MODELS: dict[Model, Run] = {Model.PROCESS: process.run, Model.THREAD: thread.run, Model.EVENT: event.run}


class Wishes:
    """What has been asked of the running model, from a signal handler, the room or another thread."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.model: Model | None = None
        self.asked_at = 0.0
        """When `model` was asked for, in seconds since the epoch: from then on nothing is delivered."""
        self.closing = ""
        """Why the server ends, once it has been asked to."""

    def switch(self, model: Model) -> bool:
        """Ask for another model; False while a switch is under way."""
        if self.model is not None or self.closing:
            return False
        self.model, self.asked_at = model, time()
        self.stop.ask()
        return True

    def close(self, reason: str) -> None:
        """Ask the server to end."""
        self.closing = reason
        self.stop.ask()


def serve(listener: Listener, room: Room, wishes: Wishes) -> None:
    """Serve until asked to close, by whichever model is asked for, then say goodbye to everybody.

    Raises CannotStart where the first model cannot start.
    """
    connections: list[Connection] = []
    model = before = room.model
    started = False
    while not wishes.closing:
        try:
            connections = run(model, listener, connections, room, wishes.stop)
            started = True
        except CannotStart as failure:
            if not started or before is Model.EVENT is model:
                raise
            connections = failure.connections
            if model is not before:
                log.warning("the switch failed, back to %s: %s", before, failure)
                room.switch_failed(str(failure))
                model = before
            else:
                log.error("the %s model cannot go on, and the event model takes over: %s", before, failure)
                model = before = Model.EVENT  # It needs neither threads nor processes.
                room.switching(model, time())
        wishes.stop.clear()
        if wishes.model is not None and not wishes.closing:
            before, model, wishes.model = model, wishes.model, None
            room.switching(model, wishes.asked_at)
    farewell(connections, room, wishes.closing)


def run(model: Model, listener: Listener, connections: list[Connection], room: Room, stop: Stop) -> list[Connection]:
    """Run one model until it is stopped. Raises CannotStart."""
    log.info("the %s model takes %s over", model, counted(len(connections), "connection"))
    try:
        return MODELS[model](listener, connections, room, stop)
    except OSError as error:  # Before it took anybody over: no descriptor for its selector.
        raise CannotStart(str(error), connections) from error


def farewell(connections: list[Connection], room: Room, reason: str) -> None:
    """Tell everybody that the server ends, give them LINGER seconds to take what is queued, and close."""
    room.dismiss_all(reason)
    numbered = {connection.number: connection for connection in connections}
    for number, data, mark in room.take(time()):
        if number in numbered:
            numbered[number].send(data, mark, monotonic())
    deadline = monotonic() + LINGER
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            if connection.session.unsent:
                selector.register(connection, selectors.EVENT_WRITE, connection)
        while selector.get_map() and (left := deadline - monotonic()) > 0:
            for key, _ in selector.select(left):
                key.data.flush(monotonic())
                if not key.data.session.unsent:
                    selector.unregister(key.data)
    for connection in connections:
        connection.close()
