"""Histories: what each participant did and saw, recorded during a run and checked afterwards. Pure structs.

A history holds the events on the wire, not those that the client library passes on: if the library hides a duplicate,
the checker still sees it. A `seq` is unique only within one epoch, from a start of the server to its end.
"""

from enum import StrEnum

from msgspec import Struct, field

from protocol.messages import Said, Sequenced


class Ending(StrEnum):
    """The way in which a connection ended."""

    QUIT = "quit"
    """The participant said goodbye, and the room answered."""
    CUT = "cut"
    """The participant or the nemesis cut the connection."""
    DROPPED = "dropped"
    """The server ended the connection, and no act of ours explains that."""


class Operation(Struct):
    """A line that a participant said, and all answers to it."""

    id: str
    text: str
    invoked: int
    """The index of the line among those of its participant."""
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    """Epoch and seq of each `said` that came back to the sender."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Epoch and code of each refusal."""
    action: bool = False


class SwitchRequest(Struct):
    """A request of the operator for another model, and its answer. Times are seconds of one monotonic clock."""

    model: str
    requested_at: float
    answer: str = ""
    """`switched`, or the code of the refusal; empty without an answer."""


class Roster(Struct):
    """A `people` message: the nicknames as of `seq`. It arrived after `place` events of its stay."""

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
    """The last seq that the client had seen when it resumed; None for a new member."""
    missed: int
    history: list[Sequenced]
    events: list[Sequenced] = field(default_factory=list)
    """The events with a `seq`, in the order of arrival."""
    rosters: list[Roster] = field(default_factory=list)
    misunderstood: list[str] = field(default_factory=list)
    """Refusals of a line as unreadable. The participant sends no unreadable lines, so each is a fault."""
    passed_on: list[int] = field(default_factory=list)
    """The seqs that ClientConnection passed on, in order."""
    gaps: list[int | None] = field(default_factory=list)
    """The gaps that ClientConnection reported."""
    model: str = ""
    """The model at the welcome."""
    burst: int = 0
    rate: float = 0.0
    """The rate limit in the welcome: lines at once, then lines a second; 0 for no limit."""
    switch_requests: list[SwitchRequest] = field(default_factory=list)
    """The switches that the operator requested on this connection."""
    ended: float = 0.0
    """The time of the end, on the clock of the requests."""
    ending: Ending = Ending.QUIT
    reason: str = ""


class MemberHistory(Struct):
    """A participant that speaks the rich dialect."""

    name: str
    operations: dict[str, Operation] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)
    """The reason of each connection that the server closed before the welcome, without an act that explains it."""
    nicks: set[str] = field(default_factory=set)
    """All nicknames that it requested or was given."""
    present_at_end: bool = False
    """True if it was in the room when the run had settled."""
    people_at_end: list[str] = field(default_factory=list)
    """Its roster at that time, derived from presence events alone."""


class PlainStay(Struct):
    """One connection in the plain dialect."""

    epoch: str
    nick: str
    said: list[str] = field(default_factory=list)
    """The texts that it said. Each text is unique in the run."""
    lines: list[str] = field(default_factory=list)
    """The lines of other members as received, without those of the room itself."""
    ending: Ending = Ending.QUIT
    reason: str = ""


class PlainHistory(Struct):
    """A participant that speaks the plain dialect."""

    name: str
    stays: list[PlainStay] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)
    present_at_end: bool = False


class SilentConnection(Struct, frozen=True):
    """A connection that sent nothing. `closed` and `watched` are seconds after its opening.

    `closed` is None if the connection was still open when it had been watched for `watched` seconds.
    """

    epoch: str
    closed: float | None
    watched: float


class ServerResources(Struct, frozen=True):
    """The resources of the server at rest, in the event model, with `connections` connections."""

    connections: int
    fds: int
    threads: int
    children: int


class History(Struct):
    """The whole run."""

    members: list[MemberHistory] = field(default_factory=list)
    plain: list[PlainHistory] = field(default_factory=list)
    epoch: str = ""
    """The last epoch."""
    settled: bool = True
    """True if all participants were in the room, up to date and answered in time after the disturbances."""
    kept: int = 10_000
    """Events that the server keeps for members that resume."""
    shown: int = 50
    """Lines of history that a new member gets."""
    join_timeout: float = 10.0
    """Seconds within which a connection must give a nickname."""
    answer_within: float = 8.0
    """Seconds within which a request for a switch is answered."""
    silent_connections: list[SilentConnection] = field(default_factory=list)
    stops: list[tuple[float, float]] = field(default_factory=list)
    """Start and end of each time in which the server or its fork server was stopped, in seconds of Unix time."""
    before: ServerResources | None = None
    """The resources at the beginning, after each model had run once."""
    after: ServerResources | None = None
    """The resources at the end, in the last epoch."""

    def stays(self) -> list[tuple[MemberHistory, Stay]]:
        """Return all stays of all members."""
        return [(member, stay) for member in self.members for stay in member.stays]

    def orders(self) -> dict[str, dict[int, Sequenced]]:
        """Return the event of each seq for each epoch, as its first recipient got it."""
        orders: dict[str, dict[int, Sequenced]] = {}
        for _, stay in self.stays():
            order = orders.setdefault(stay.epoch, {})
            for event in (*stay.history, *stay.events):
                order.setdefault(event.seq, event)
        return orders


def said_in(order: dict[int, Sequenced]) -> list[Said]:
    """Return the lines of one epoch, in order."""
    return [event for _, event in sorted(order.items()) if isinstance(event, Said)]
