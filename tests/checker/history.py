"""Histories: what every participant did and saw, written down while it happened and judged afterwards. Pure structs.

A history holds what was on the wire, not what a client made of it: a client that hides a doubled line must not hide it
from the checker. Numbers (`seq`) mean something only within one epoch: from a start of the server to its end.
"""

from enum import StrEnum

from msgspec import Struct, field

from protocol.messages import Said, Sequenced


class Ending(StrEnum):
    """Why a connection ended."""

    QUIT = "quit"
    """We said goodbye, and the room did."""
    CUT = "cut"
    """We, or the nemesis, cut it."""
    DROPPED = "dropped"
    """The other side ended it, and nothing we did explains that."""


class Operation(Struct):
    """A line that somebody said, and every answer to it."""

    id: str
    text: str
    invoked: int
    """Counted for each participant: the how-many-eth of its lines."""
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    """Each time its `said` came back to its sender: epoch and seq."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Each refusal: epoch and code."""
    action: bool = False


class Wish(Struct):
    """A model that the operator asked for, and what came of it. Times are seconds of one clock."""

    model: str
    asked: float
    answer: str = ""
    """`switched`, or the code of the refusal; empty while there is none."""


class Roster(Struct):
    """The people the room named, as of `seq`. It came after `place` events of its stay."""

    seq: int
    place: int
    people: list[str]


class Stay(Struct):
    """One connection, from its welcome to its end."""

    epoch: str
    nick: str
    welcome_seq: int
    resumed: bool
    after: int | None
    """The last seq that the client said it had seen; None where it came as somebody new."""
    missed: int
    history: list[Sequenced]
    events: list[Sequenced] = field(default_factory=list)
    """What came with a `seq`, in the order it came."""
    rosters: list[Roster] = field(default_factory=list)
    misunderstood: list[str] = field(default_factory=list)
    """Refusals that say that the server could not read what we wrote: we write nothing unreadable."""
    passed_on: list[int] = field(default_factory=list)
    """The numbers that ClientConnection passed on, in order."""
    gaps: list[int | None] = field(default_factory=list)
    """The gaps that ClientConnection told of."""
    model: str = ""
    """What ran the room at the welcome."""
    burst: int = 0
    rate: float = 0.0
    """The allowance told at the welcome: lines at once, then lines a second; 0 for no limit."""
    wishes: list[Wish] = field(default_factory=list)
    """The switches that the operator asked for on this connection."""
    ended: float = 0.0
    """When it ended, on the clock of the wishes."""
    ending: Ending = Ending.QUIT
    reason: str = ""


class MemberHistory(Struct):
    """One participant that speaks the rich dialect."""

    name: str
    operations: dict[str, Operation] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    turned_away: list[str] = field(default_factory=list)
    """Why, each time a connection was closed before any welcome and nothing explains that."""
    nicks: set[str] = field(default_factory=set)
    """Every nickname it ever asked for or was given."""
    present_at_end: bool = False
    """Whether it was in the room when everything had settled."""
    people_at_end: list[str] = field(default_factory=list)
    """Its own roster then, kept by presence events alone."""


class PlainStay(Struct):
    """One connection in the talk's dialect."""

    epoch: str
    nick: str
    said: list[str] = field(default_factory=list)
    """What it said, each text once in the whole run."""
    lines: list[str] = field(default_factory=list)
    """What people said, as it was written to it: no lines of the room's own."""
    ending: Ending = Ending.QUIT
    reason: str = ""


class PlainHistory(Struct):
    """One participant that speaks the talk's dialect."""

    name: str
    stays: list[PlainStay] = field(default_factory=list)
    turned_away: list[str] = field(default_factory=list)
    present_at_end: bool = False


class Silence(Struct, frozen=True):
    """A connection that never said a word. Seconds from its opening: when it was closed, None where it was not as long
    as somebody looked, which was for `watched`."""

    epoch: str
    closed: float | None
    watched: float


class Taken(Struct, frozen=True):
    """What the server took at rest, by the event model, with so many connections."""

    connections: int
    fds: int
    threads: int
    children: int


class History(Struct):
    """The whole run."""

    members: list[MemberHistory] = field(default_factory=list)
    plain: list[PlainHistory] = field(default_factory=list)
    epoch: str = ""
    """The last one."""
    settled: bool = True
    """Whether, after the disturbances, everybody was in the room, up to date and answered, before patience ended."""
    kept: int = 10_000
    """Events the server keeps for those who come back."""
    shown: int = 50
    """Lines that somebody new is shown."""
    join_timeout: float = 10.0
    """Seconds within which a connection has to say who it is."""
    silences: list[Silence] = field(default_factory=list)
    stops: list[tuple[float, float]] = field(default_factory=list)
    """When something stopped the server, or what it needs to switch: seconds since the epoch, from and to."""
    before: Taken | None = None
    """What it took at first, when each model had run once."""
    after: Taken | None = None
    """What it took at the end, in its last epoch."""

    def stays(self) -> list[tuple[MemberHistory, Stay]]:
        """Every stay of every member."""
        return [(member, stay) for member in self.members for stay in member.stays]

    def orders(self) -> dict[str, dict[int, Sequenced]]:
        """For each epoch, what the room told under each number: as whoever heard it first was told."""
        orders: dict[str, dict[int, Sequenced]] = {}
        for _, stay in self.stays():
            order = orders.setdefault(stay.epoch, {})
            for event in (*stay.history, *stay.events):
                order.setdefault(event.seq, event)
        return orders


def said_in(order: dict[int, Sequenced]) -> list[Said]:
    """The lines of an order, in order."""
    return [event for _, event in sorted(order.items()) if isinstance(event, Said)]
