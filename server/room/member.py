"""Member: a person, known by a token that outlives the connection. Bounded: what others said is the record's."""

from msgspec import Struct, field
from msgspec.structs import replace

from protocol.messages import Refused, Said

KEPT_RESULTS = 256
"""Answers to `say` remembered for each member."""
KEPT_WHEN_AWAY = 32
"""The same while it is away. What a client sends again are its last lines, whose answers it did not hear: by the
default limits 30 come in the time that a connection may stall."""

ESTABLISHED_S = 30.0
"""Members that were here for so long have precedence over newcomers from their address."""


class Member(Struct):
    """Times are seconds of the room's clock."""

    token: str
    nick: str
    keys: frozenset[str] = frozenset()
    connection_id: int = 0
    """The number of the connection it sits on; 0 while it is away."""
    operator: bool = False
    key_holder: bool = False
    """It proved the operators' key, and was not made one by another."""
    joined_at: float = 0.0
    """When it came in, the last time."""
    stayed: float = 0.0
    """Seconds that it was here, the visit that goes on not counted."""
    host: str = ""
    """The address of its last connection, once it has left."""
    left_at: float = 0.0
    is_restored: bool = False
    """It was in the room before the server was started again, and what it heard there is not kept."""
    last_connection_id: int = 0
    last_keys: frozenset[str] = frozenset()
    """The number of the connection, and the keys of the nickname, with which it left."""
    results: dict[str, Said | Refused] = field(default_factory=dict)
    """The first answer to each `id`, for when the same line is sent again: a `said` without its text, which the record
    has, and the member itself."""

    def remember(self, id: str, result: Said | Refused) -> None:
        """Keep the answer to a line that carried an id."""
        if id:
            self.results[id] = replace(result, text="") if isinstance(result, Said) else result
            if len(self.results) > KEPT_RESULTS:
                del self.results[next(iter(self.results))]

    def is_established(self, now: float) -> bool:
        """Whether it has been in the room for ESTABLISHED_S seconds, all visits together."""
        here = max(0.0, now - self.joined_at) if self.connection_id else 0.0
        return self.operator or self.stayed + here >= ESTABLISHED_S

    def leave(self, now: float) -> None:
        """It is away from now on."""
        self.left_at, self.last_connection_id, self.last_keys = now, self.connection_id, self.keys
        self.connection_id = 0
        self.stayed += max(0.0, now - self.joined_at)
        self.results = dict(list(self.results.items())[-KEPT_WHEN_AWAY:])
