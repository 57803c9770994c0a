"""Operators: the members with a proof of the operators' key, which is never sent.

The server sends each connection a nonce. The client answers with the hex HMAC-SHA256 (RFC 2104) of the nonce under the
key. An operator stays one after a reconnect, because its token is as secret as the key.

Wrong proofs are limited, for each address group and for all together. Rejecting all proofs while some clients guess
would lock the real operator out, so proofs are queued, one of each connection. Address groups take turns. Within a
group, connections with fewer wrong proofs come first, then established members, then older proofs. So the right proof
of a new connection among 200 that guess is found within a second.
"""

import hmac
from collections import Counter
from collections.abc import Callable
from math import inf

from msgspec import Struct

from protocol.messages import Model, OperatorGranted, Refused
from protocol.sanitize import sanitize
from server.address_limits import AddressLimits
from server.fault_clients import FaultClients
from server.room.roster import Member
from server.token_bucket import TokenBucket

WRONG_BURST, WRONG_RATE = 250, 5.0
"""Wrong proofs from one address group: at once, then a second."""
ALL_WRONG_BURST, ALL_WRONG_RATE = 500, 10.0
"""The same from all address groups together."""
CHECK_INTERVAL_S = 0.05
"""Seconds between two checks of queued proofs that wait for the limits."""


class Proof(Struct):
    """A queued proof. `member` is None if the connection has not joined yet."""

    member: Member | None
    nonce: str
    proof: str
    group: str


class Operators:
    """The operators' key, and the actions of operators on the server. Without a key there are no operators."""

    def __init__(
        self,
        key: bytes = b"",
        request_switch: Callable[[Model], bool] = lambda model: False,
        request_close: Callable[[str], None] = lambda reason: None,
        fault_clients: FaultClients | None = None,
    ) -> None:
        """`request_switch` requests another model, and returns False while a switch is under way; `request_close` ends
        the server with a reason; `fault_clients` starts guests."""
        self.fault_clients = fault_clients or FaultClients()
        self.close = request_close
        self._key = key
        self._request_switch = request_switch
        self._waiting: dict[int, Proof] = {}
        """The queued proofs by connection, the oldest first."""
        self._group_queue: dict[str, None] = {}
        """The address groups of the queued proofs. The next one is first."""
        self._guesses: Counter[int] = Counter()
        """Wrong proofs of each connection."""
        self._wrong = TokenBucket.full(ALL_WRONG_BURST, ALL_WRONG_RATE, 0.0)
        self._wrong_by_group = AddressLimits(WRONG_BURST, WRONG_RATE)
        self._next_check = -inf

    @property
    def has_key(self) -> bool:
        """Whether there is a key."""
        return bool(self._key)

    def queue_proof(
        self, number: int, member: Member | None, nonce: str, proof: str, group: str = ""
    ) -> Refused | None:
        """Queue a proof from connection `number` of this address group, for `check_proofs`. Returns the refusal if the
        proof is not queued."""
        if not self._key:
            return Refused("no-operators", "this room was opened without an operator's key")
        if number in self._waiting:
            return Refused("wait", "many proofs are wrong just now; your last one is looked at in its turn")
        self._waiting[number] = Proof(member, nonce, proof, group)
        self._group_queue.setdefault(group)
        self._next_check = -inf
        return None

    def check_proofs(self, now: float) -> list[tuple[int, OperatorGranted | Refused]]:
        """Check queued proofs as far as the limits on wrong ones allow. Members with a right proof become operators.
        Returns the answers by connection. `now` is in seconds."""
        answers: list[tuple[int, OperatorGranted | Refused]] = []
        if not self._waiting or self._next_check - CHECK_INTERVAL_S <= now < self._next_check:
            return answers
        self._next_check = now + CHECK_INTERVAL_S
        self._wrong.updated_at = min(self._wrong.updated_at, now)  # In case the clock was set back.
        while self._wrong.has_token(now) and (number := self._next(now)) is not None:
            asked = self._waiting.pop(number)
            right = hmac.new(self._key, asked.nonce.encode(), "sha256").hexdigest()
            if hmac.compare_digest(right.encode(), asked.proof.encode()):
                if asked.member is not None:
                    asked.member.operator = asked.member.holds_key = True
                answers.append((number, OperatorGranted()))
            else:
                self._wrong.consume(now)
                self._wrong_by_group.try_consume(asked.group, now)
                self._guesses[number] += 1
                answers.append((number, Refused("wrong-proof", "that proof is wrong")))
        return answers

    def _next(self, now: float) -> int | None:
        """The connection of the next proof to check. Its group moves to the end of the queue."""
        for group in list(self._group_queue):
            of_group = [number for number, asked in self._waiting.items() if asked.group == group]
            if not of_group:
                del self._group_queue[group]
            elif not self._wrong_by_group.wait(group, now):
                self._group_queue[group] = self._group_queue.pop(group)
                return min(of_group, key=lambda number: self._rank(number, now))
        return None

    def _rank(self, number: int, now: float) -> tuple[int, bool]:
        """The order within a group, the lowest first. Among equals the oldest proof is first."""
        member = self._waiting[number].member
        return self._guesses[number], not (member is not None and member.is_established(now))

    def forget(self, number: int) -> None:
        """Drop the proof of connection `number`, which has left."""
        self._waiting.pop(number, None)
        self._guesses.pop(number, None)

    def switch(self, model: str, running: Model | None) -> Refused | None:
        """Request `model`. Returns the refusal, or None. `running` is None while a switch is under way."""
        if model not in list(Model):
            return Refused("bad-command", f"there is no model {sanitize(model[:20])!r}: it is process, thread or event")
        if model == running:
            return Refused("same-model", f"the room is run by the {model} model already")
        if running is None or not self._request_switch(Model(model)):
            return Refused("switching", "a switch is under way; one at a time")
        return None
