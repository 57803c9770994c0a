"""Checks of the plain dialect, in which lines have no seq. Pure."""

from collections.abc import Iterator

from protocol import plain_text
from protocol.messages import Said
from tests.checker.history import Ending, History, PlainStay, said_in


def plain_clients_get_the_order(history: History) -> Iterator[str]:
    """A plain client gets the lines of the others in the one order, up to the end.

    After the end of a server, it may have got last lines that no rich client got.
    """
    orders = {epoch: said_in(order) for epoch, order in history.orders().items()}
    for person in history.plain:
        for stay in person.stays:
            written = [(line, said.text) for said in orders.get(stay.epoch, []) for line in _written(said)]
            to_the_end = person.present_at_end and stay is person.stays[-1]
            ended = stay.epoch != history.epoch
            if words := _misread(stay, written, to_the_end, ended):
                yield f"epoch {stay.epoch}: {person.name} {words}"


def plain_lines_are_delivered(history: History) -> Iterator[str]:
    """The lines of a plain client are delivered in order: all of them, or the first ones if the connection was cut."""
    orders = {epoch: said_in(order) for epoch, order in history.orders().items()}
    for person in history.plain:
        for stay in person.stays:
            own = set(stay.said)
            told = [said.text for said in orders.get(stay.epoch, []) if not said.id and said.text in own]
            whole = stay.ending is Ending.QUIT
            if told != (stay.said if whole else stay.said[: len(told)]):
                lost = [text for text in stay.said if text not in set(told)]
                which = f", the first of them {lost[0][:60]!r}" if lost else ", in another order"
                yield f"epoch {stay.epoch}: of {person.name}'s {len(stay.said)} lines {len(told)} were told{which}"


def _misread(stay: PlainStay, written: list[tuple[str, str]], to_the_end: bool, ended: bool) -> str:
    """Describe the first difference between the lines a client got and `written`, the order; empty without one."""
    own = set(stay.said)
    others = [line for line, text in written if text not in own]
    if not stay.lines:
        # All clients that were there at the end got a last line.
        return f"never read any of {len(others)} lines" if to_the_end and others else ""
    if stay.lines[0] not in others:
        return f"read {stay.lines[0][:60]!r}, which is nowhere in the order"
    start = others.index(stay.lines[0])
    for place, line in enumerate(stay.lines, start):
        if place == len(others) and ended:
            break
        if place >= len(others) or others[place] != line:
            wanted = others[place] if place < len(others) else "nothing more"
            return f"read {line[:60]!r} where the order has {wanted[:60]!r}"
    if to_the_end and (left := others[start + len(stay.lines) :]):
        return f"never read the last {len(left)} lines, the first of them {left[0][:60]!r}"
    return ""


def _written(event: Said) -> list[str]:
    return plain_text.encode(event).decode().removesuffix("\n").split("\n")
