"""Checks of switches: each is answered, starts from the running model, and is short. Pure."""

from collections.abc import Iterator

from protocol.messages import ModelSwitched
from tests.checker.history import History
from tests.pace import allowed

MAX_PAUSE_S = allowed(2.0)
"""Seconds for which a switch may pause deliveries, without the time in which a process was stopped: one for slow
clients and one for a busy machine."""


def switches_in(history: History) -> dict[str, list[ModelSwitched]]:
    """Return the switches of each epoch, in order."""
    return {
        epoch: [event for _, event in sorted(order.items()) if isinstance(event, ModelSwitched)]
        for epoch, order in history.orders().items()
    }


def switches_follow_each_other(history: History) -> Iterator[str]:
    """Each switch leads from the model that the members know to another."""
    for member, stay in history.stays():
        model = stay.model
        for event in stay.events:
            if isinstance(event, ModelSwitched):
                if event.before != model or event.model == model:
                    way = f"from {event.before} to {event.model}"
                    yield f"epoch {stay.epoch}: {member.name} was told of a switch {way} in a room run by {model}"
                model = event.model


def every_switch_is_answered(history: History) -> Iterator[str]:
    """A request for a switch is answered: it is done, or it is refused with a reason."""
    for member, stay in history.stays():
        for request in stay.switch_requests:
            if not request.answer and stay.ended - request.requested_at > history.answer_within:
                waited = stay.ended - request.requested_at
                yield f"epoch {stay.epoch}: {member.name} got no answer for {request.model} in {waited:.1f} s"


def switches_are_short(history: History) -> Iterator[str]:
    """A switch pauses deliveries for at most MAX_PAUSE_S, without the time in which a process was stopped."""
    for epoch, switches in switches_in(history).items():
        for event in switches:
            stopped = sum(_overlap(event.at - event.pause, event.at, *stop) for stop in history.stops)
            if event.pause - stopped > MAX_PAUSE_S:
                yield f"epoch {epoch}: the switch to {event.model} (event {event.seq}) took {event.pause:.1f} s"


def _overlap(start: float, end: float, from_: float, to: float) -> float:
    return max(0.0, min(end, to) - max(start, from_))
