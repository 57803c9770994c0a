"""Held: the connections that have no worker, because it has not begun yet or has given the session back.

A thousand workers take a second to begin. Meanwhile the master passes on what those say who have none, so that nobody
has to wait; what takes longer than to read once is left to whoever serves them next.
"""

import logging
from selectors import EVENT_READ, BaseSelector
from time import monotonic, time

from server.connection import Connection
from server.room.room import Room

log = logging.getLogger("chat.server")


class Held(dict[int, Connection]):
    """By their numbers."""

    def __init__(self, selector: BaseSelector, room: Room) -> None:
        """What `selector` finds readable is to be given to `hear`, which tells it to the room."""
        super().__init__()
        self._selector = selector
        self._room = room

    def hold(self, connection: Connection) -> None:
        """From now on serve this one."""
        self.hold_all([connection])

    def hold_all(self, connections: list[Connection]) -> None:
        """The same for many. Where it fails at one (OSError), all of them are held, to be given back."""
        self.update((connection.number, connection) for connection in connections)
        for connection in connections:
            if self._listens_to(connection):
                self._selector.register(connection, EVENT_READ, connection)

    def release(self, connection: Connection) -> None:
        """Serve it no longer. Harmless where it was not held."""
        if self.pop(connection.number, None) is not None and connection in self._selector.get_map():
            self._selector.unregister(connection)

    def hear(self, connection: Connection) -> None:
        """Tell the room what it says. If that fails, it alone ends."""
        if connection.number not in self:
            return  # It was released in this very turn.
        try:
            if self._listens_to(connection):
                for item in connection.read(monotonic()):
                    self._room.handle(connection.number, item, time())
            if not self._listens_to(connection):
                self._selector.unregister(connection)
        except Exception:
            log.exception("connection %d failed, and ends", connection.number)
            self.release(connection)
            self._room.close(connection.number, failed=True)
            connection.close()

    def _listens_to(self, connection: Connection) -> bool:
        """Not to one that has to earn its next line, is over, or is struck by chaos: all others would feel it."""
        now = monotonic()
        return bool(connection.interest(now) & EVENT_READ) and not connection.over(now) and not connection.session.fault
