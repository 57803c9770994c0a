"""Runs the room by one model, and hands every connection over to the next.

The rules, after a switch from one model to another:
1. No code of the old model runs: no thread, no child and no registered socket of it is left.
2. No connection is dropped, and no line is lost, doubled or delivered in another order, also of those in flight.
3. If a model fails to start, or to take over all connections, the previous one goes on, and the operator is told why.
   If that one fails too, or a model fails later, the event model goes on, which needs neither threads nor processes.
4. There is one switch at a time, until the new model serves all connections. A second one is refused.
5. A slow or hostile connection delays a switch by a second at most: it is handed over with its unsent output, or ended
   with a reason if it has reached its own limit.
6. New connections wait in the listen queue meanwhile, and are served by the new model.

A switch stops reading, applies the requests to the room, and returns the sessions with their sockets and unsent output.
The room itself stays, so its order goes on. With a process or a thread for each connection a switch takes long, so it
is done for a few connections at a time, and lines are delivered meanwhile: see
`server.models.support.process.parked` and `server.connection.readable_first`.
"""

import logging
import selectors
from collections.abc import Callable
from time import monotonic
from typing import NoReturn, Protocol

from protocol.format import plural
from protocol.messages import Model
from server.connection import Connection, broadcast
from server.control import ServerControl, StopEvent
from server.listener import Listener
from server.models.event import EventModel
from server.models.process import ProcessModel
from server.models.thread import ThreadModel
from server.room.inbox import Inbox
from server.room.room import Room

FINAL_FLUSH_TIMEOUT = 0.2
"""Seconds for the goodbyes at least, also if stopping took long."""

MAX_FAILURES = 3
"""Models that may fail one after the other without a round served, before the server gives up."""

log = logging.getLogger("chat.server")


class ConcurrencyModel(Protocol):
    """The interface of a model: `run` calls `take_over` once, `run_once` again and again, and `stop`."""

    def take_over(self, connections: list[Connection]) -> None:
        """Serve these connections, and announce it. Raises OSError if the system has too few resources left."""

    def run_once(self) -> object:
        """Wait for work, for a short time at most, and do it."""

    def stop(self) -> list[Connection]:
        """Return all connections. No code of the model runs any more."""


MODELS: dict[Model, Callable[[Listener, Inbox, StopEvent], ConcurrencyModel]] = {
    Model.PROCESS: ProcessModel,
    Model.THREAD: ThreadModel,
    Model.EVENT: EventModel,
}


class CannotStart(Exception):
    """The first model cannot start; the message is a sentence."""


class Failed(Exception):
    """A model has ended by an error, which is the cause. `connections` holds the connections that it had then."""

    def __init__(self, error: Exception, connections: list[Connection], began: bool, rounds: int) -> None:
        """`began` says whether it took over all connections, `rounds` how often it ran."""
        self.expected = isinstance(error, OSError) and not began
        """The system had too few resources left, which is no bug."""
        words = getattr(error, "strerror", None) or error
        super().__init__(f"the system has too little left ({words})" if self.expected else "it has failed; see the log")
        self.connections = connections
        self.began = began
        self.rounds = rounds


def serve(listener: Listener, room: Room, control: ServerControl) -> None:
    """Serve by the requested model until the server is asked to end, then say goodbye to all connections.

    Raises CannotStart if the first model cannot start, and the last error if no model can go on.
    """
    connections: list[Connection] = []
    inbox = Inbox(room)
    listener.on_evicted = inbox.evict
    model = before = room.model
    started, failed = False, 0
    try:
        while not control.closing:
            try:
                connections = run(model, listener, connections, inbox, control.stop)
                started, failed = True, 0
            except Failed as failure:
                connections, started = failure.connections, started or failure.began
                failed = 0 if failure.rounds else failed + 1
                if not started or failed > MAX_FAILURES:
                    raise_failure(model, failure)
                model = before = fallback_for(model, before, failure, room)
            control.stop.clear()
            if control.model is not None and not control.closing:
                before, model, control.model = model, control.model, None
                room.switch_to(model, monotonic())
    except BaseException:
        control.close("the server has failed")
        raise
    finally:
        listener.reject_waiting(control.closing)
        close_all(connections, inbox, control)


def run(
    model: Model, listener: Listener, connections: list[Connection], inbox: Inbox, stop: StopEvent
) -> list[Connection]:
    """Run one model until it is stopped; returns its connections. Raises Failed."""
    behind = sum(bool(connection.session.unsent) for connection in connections)
    also = f", {behind} with unsent output" if behind else ""
    log.info("the %s model takes %s over%s", model, plural(len(connections), "connection"), also)
    running, began, rounds = None, False, 0
    try:
        running = MODELS[model](listener, inbox, stop)
        running.take_over(connections)
        began = True
        while not stop:
            running.run_once()
            listener.wake_if_waiting()
            rounds += 1
        connections = running.stop()
    except Exception as error:
        raise Failed(error, stop_failed_model(running) if running else connections, began, rounds) from error
    for connection in connections:
        connection.session.cancel_block()
    return connections


def stop_failed_model(model: ConcurrencyModel) -> list[Connection]:
    """Stop a model that has failed; returns the connections that it has now."""
    try:
        return model.stop()
    except Exception:
        log.exception("the model also failed to stop")
        return model.stop()  # The output that it could not deliver is gone by now.


def fallback_for(model: Model, before: Model, failure: Failed, room: Room) -> Model:
    """The model that goes on after `model` has failed: the previous one, or the event model, which needs the least."""
    mistake = None if failure.expected else failure.__cause__
    if room.next_model and model is not before:
        log.warning("the switch failed, back to %s: %s", before, failure, exc_info=mistake)
        room.switch_failed(str(failure))
        return before
    log.error("the %s model has failed, and the event model goes on: %s", model, failure, exc_info=mistake)
    if model is not Model.EVENT:
        room.announce(f"the {model} model has failed, and the event model goes on", monotonic())
        room.switch_to(Model.EVENT, monotonic())
    return Model.EVENT


def raise_failure(model: Model, failure: Failed) -> NoReturn:
    """Raise the error of the last model that could be tried."""
    if failure.expected:
        raise CannotStart(f"the {model} model cannot start: {failure}") from failure
    raise failure.__cause__ or failure


def close_all(connections: list[Connection], inbox: Inbox, control: ServerControl) -> None:
    """Say goodbye to all connections, send queued bytes until the deadline, and close."""
    try:
        inbox.apply(monotonic())  # A model that has failed may have left requests.
        inbox.room.disconnect_all(control.closing)
        numbered = {connection.number: connection for connection in connections}
        broadcast(inbox.flush(monotonic()), numbered, monotonic())
    except Exception:
        log.exception("the goodbye could not be sent to all connections")
    deadline = max(control.deadline, monotonic() + FINAL_FLUSH_TIMEOUT)
    with selectors.PollSelector() as selector:  # poll(2) needs no descriptor: there may be none left.
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
