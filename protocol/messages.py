"""Everything that can be said between a client and the room, as msgspec tagged structs.

A Command travels from a client to the server, an Event from the server to a client. `type` is the tag on the wire.
Nothing here knows how a message is written: `json_lines` and `plain_text` do.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

MOST_MINUTES = 10_080
"""Of a ban: a week."""
MOST_SECONDS = 3600
"""Between two lines, in slow mode."""
LONGEST_BLOCK = 5.0
"""Seconds."""
LONGEST_REASON = LONGEST_PIN = 200
GUESTS = ("slow-reader", "silent")
"""Faults that come from outside, and strike nobody in particular."""
FAULTS = ("kill-worker", "raise", "block", *GUESTS)
ANYBODY = "*"
"""No nickname: whoever it happens to be."""

MAX_COUNT = 2**53
"""The largest integer that every JSON implementation keeps exactly (RFC 8259, section 6)."""
MAX_TIME_S = 32_503_680_000.0
"""Seconds since the epoch: the year 3000. In each time zone, it is a date that a calendar can hold."""
MAX_DURATION_S = 31_622_400.0
"""A year."""
MAX_RATE = 1e12
MAX_LISTED = 100_000
"""Items of one list."""

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON)]
# A client decodes events of a server that it does not trust: each number has bounds, so that no arithmetic and no
# formatting of it can fail.
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Time = Annotated[float, Meta(ge=0, le=MAX_TIME_S)]
Duration = Annotated[float, Meta(ge=0, le=MAX_DURATION_S)]
Rate = Annotated[float, Meta(ge=0, le=MAX_RATE)]
Size = Annotated[int, Meta(ge=1, le=2**31)]
Nicknames = Annotated[list[str], Meta(max_length=MAX_LISTED)]


class Model(StrEnum):
    """The three ways to run the room."""

    PROCESS = "process"
    THREAD = "thread"
    EVENT = "event"


class Limits(Struct, frozen=True):
    """What the room allows, told to each client in `welcome`. Sizes are bytes for `line`, characters elsewhere."""

    line: Size = 4096
    text: Size = 2000
    lines: Size = 40
    nick: Size = 24
    burst: Size = 10
    rate: Rate = 2.0
    """Lines a second once the burst is used up; 0 means no limit."""
    join_timeout: Duration = 10.0
    idle_timeout: Duration = 0.0
    """Seconds without a line before a connection is let go; 0 means never."""


# Commands


class Resume(Struct, frozen=True):
    """Whom a returning client was, and the last `seq` it saw."""

    token: str
    after: Count


class Command(Struct, tag_field="type", tag=str.lower):
    """The base of all that a client can ask for."""


class Hello(Command):
    """Ask to be let in. `dialect` is the name of a dialect of `protocol.dialects`. The server sets it from the first
    line, and ignores the value that a client writes."""

    nick: str
    resume: Resume | None = None
    dialect: str = "rich"
    operator: bool = False
    """The client holds the operators' key: where it would not be let in, it wants a `challenge`."""


class Say(Command):
    """Say `text` to all. The same `id` again is answered with the first result and is not delivered twice; without an
    id there is no telling. An id is printable ASCII, and everybody sees it."""

    id: Annotated[str, Meta(max_length=64)]
    text: str
    action: bool = False


class Rename(Command):
    nick: str


class Who(Command):
    """Ask for the roster; as an operator, with `nameless`, for the connections without a nickname too."""

    nameless: bool = False


class StatusRequest(Command, tag="status"):
    """Ask for a `status` now."""


class Ping(Command):
    id: Identifier


class Quit(Command):
    """Leave. The server also says it for a peer that has closed its side."""


class Operator(Command):
    """Prove the operator's key: the hex HMAC-SHA256 (RFC 2104) of `welcome.nonce` under it."""

    proof: str


class Where(Command):
    """Ask what serves me, and what that costs."""


class OperatorCommand(Command):
    """The base of what only an operator may ask. A person is named by nickname, or as `#12` by connection number."""


class Switch(OperatorCommand):
    """Run the room by another model."""

    model: str


class Kick(OperatorCommand):
    nick: str
    reason: Reason = ""


class Ban(OperatorCommand):
    """Kick, and keep out for `minutes`: the token and the nickname, and with `address` everybody from that address,
    which wants `sure` where several people share it."""

    nick: str
    minutes: Annotated[float, Meta(gt=0, le=MOST_MINUTES)] = 60.0
    address: bool = False
    sure: bool = False


class Unban(OperatorCommand):
    """Let in again who was banned under this nickname, or as `#12`."""

    nick: str


class Mute(OperatorCommand):
    """Nobody hears this member, and with `address` nobody from that address, which wants `sure` where several people
    share it. `on=False` ends both."""

    nick: str
    on: bool = True
    address: bool = False
    sure: bool = False


class Bans(OperatorCommand):
    """Ask for the bans that hold."""


class Slow(OperatorCommand):
    """Everybody waits `seconds` after each line; 0 ends that."""

    seconds: Annotated[float, Meta(ge=0, le=MOST_SECONDS)]


class Lock(OperatorCommand):
    """Nobody new comes in."""

    on: bool = True


class Quiet(OperatorCommand):
    """Only operators speak."""

    on: bool = True


class Pin(OperatorCommand):
    """A line at the top of everyone's pane; an empty one takes it away."""

    text: Annotated[str, Meta(max_length=LONGEST_PIN)] = ""


class ClearHistory(OperatorCommand, tag="clear-history"):
    """Newcomers are not shown what was said so far."""


class Op(OperatorCommand):
    """Make somebody an operator, for as long as the room is open; with `on=False`, end that."""

    nick: str
    on: bool = True


class Close(OperatorCommand):
    """End the server."""

    reason: Reason = ""


class Watch(OperatorCommand):
    """Send me the `meter` every second, or stop that."""

    on: bool = True


class Chaos(OperatorCommand):
    """Break something on purpose: one of FAULTS."""

    what: str
    nick: str = ""
    """Whom it strikes: somebody, ANYBODY but the one who asks, or by an empty name the one who asks."""
    seconds: Annotated[float, Meta(gt=0, le=LONGEST_BLOCK)] = 0.3


AnyOperatorCommand = (
    Switch | Kick | Ban | Bans | Unban | Mute | Slow | Lock | Quiet | Pin | ClearHistory | Op | Close | Watch | Chaos
)


# Events


class Event(Struct, tag_field="type", tag=str.lower, omit_defaults=True):
    """The base of all that the server tells a client. Those with a `seq` are told to everybody, in that order."""


class Said(Event):
    """`nick` said `text`, at `at` seconds since the epoch. For the sender, with its own `id`, the acknowledgement."""

    seq: Count
    nick: str
    text: str
    at: Time
    id: str = ""
    action: bool = False


class Presence(Event):
    """Who came, went and changed names since the last one. To apply it: `left`, then `renamed` (all at once), then
    `joined`."""

    seq: Count
    at: Time
    joined: Nicknames = []
    left: Nicknames = []
    renamed: Annotated[list[tuple[str, str]], Meta(max_length=MAX_LISTED)] = []


class ModelSwitched(Event, tag="switched"):
    """The room is run by `model` now. The longest that nothing was delivered meanwhile was `pause` seconds; `carried`
    connections came along."""

    seq: Count
    at: Time
    model: str
    before: str
    pause: Duration
    carried: Count


class Notice(Event):
    """Words of the room itself: to all where `seq` is set, to one where it is 0."""

    text: str
    seq: Count = 0
    at: Time = 0.0


class Rules(Struct, frozen=True):
    """What holds for everybody now."""

    locked: bool = False
    quiet: bool = False
    slow: Duration = 0.0
    """Seconds between two lines of a person."""
    pin: str = ""


class RulesChanged(Event, tag="rules"):
    """An operator has changed the rules. `text` says it in a sentence."""

    seq: Count
    at: Time
    text: str
    rules: Rules


Sequenced = Said | Presence | ModelSwitched | Notice | RulesChanged


class Welcome(Event):
    """You are in, as `you`. `history` is what was said before or, after a resume, what was missed: the events after
    `resume.after` that are still kept. `missed` counts those that are not: an explicit gap."""

    you: str
    token: str
    seq: Count
    model: str
    connections: Count
    served_by: str
    limits: Limits
    nonce: str
    history: Annotated[list[Said | Presence | ModelSwitched | Notice | RulesChanged], Meta(max_length=MAX_LISTED)] = []
    missed: Count = 0
    resumed: bool = False
    asked: str = ""
    """The nickname asked for, where another was given: to a plain client, or to one that came back."""
    motd: str = ""
    rules: Rules = Rules()
    operator: bool = False
    """You were an operator before, and still are."""
    people: Count = 0
    """Members in the room, you among them."""


class Challenge(Event):
    """You would not be let in, for the reason that a goodbye would give. Prove the operators' key with this nonce, and
    you are; with a wrong proof, or without one in time, the connection ends."""

    nonce: str
    code: str
    reason: str


class Status(Event):
    """What the room runs on, and what that costs now. Memory is bytes of the whole tree, shared pages counted once."""

    model: str
    connections: Count
    served_by: str
    people: Count = 0
    processes: Count = 0
    threads: Count = 0
    memory: Count = 0
    memory_each: Count = 0
    """Bytes a connection has added, on average; 0 while nobody is connected."""


class People(Event):
    """The roster as it stood at `seq`, sorted."""

    seq: Count
    people: Nicknames


class Refused(Event):
    """A command was not carried out. The connection stays. `id` is that of the refused `say`."""

    code: str
    reason: str
    id: str = ""
    suggestion: str = ""
    """A nickname that is free."""
    wait: Duration = 0.0
    """Seconds until it may be tried again."""


class Pong(Event):
    id: str


class Totals(Struct):
    """What has happened since the room was opened: the show's record."""

    most_people: Count = 0
    lines: Count = 0
    slowed: Count = 0
    """Times a connection was made to wait for its next line."""
    refused: Count = 0
    """Commands and lines that were not carried out, operators' apart."""
    turned_away: Count = 0
    """Connections that were not let in: the room was full or locked, or they are banned."""
    let_go: Count = 0
    """Connections ended by the server: too slow, silent, too long a line, kicked."""
    died: Count = 0
    """Workers that ended without a word, and sessions that failed."""
    escaped: Count = 0
    """Lines with controls or hidden characters in them, made harmless."""
    look_alikes: Count = 0
    """Nicknames refused because they look like somebody's."""
    oversized: Count = 0
    longest: Duration = 0.0
    """The longest that a line took to reach everybody, in seconds."""


class MeterReading(Event, tag="meter"):
    """What the running model does and costs, over the last second. Times are seconds, memory is bytes."""

    at: Time
    model: str
    connections: Count
    people: Count
    lines: Rate
    """Lines said a second."""
    deliveries: Rate
    """Lines times those who were told them, a second."""
    p50: Duration
    """How long a line took, from when it could be read until it was written to everybody: the median of the last lines
    said."""
    p99: Duration
    processes: Count
    threads: Count
    memory: Count
    memory_each: Count
    cpu: Rate
    """Processor cores in use."""
    tally: Totals


class OperatorGranted(Event, tag="operator"):
    """The proof was right, or an operator has said so: this connection is an operator's. `on=False` ends that."""

    on: bool = True


class Goodbye(Event):
    """The last thing a connection is told."""

    code: str
    reason: str
