"""Broadcast: writes the room's output to all connections, one send(2) after the other, and waits for none.

A line for a thousand members is the same bytes a thousand times. `map` runs these calls without Python code between
two of them: the closer together the calls are, the fewer times the kernel has to wake the readers.
"""

from collections.abc import Mapping
from itertools import repeat
from socket import SocketType

from server.connection import Connection
from server.room.outbox import Outbox
from server.session import DeliveryFlags


def broadcast(outbox: Outbox, connections: Mapping[int, Connection], now: float) -> list[Connection]:
    """Write to each connection its part of the output. Returns the connections that have something left to do: bytes
    to write, or the flags of a delivery."""
    left: list[Connection] = []
    shared, personal = outbox.by_recipient()
    for data, numbers in shared:
        left += send_to_all(data, [peer for peer in map(connections.get, numbers) if peer is not None], now)
    for number, data, flags in personal:
        connection = connections.get(number)
        if connection is not None and not connection.send(data, flags, now):
            left.append(connection)
    return left


def send_to_all(data: bytes, connections: list[Connection], now: float) -> list[Connection]:
    """Write the same bytes to each; a session keeps the rest that its peer does not take. Returns the connections with
    such a rest."""
    prompt = [connection for connection in connections if not connection.session.unsent]
    sends = map(SocketType.send, [connection.socket for connection in prompt], repeat(data))
    taken: list[int] = []
    while len(taken) < len(prompt):
        try:
            taken.extend(sends)
        except OSError:  # One connection failed: those before it are in the list by now, and those after it follow.
            taken.append(prompt[len(taken)].write(data))
    if taken.count(len(data)) == len(connections):
        return []
    took = dict(zip(prompt, taken, strict=True))
    late = [connection for connection in connections if took.get(connection, 0) < len(data)]
    for connection in late:
        connection.keep(memoryview(data)[took.get(connection, 0) :], DeliveryFlags.NONE, now)
    return late
