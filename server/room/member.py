"""Member: a person in the room, identified by a token that outlives the connection. Bounded."""

from msgspec import Struct, field
from msgspec.structs import replace

from protocol.messages import Refused, Said

KEPT_RESULTS = 256
"""Answers to `say` that are kept for each member."""
KEPT_WHEN_AWAY = 32
"""The same while the member is away. A client sends its last lines again if it has no answer to them. By the default
limits it can send 30 lines in the time for which a connection may stall."""

ESTABLISHED_S = 30.0
"""Seconds in the room after which a member has precedence over newcomers from its address."""


class Member(Struct):
    """Times are seconds of the room's clock."""

    token: str
    nick: str
    keys: frozenset[str] = frozenset()
    connection_id: int = 0
    """The number of its connection; 0 while it is away."""
    operator: bool = False
    holds_key: bool = False
    """It has proved the operators' key. Other operators were appointed."""
    joined_at: float = 0.0
    """The start of its current visit, or of its last one."""
    stayed: float = 0.0
    """Seconds of all its visits, without the current one."""
    host: str = ""
    """The address of its last connection; empty before it has left."""
    left_at: float = 0.0
    is_restored: bool = False
    """It was in an earlier room, before the server died. The history of that room is lost."""
    last_connection_id: int = 0
    last_keys: frozenset[str] = frozenset()
    """The number of its connection, and the keys of its nickname, at the time when it left."""
    results: dict[str, Said | Refused] = field(default_factory=dict)
    """The first answer to each `id`, to answer a repeated line. A `said` is kept without its text, because the history
    has the text, and so has the repeated line."""

    def remember(self, id: str, result: Said | Refused) -> None:
        """Keep the answer to a line with an id."""
        if id:
            self.results[id] = replace(result, text="") if isinstance(result, Said) else result
            if len(self.results) > KEPT_RESULTS:
                del self.results[next(iter(self.results))]

    def is_established(self, now: float) -> bool:
        """Whether it has been in the room for ESTABLISHED_S seconds in all visits together, or is an operator."""
        here = max(0.0, now - self.joined_at) if self.connection_id else 0.0
        return self.operator or self.stayed + here >= ESTABLISHED_S

    def leave(self, now: float) -> None:
        """Mark the member as away."""
        self.left_at, self.last_connection_id, self.last_keys = now, self.connection_id, self.keys
        self.connection_id = 0
        self.stayed += max(0.0, now - self.joined_at)
        self.results = dict(list(self.results.items())[-KEPT_WHEN_AWAY:])
