"""Outbox: the events that the room sends since its last flush, gathered so that each connection gets one write.

A Broadcast is for all members and is encoded once for each dialect; a Direct is for one connection. `for number, data,
flags in outbox` yields the new bytes of each connection, in order. Most connections get the same bytes object, and a
send of many lines costs as much as a send of one line.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from msgspec import Struct

from protocol.dialects import DIALECTS, Dialect
from protocol.messages import Sequenced
from server.session_types import DeliveryFlags


class Broadcast(Struct):
    """An event for all members, except its author if the author's dialect does not echo own lines."""

    event: Sequenced
    author: int = 0


class Direct(Struct):
    """Bytes for one connection, to be sent after the first `after` broadcasts of the outbox."""

    after: int
    data: bytes
    flags: int


class Audience:
    """The numbers of the members' connections, grouped by dialect, in the order in which they joined.

    The groups make it possible to write a line to a thousand connections without code for each of them.
    """

    def __init__(self) -> None:
        self.by_dialect: dict[Dialect, dict[int, None]] = {dialect: {} for dialect in DIALECTS.values()}

    def __len__(self) -> int:
        return sum(map(len, self.by_dialect.values()))

    def add(self, number: int, dialect: Dialect) -> None:
        """Add one connection."""
        self.by_dialect[dialect][number] = None

    def pop(self, number: int) -> Dialect:
        """Remove a connection, and return its dialect. Raises KeyError if it is not in the audience."""
        if (dialect := self.get(number)) is None:
            raise KeyError(number)
        del self.by_dialect[dialect][number]
        return dialect

    def get(self, number: int) -> Dialect | None:
        """The dialect of a connection, or None if it is not in the audience."""
        return next((dialect for dialect, numbers in self.by_dialect.items() if number in numbers), None)

    def without(self, numbers: Iterable[int] = ()) -> "Audience":
        """A copy without these connections."""
        others = Audience()
        others.by_dialect = {dialect: members.copy() for dialect, members in self.by_dialect.items()}
        for number in numbers:
            for members in others.by_dialect.values():
                members.pop(number, None)
        return others


class Outbox:
    """The room fills it; the model reads it once."""

    def __init__(self) -> None:
        self.broadcasts: list[Broadcast] = []
        self.directs: dict[int, list[Direct]] = {}
        self.audience = Audience()
        """The recipients of the broadcasts: the members at the time of the flush."""
        self.said_at: list[float] = []
        """When the lines among the broadcasts arrived, for the meter."""
        self.departed: dict[int, Dialect] = {}
        """Connections that lost their member since the last flush. They get the broadcasts up to their last Direct."""
        self._encoded: dict[Dialect, list[bytes]] = {dialect: [] for dialect in DIALECTS.values()}
        """The broadcasts as each dialect encodes them."""

    def __bool__(self) -> bool:
        return bool(self.broadcasts or self.directs)

    def add(self, number: int, data: bytes, flags: int = DeliveryFlags.NONE) -> None:
        """Add bytes for one connection, after all broadcasts so far."""
        self.directs.setdefault(number, []).append(Direct(len(self.broadcasts), data, flags))

    def __iter__(self) -> Iterator[tuple[int, bytes, int]]:
        shared, personal = self.by_recipient()
        return chain(*(zip(numbers, repeat(data), repeat(DeliveryFlags.NONE)) for data, numbers in shared), personal)

    def by_recipient(self) -> tuple[list[tuple[bytes, Iterable[int]]], Iterator[tuple[int, bytes, int]]]:
        """The same as iteration, in two parts: bytes that many connections share, with their numbers, and the rest."""
        if not self.broadcasts:
            return [], ((number, *self._personal(number)) for number in self.directs)
        authors = {broadcast.author for broadcast in self.broadcasts}
        apart = set(self.directs)
        departed = self.departed.values()
        for dialect, numbers in self.audience.by_dialect.items():
            if numbers or dialect in departed:
                self._encoded[dialect] = [dialect.encode(broadcast.event) for broadcast in self.broadcasts]
            if not dialect.echoes_own_lines:
                apart |= authors & numbers.keys()
        together = self.audience.without(apart).by_dialect
        shared: list[tuple[bytes, Iterable[int]]] = [
            (b"".join(self._encoded[dialect]), numbers) for dialect, numbers in together.items()
        ]
        return shared, ((number, *self._personal(number)) for number in apart)

    def _personal(self, number: int) -> tuple[bytes, int]:
        """Broadcasts and directs for one connection, in order. Leaves out own lines if the dialect does not echo."""
        parts: list[bytes] = []
        flags: int = DeliveryFlags.NONE
        dialect = self.audience.get(number) or self.departed.get(number)
        directs = self.directs.get(number, ())
        # The welcome of a member that has just joined contains the broadcasts before it.
        after = next((direct.after for direct in directs if direct.flags & DeliveryFlags.JOINED), 0)
        for direct in directs:
            parts += self._broadcasts_for(number, dialect, after, direct.after)
            after = max(after, direct.after)
            parts.append(direct.data)
            flags = DeliveryFlags.merge(flags, direct.flags)
        if not flags & DeliveryFlags.CLOSE:
            parts += self._broadcasts_for(number, dialect, after, len(self.broadcasts))
        return b"".join(parts), flags

    def _broadcasts_for(self, number: int, dialect: Dialect | None, start: int, stop: int) -> list[bytes]:
        if dialect is None:
            return []
        encoded = self._encoded[dialect][start:stop]
        if dialect.echoes_own_lines:
            return encoded
        return [data for data, one in zip(encoded, self.broadcasts[start:stop], strict=True) if one.author != number]
