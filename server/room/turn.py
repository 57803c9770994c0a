"""Turn: what the room has to tell since it was last asked, gathered so that each connection gets one write.

An entry is told to everybody and encoded once for each dialect; a letter is for one connection. `for number, data,
mark in turn` gives each connection everything that is new to it, in order. Most get the very same bytes object:
one send of many lines costs what one send of one line costs.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from msgspec import Struct

from protocol.dialects import encode
from protocol.messages import Dialect, Sequenced
from server.session import Mark


class Entry(Struct):
    """Something told to everybody. A plain client is not told what it said itself."""

    event: Sequenced
    author: int = 0


class Letter(Struct):
    """Something told to one connection, after the first `place` entries of the turn."""

    place: int
    data: bytes
    mark: int


class Audience:
    """Who is in the room, and how each is written to: the numbers of their connections, in the order they came.

    Kept apart by dialect, so that a line is given to a thousand without asking each of them.
    """

    def __init__(self, plain: Iterable[int] = (), rich: Iterable[int] = ()) -> None:
        self.plain = dict.fromkeys(plain)
        self.rich = dict.fromkeys(rich)

    def __len__(self) -> int:
        return len(self.plain) + len(self.rich)

    def add(self, number: int, dialect: Dialect) -> None:
        """One more."""
        (self.plain if dialect is Dialect.PLAIN else self.rich)[number] = None

    def pop(self, number: int) -> Dialect:
        """Remove one, who was written to like this. Raises KeyError where it is not here."""
        if number in self.plain:
            del self.plain[number]
            return Dialect.PLAIN
        del self.rich[number]
        return Dialect.RICH

    def get(self, number: int) -> Dialect | None:
        """How one is written to, or None where it is not here."""
        if number in self.plain:
            return Dialect.PLAIN
        return Dialect.RICH if number in self.rich else None

    def besides(self, numbers: Iterable[int] = ()) -> "Audience":
        """A copy, without these."""
        others = Audience(self.plain, self.rich)
        for number in numbers:
            others.plain.pop(number, None)
            others.rich.pop(number, None)
        return others


class Turn:
    """Filled by the room, then taken and read once."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.letters: dict[int, list[Letter]] = {}
        self.audience = Audience()
        """Who is to hear the entries. Set when the turn is taken: who is in the room then."""
        self.said_at: list[float] = []
        """When the lines among the entries came, for the meter."""
        self.leavers: dict[int, Dialect] = {}
        """Who left during this turn, and hears the entries up to there."""
        self._plain: list[bytes] = []
        self._rich: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self.entries or self.letters)

    def tell(self, number: int, data: bytes, mark: int = Mark.NONE) -> None:
        """Add a letter."""
        self.letters.setdefault(number, []).append(Letter(len(self.entries), data, mark))

    def __iter__(self) -> Iterator[tuple[int, bytes, int]]:
        shared, personal = self.parts()
        return chain(*(zip(numbers, repeat(data), repeat(Mark.NONE)) for data, numbers in shared), personal)

    def parts(self) -> tuple[list[tuple[bytes, Iterable[int]]], Iterator[tuple[int, bytes, int]]]:
        """The same in two parts: what is told in the same bytes to many, with their numbers; and all else."""
        if not self.entries:
            return [], ((number, *self._personal(number)) for number in self.letters)
        self._plain = [encode(entry.event, Dialect.PLAIN) for entry in self.entries]
        self._rich = [encode(entry.event, Dialect.RICH) for entry in self.entries]
        apart = self.letters.keys() | {entry.author for entry in self.entries if entry.author in self.audience.plain}
        together = self.audience.besides(apart)
        shared: list[tuple[bytes, Iterable[int]]] = [
            (b"".join(self._plain), together.plain),
            (b"".join(self._rich), together.rich),
        ]
        return shared, ((number, *self._personal(number)) for number in apart)

    def _personal(self, number: int) -> tuple[bytes, int]:
        """Entries and letters for one connection, in order, without what it said itself in the plain dialect."""
        parts: list[bytes] = []
        mark: int = Mark.NONE
        dialect = self.audience.get(number) or self.leavers.get(number)
        letters = self.letters.get(number, ())
        # Who has just joined has the entries before the welcome in the welcome's history.
        place = next((letter.place for letter in letters if letter.mark & Mark.JOINED), 0)
        for letter in letters:
            parts += self._entries(number, dialect, place, letter.place)
            place = max(place, letter.place)
            parts.append(letter.data)
            mark = Mark.both(mark, letter.mark)
        if not mark & Mark.CLOSE:
            parts += self._entries(number, dialect, place, len(self.entries))
        return b"".join(parts), mark

    def _entries(self, number: int, dialect: Dialect | None, start: int, stop: int) -> list[bytes]:
        if dialect is None:
            return []
        if dialect is Dialect.RICH:
            return self._rich[start:stop]
        mine = zip(self._plain[start:stop], self.entries[start:stop], strict=False)
        return [data for data, entry in mine if entry.author != number]
