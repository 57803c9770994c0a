"""A simple model of the Room: its members, its events, and the bytes that each connection should get.

A `who` of the witness, which is always present, tells the `seq` at each step.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis.stateful import RuleBasedStateMachine
from msgspec.structs import replace

from protocol import json_lines
from protocol.dialects import PLAIN, Dialect
from protocol.messages import (
    Event,
    People,
    Presence,
    Refused,
    Said,
    Sequenced,
    Status,
    Welcome,
    Who,
)
from server.room.admission import refuse_nickname
from server.room.names import keys
from tests.server.without_sockets import UNLIMITED, applied, new_room

KEEP, HISTORY = 6, 3
"""Events and lines that the room keeps: few, so that some are soon missing."""
WITNESS = 1
"""The connection that is always present."""
FIRST_FRAMES = (0x81, 0x01, 0x88)
"""The first byte of a message in a WebSocket: text in one frame, text in several, a close (RFC 6455, section 5.2)."""


@dataclass
class Person:
    """A member, as the model knows it."""

    token: str
    nick: str
    connection: "Link | None"
    results: dict[str, int] = field(default_factory=dict)
    """The index in `told` of the line with each id."""


@dataclass
class Direct:
    step: int
    dialect: Dialect
    write: Callable[[int], Event]
    """Returns the event for the `seq` at that step."""
    joins: bool = False
    leaves: bool = False


@dataclass
class Link:
    """A connection, the bytes that it got, and the events that it should get."""

    number: int
    dialect: Dialect = PLAIN
    person: Person | None = None
    let_go: bool = False
    stream: bytes = b""
    letters: list[Direct] = field(default_factory=list)
    place: int | None = None
    """The `seq` up to which it has all events; None if it is not in the room."""
    known_as: str = ""
    """Its nickname, according to the events that it got."""


class RoomModel(RuleBasedStateMachine):
    """The room and its model. The rules that drive both are in `test_room_model`."""

    def __init__(self) -> None:
        super().__init__()
        self.room = new_room(keep=KEEP, history=HISTORY)
        self.now = 1000.0
        self.last_number = 0
        self.links: dict[int, Link] = {}
        self.slots: list[Link | None] = [None] * 5
        self.people: list[Person] = []
        self.told: list[tuple[Sequenced, int]] = []
        """The expected events for all members, without presence, each with its author."""
        self.log: list[Sequenced] = []
        self.rosters: list[set[str]] = [set()]
        """The nicknames present after each event of the log."""
        self.seqs: list[int] = []
        """The `seq` at each step."""
        self.steps = 0

    def connect(self) -> Link:
        self.last_number += 1
        link = self.links[self.last_number] = Link(self.last_number)
        self.room.open(link.number, "event loop")
        return link

    def expect(
        self, link: Link, write: Event | Callable[[int], Event], joins: bool = False, leaves: bool = False
    ) -> None:
        """Expect this event for `link`. The step ends, and the witness asks `who` to learn the `seq`."""
        write_it = write if callable(write) else lambda seq: write
        link.letters.append(Direct(self.steps, link.dialect, write_it, joins, leaves))

    def step_ends(self) -> None:
        self.room.apply(WITNESS, Who(), self.now)
        self.expect(self.links[WITNESS], self.people_at)
        self.steps += 1

    def people_at(self, seq: int) -> People:
        return People(seq, sorted(self.rosters[seq], key=str.casefold))

    def present(self) -> list[Person]:
        return [person for person in self.people if person.connection]

    def free(self, nick: str, person: Person | None = None) -> bool:
        return not any(keys(nick) & keys(other.nick) for other in self.present() if other is not person)

    def refused_name(self, link: Link, nick: str) -> None:
        """Expect the refusal in the room's own words. test_roster tests which member it names."""
        free = self.room.roster.suggest(nick, UNLIMITED.nick)
        assert self.free(free)
        self.expect(link, refuse_nickname(self.room, nick, free, self.room.seats[link.number].member))

    def gone(self, link: Link) -> None:
        link.let_go = True
        if link.person is not None:
            link.person.connection = link.person = None

    def member_of(self, link: Link) -> Person | None:
        """The member of this connection. If there is none, expect the refusal that tells so."""
        if link.person is None and not link.let_go and link.number in self.room.seats:
            self.expect(link, Refused("not-joined", "you are not in the room yet"))
        return link.person

    def read_the_order(self) -> None:
        """Read the one order from the witness: all events without gaps, and the members at each of them."""
        for _, line in messages(self.links[WITNESS].stream):
            match json_lines.decode_event(line):
                case event if isinstance(event, Sequenced):
                    if event.seq <= len(self.log):
                        continue  # A repeated answer.
                    assert event.seq == len(self.log) + 1
                    here = self.rosters[-1]
                    self.rosters.append(applied(here, event) if isinstance(event, Presence) else here)
                    assert not isinstance(event, Said) or event.nick in here
                    self.log.append(event)
                case People() as people:
                    self.seqs.append(people.seq)
        heard = self.said_and_done()
        assert len(heard) == len(self.told)
        assert all(same(event, expected) for event, (expected, _) in zip(heard, self.told, strict=True))

    def said_and_done(self) -> list[Sequenced]:
        """The order without presence: the events of `told`, as the witness got them."""
        return [event for event in self.log if not isinstance(event, Presence)]

    def answer_again(self, first: int, text: str, seq: int) -> Sequenced:
        """The first answer to a line. If the room no longer keeps it at `seq`, it has the text of the repeated line."""
        said = self.said_and_done()[first]
        assert isinstance(said, Said)
        return said if seq - said.seq < KEEP else replace(said, text=text)

    def check(self, link: Link) -> None:
        """Check that a connection got exactly the bytes of the model, in order."""
        expected = b""
        for letter in link.letters:
            seq = self.seqs[letter.step]
            expected += self.entries(link, seq)
            expected += letter.dialect.encode(letter.write(seq))
            if letter.joins:
                link.place = seq
            if letter.leaves:
                link.place = None
        expected += self.entries(link, len(self.log))
        assert without_status(link.stream) == expected
        self.follow_own_name(link)
        link.letters, link.stream = [], b""

    def entries(self, link: Link, stop: int) -> bytes:
        """The broadcasts since the last call, up to `stop`."""
        if link.place is None:
            return b""
        start, link.place = link.place, stop
        authors = iter([author for _, author in self.told])
        by = [0 if isinstance(event, Presence) else next(authors) for event in self.log]
        plain = link.dialect is PLAIN
        mine = [i for i in range(start, stop) if not (plain and by[i] == link.number)]
        return b"".join(link.dialect.encode(self.log[i]) for i in mine)

    def follow_own_name(self, link: Link) -> None:
        for _, line in messages(link.stream):
            match json_lines.decode_event(line):
                case Welcome(you=you):
                    link.known_as = you
                case Presence(renamed=renamed):
                    link.known_as = dict(renamed).get(link.known_as, link.known_as)


def same(event: Sequenced, expected: Sequenced) -> bool:
    """Whether they are equal except for `seq`."""
    return type(event) is type(expected) and encode_without_seq(event) == encode_without_seq(expected)


def encode_without_seq(event: Sequenced) -> list[object]:
    return [getattr(event, name) for name in event.__struct_fields__ if name != "seq"]


def messages(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each message of a stream as it was sent, and its line, without the frames that a WebSocket has around it."""
    while stream:
        end, line = 0, b""
        is_framed = stream[0] in FIRST_FRAMES
        while is_framed:
            is_framed = stream[end] & 0x80 == 0  # Not the last frame of the message.
            size, end = stream[end + 1], end + 2
            if size > 125:
                width = 2 if size == 126 else 8
                size, end = int.from_bytes(stream[end : end + width]), end + width
            line, end = line + stream[end : end + size], end + size
        if not line:
            end = stream.index(b"\n") + 1
            line = stream[:end]
        yield stream[:end], line
        stream = stream[end:]


def without_status(stream: bytes) -> bytes:
    """The stream without `status` events, which come at any time."""
    return b"".join(sent for sent, line in messages(stream) if not isinstance(json_lines.decode_event(line), Status))
