"""Broadcast: a turn is written to everybody, one send(2) after the other, and nobody is waited for.

A line for a thousand is a thousand times the same bytes. So those run through `map`, with no line of Python between two
of them: the sooner one follows the other, the less often the kernel has to wake those who read.
"""

from collections.abc import Mapping
from itertools import repeat
from socket import SocketType

from server.connection import Connection
from server.room.outbox import Outbox
from server.session import DeliveryFlags


def broadcast(outbox: Outbox, connections: Mapping[int, Connection], now: float) -> list[Connection]:
    """Write to each of these what the turn has for it. Returns those for whom something is left to do: bytes to write,
    or what a mark says."""
    left: list[Connection] = []
    shared, personal = outbox.by_recipient()
    for data, numbers in shared:
        left += send_to_all(data, [peer for peer in map(connections.get, numbers) if peer is not None], now)
    for number, data, mark in personal:
        connection = connections.get(number)
        if connection is not None and not connection.send(data, mark, now):
            left.append(connection)
    return left


def send_to_all(data: bytes, connections: list[Connection], now: float) -> list[Connection]:
    """Write the same to each; what one does not take is kept in its session. Returns those who did not take it all."""
    prompt = [connection for connection in connections if not connection.session.unsent]
    sends = map(SocketType.send, [connection.socket for connection in prompt], repeat(data))
    taken: list[int] = []
    while len(taken) < len(prompt):
        try:
            taken.extend(sends)
        except OSError:  # At one of them: those before it are in the list by now, those after it still to come.
            taken.append(prompt[len(taken)].write(data))
    if taken.count(len(data)) == len(connections):
        return []
    took = dict(zip(prompt, taken, strict=True))
    late = [connection for connection in connections if took.get(connection, 0) < len(data)]
    for connection in late:
        connection.keep(memoryview(data)[took.get(connection, 0) :], DeliveryFlags.NONE, now)
    return late
