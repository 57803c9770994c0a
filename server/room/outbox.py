"""Outbox: what the room has to tell since it was last asked, gathered so that each connection gets one write.

An entry is told to everybody and encoded once for each dialect; a letter is for one connection. `for number, data,
mark in turn` gives each connection everything that is new to it, in order. Most get the very same bytes object:
one send of many lines costs what one send of one line costs.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from msgspec import Struct

from protocol.dialects import DIALECTS, Dialect
from protocol.messages import Sequenced
from server.session import DeliveryFlags


class Broadcast(Struct):
    """An event for all connections, but not for its author where the author's dialect does not echo own lines."""

    event: Sequenced
    author: int = 0


class Direct(Struct):
    """Something told to one connection, after the first `place` entries of the turn."""

    after: int
    data: bytes
    flags: int


class Audience:
    """The connections of the members, by their numbers and in the order they came, grouped by dialect.

    So a line is written to a thousand connections without a look at each of them.
    """

    def __init__(self) -> None:
        self.by_dialect: dict[Dialect, dict[int, None]] = {dialect: {} for dialect in DIALECTS.values()}

    def __len__(self) -> int:
        return sum(map(len, self.by_dialect.values()))

    def add(self, number: int, dialect: Dialect) -> None:
        """Add one connection."""
        self.by_dialect[dialect][number] = None

    def pop(self, number: int) -> Dialect:
        """Remove a connection, and return its dialect. Raises KeyError if it is not here."""
        if (dialect := self.get(number)) is None:
            raise KeyError(number)
        del self.by_dialect[dialect][number]
        return dialect

    def get(self, number: int) -> Dialect | None:
        """The dialect of a connection, or None if it is not here."""
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
    """Filled by the room, then taken and read once."""

    def __init__(self) -> None:
        self.broadcasts: list[Broadcast] = []
        self.directs: dict[int, list[Direct]] = {}
        self.audience = Audience()
        """Who is to hear the entries. Set when the turn is taken: who is in the room then."""
        self.said_at: list[float] = []
        """When the lines among the entries came, for the meter."""
        self.departed: dict[int, Dialect] = {}
        """Who left during this turn, and hears the entries up to there."""
        self._encoded: dict[Dialect, list[bytes]] = {dialect: [] for dialect in DIALECTS.values()}
        """The entries as each dialect writes them."""

    def __bool__(self) -> bool:
        return bool(self.broadcasts or self.directs)

    def add(self, number: int, data: bytes, flags: int = DeliveryFlags.NONE) -> None:
        """Add a letter."""
        self.directs.setdefault(number, []).append(Direct(len(self.broadcasts), data, flags))

    def __iter__(self) -> Iterator[tuple[int, bytes, int]]:
        shared, personal = self.by_recipient()
        return chain(*(zip(numbers, repeat(data), repeat(DeliveryFlags.NONE)) for data, numbers in shared), personal)

    def by_recipient(self) -> tuple[list[tuple[bytes, Iterable[int]]], Iterator[tuple[int, bytes, int]]]:
        """The same in two parts: what is told in the same bytes to many, with their numbers; and all else."""
        if not self.broadcasts:
            return [], ((number, *self._personal(number)) for number in self.directs)
        authors = {broadcast.author for broadcast in self.broadcasts}
        apart = set(self.directs)
        for dialect, numbers in self.audience.by_dialect.items():
            self._encoded[dialect] = [dialect.encode(broadcast.event) for broadcast in self.broadcasts]
            if not dialect.echoes_own_lines:
                apart |= authors & numbers.keys()
        together = self.audience.without(apart).by_dialect
        shared: list[tuple[bytes, Iterable[int]]] = [
            (b"".join(self._encoded[dialect]), numbers) for dialect, numbers in together.items()
        ]
        return shared, ((number, *self._personal(number)) for number in apart)

    def _personal(self, number: int) -> tuple[bytes, int]:
        """Entries and letters for one connection, in order; its own lines only where its dialect echoes them."""
        parts: list[bytes] = []
        flags: int = DeliveryFlags.NONE
        dialect = self.audience.get(number) or self.departed.get(number)
        directs = self.directs.get(number, ())
        # Who has just joined has the entries before the welcome in the welcome's history.
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
