"""The messages between a client and the room, as msgspec tagged structs.

A Command travels from a client to the server, an Event from the server to a client. `type` is the tag on the wire.
The modules `json_lines` and `plain_text` encode and decode them.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

MAX_BAN_MINUTES = 10_080
"""A week."""
MAX_SLOW_S = 3600
"""The longest time between two lines in slow mode."""
MAX_BLOCK_S = 5.0
"""The longest `/chaos block`."""
MAX_REASON_CHARACTERS = MAX_PIN_CHARACTERS = 200
GUEST_FAULTS = ("slow-reader", "silent")
"""Faults that are clients made by the server; they have no target."""
FAULTS = ("kill-worker", "raise", "block", *GUEST_FAULTS)
RANDOM_MEMBER = "*"
"""Stands for a random member; no nickname has this form."""

MAX_COUNT = 2**53
"""The largest integer that every JSON implementation keeps exactly (RFC 8259, section 6)."""
MAX_TIME_S = 32_503_680_000.0
"""The year 3000, in seconds since the epoch. The calendar of each time zone can show it."""
MAX_DURATION_S = 31_622_400.0
"""A year."""
MAX_RATE = 1e12
MAX_LISTED = 100_000
"""The longest list."""

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
Reason = Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)]
# A client does not trust the server: each number has bounds, so that neither arithmetic nor formatting can fail.
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
    """The limits of the room, sent to each client in `welcome`: `line` in bytes, `text` and `nick` in characters."""

    line: Size = 4096
    text: Size = 2000
    lines: Size = 40
    nick: Size = 24
    burst: Size = 10
    rate: Rate = 2.0
    """Lines a second after the burst is used up; 0 means no limit."""
    join_timeout: Duration = 10.0
    idle_timeout: Duration = 0.0
    """Seconds without a line after which the server ends the connection; 0 means never."""


# Commands


class Resume(Struct, frozen=True):
    """The token of a returning client, and the last `seq` it received."""

    token: str
    after: Count


class Command(Struct, tag_field="type", tag=str.lower):
    """The base of all messages that a client sends."""


class Hello(Command):
    """Join the room. `dialect` is the name of a dialect of `protocol.dialects`. The server sets it from the first line,
    and ignores the value that a client sends."""

    nick: str
    resume: Resume | None = None
    dialect: str = "rich"
    operator: bool = False
    """The client holds the operators' key. If the room would reject it, the server sends a `challenge`."""


class Say(Command):
    """Send `text` to all members. The server answers the same `id` with the first result and does not deliver the line
    twice; it cannot recognize a line without an id. An id is printable ASCII, and all members see it."""

    id: Annotated[str, Meta(max_length=64)]
    text: str
    action: bool = False


class Rename(Command):
    nick: str


class Who(Command):
    """Ask for the roster. An operator can also ask for the connections without a nickname, with `nameless`."""

    nameless: bool = False


class StatusRequest(Command, tag="status"):
    """Ask for a `status` now."""


class Ping(Command):
    id: Identifier


class Quit(Command):
    """Leave the room. The server also makes it for a client that has closed its side."""


class Operator(Command):
    """Prove the operators' key. `proof` is the hex HMAC-SHA256 (RFC 2104) of `welcome.nonce` under the key."""

    proof: str


class Where(Command):
    """Ask which worker, thread or loop serves this connection, and what that costs."""


class OperatorCommand(Command):
    """The base of the commands of operators. A member is named by nickname, or as `#12` by connection number."""


class Switch(OperatorCommand):
    """Run the room by another model."""

    model: str


class Kick(OperatorCommand):
    nick: str
    reason: Reason = ""


class Ban(OperatorCommand):
    """Kick a member, and reject its token and its nickname for `minutes`. With `address`, all clients from its address
    are rejected; if several members share the address, that needs `sure`."""

    nick: str
    minutes: Annotated[float, Meta(gt=0, le=MAX_BAN_MINUTES)] = 60.0
    address: bool = False
    sure: bool = False


class Unban(OperatorCommand):
    """End the ban of this nickname or of connection `#12`."""

    nick: str


class Mute(OperatorCommand):
    """Deliver no lines of this member. With `address`, that holds for all members from its address; if several share
    it, that needs `sure`. `on=False` ends both."""

    nick: str
    on: bool = True
    address: bool = False
    sure: bool = False


class Bans(OperatorCommand):
    """Ask for the list of bans."""


class Slow(OperatorCommand):
    """Set slow mode: a member waits `seconds` after each line. 0 ends slow mode."""

    seconds: Annotated[float, Meta(ge=0, le=MAX_SLOW_S)]


class Lock(OperatorCommand):
    """Lock the room: new members are rejected."""

    on: bool = True


class Quiet(OperatorCommand):
    """Only operators may speak."""

    on: bool = True


class Pin(OperatorCommand):
    """Show a line at the top of each member's pane; an empty `text` removes it."""

    text: Annotated[str, Meta(max_length=MAX_PIN_CHARACTERS)] = ""


class ClearHistory(OperatorCommand, tag="clear-history"):
    """Remove the lines so far from the history that newcomers receive."""


class Op(OperatorCommand):
    """Make a member an operator while the room is open; `on=False` ends that."""

    nick: str
    on: bool = True


class Close(OperatorCommand):
    """End the server."""

    reason: Reason = ""


class Watch(OperatorCommand):
    """Start or stop a `meter` event every second for this connection."""

    on: bool = True


class Chaos(OperatorCommand):
    """Inject a fault on purpose; `what` is one of FAULTS."""

    what: str
    nick: str = ""
    """The target: a member, `*` for a random other member, or empty for the sender."""
    seconds: Annotated[float, Meta(gt=0, le=MAX_BLOCK_S)] = 0.3


AnyOperatorCommand = (
    Switch | Kick | Ban | Bans | Unban | Mute | Slow | Lock | Quiet | Pin | ClearHistory | Op | Close | Watch | Chaos
)


# Events


class Event(Struct, tag_field="type", tag=str.lower, omit_defaults=True):
    """The base of all messages that the server sends. Those with a `seq` go to all members, in the order of `seq`."""


class Said(Event):
    """`nick` said `text`, at `at` seconds since the epoch. With the `id` of the sender, it acknowledges the line."""

    seq: Count
    nick: str
    text: str
    at: Time
    id: str = ""
    action: bool = False


class Presence(Event):
    """Members that joined, left or changed nicknames since the previous presence event. A client applies `left`, then
    `renamed` (all at once), then `joined`."""

    seq: Count
    at: Time
    joined: Nicknames = []
    left: Nicknames = []
    renamed: Annotated[list[tuple[str, str]], Meta(max_length=MAX_LISTED)] = []


class ModelSwitched(Event, tag="switched"):
    """The room is run by `model` now. `pause` is the longest time without a delivery during the switch, in seconds;
    `carried` connections were handed over."""

    seq: Count
    at: Time
    model: str
    before: str
    pause: Duration
    carried: Count


class Notice(Event):
    """A text of the room itself. It goes to all members if `seq` is set, and to one member if `seq` is 0."""

    text: str
    seq: Count = 0
    at: Time = 0.0


class Rules(Struct, frozen=True):
    """The rules of the room that hold now."""

    locked: bool = False
    quiet: bool = False
    slow: Duration = 0.0
    """Seconds between two lines of a member."""
    pin: str = ""


class RulesChanged(Event, tag="rules"):
    """An operator has changed the rules. `text` describes the change in a sentence."""

    seq: Count
    at: Time
    text: str
    rules: Rules


Sequenced = Said | Presence | ModelSwitched | Notice | RulesChanged


class Welcome(Event):
    """The client has joined, as `you`. `history` has the last lines of the room or, after a resume, the events after
    `resume.after` that the server still keeps. `missed` is the number of events that it does not keep."""

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
    """The requested nickname, if the server gave another one to a plain or a returning client."""
    motd: str = ""
    rules: Rules = Rules()
    operator: bool = False
    """The client was an operator before, and still is."""
    people: Count = 0
    """Members in the room, with this one."""


class Challenge(Event):
    """The room rejects this client, for `reason`, unless it proves the operators' key with this nonce. After a wrong
    proof, or without a proof in time, the connection ends."""

    nonce: str
    code: str
    reason: str


class Status(Event):
    """The running model and its cost now. `memory` is in bytes, for all processes; shared pages are counted once."""

    model: str
    connections: Count
    served_by: str
    people: Count = 0
    processes: Count = 0
    threads: Count = 0
    memory: Count = 0
    memory_each: Count = 0
    """Bytes that a connection has added on average; 0 while there is no connection."""


class People(Event):
    """The roster after the event `seq`, sorted."""

    seq: Count
    people: Nicknames


class Refused(Event):
    """A command was refused; the connection stays open. `id` is the id of a refused `say`."""

    code: str
    reason: str
    id: str = ""
    suggestion: str = ""
    """A free nickname."""
    wait: Duration = 0.0
    """Seconds until the client may try again."""


class Pong(Event):
    id: str


class Totals(Struct):
    """Counts since the room was opened."""

    most_people: Count = 0
    lines: Count = 0
    slowed: Count = 0
    """Times that a connection had to wait before its next line."""
    refused: Count = 0
    """Refused commands and lines, without those of operators."""
    turned_away: Count = 0
    """Rejected connections: the room was full or locked, or the client is banned."""
    let_go: Count = 0
    """Connections that the server ended: too slow, silent, an overlong line, kicked."""
    died: Count = 0
    """Workers that ended without a report, and sessions that failed."""
    escaped: Count = 0
    """Lines with control or hidden characters, which were sanitized."""
    look_alikes: Count = 0
    """Nicknames that were refused because they look like another member's."""
    oversized: Count = 0
    longest: Duration = 0.0
    """The longest time from reading a line until it was written to all members, in seconds."""


class MeterReading(Event, tag="meter"):
    """The activity and the cost of the running model in the last second. Times are in seconds, memory is in bytes."""

    at: Time
    model: str
    connections: Count
    people: Count
    lines: Rate
    """Lines a second."""
    deliveries: Rate
    """Lines a second, times their recipients."""
    p50: Duration
    """The median time of the last lines, from when a line could be read until it was written to all members."""
    p99: Duration
    processes: Count
    threads: Count
    memory: Count
    memory_each: Count
    cpu: Rate
    """Processor cores in use."""
    tally: Totals


class OperatorGranted(Event, tag="operator"):
    """This connection is an operator's now, by its proof or by another operator's command. `on=False` ends that."""

    on: bool = True


class Goodbye(Event):
    """The last event of a connection."""

    code: str
    reason: str
