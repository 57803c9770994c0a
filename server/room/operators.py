"""Operators: who may give orders, proved by a key that is never sent.

The server gives each connection a nonce, and the client answers with the hex HMAC-SHA256 (RFC 2104) of the nonce under
the key. Who is an operator stays one over a reconnect, because the token is as secret as the key.

Wrong proofs are throttled for all: WRONG_AT_ONCE, then WRONG_RATE a second, however many connections guess, so that
even a word from a dictionary holds for long. But to refuse to look at any would let whoever guesses keep the right
proof out. So proofs wait in a queue, one of each connection and the oldest first: behind thirty that guess without a
pause, the right one is found after six seconds.
"""

import hmac
from collections.abc import Callable

from msgspec import Struct

from protocol.messages import Granted, Model, Refused
from protocol.text import harmless
from server.chaos import Strikes
from server.room.member import Member
from server.token_bucket import TokenBucket

WRONG_AT_ONCE = 5
WRONG_RATE = 5.0
"""Wrong proofs a second."""


class Proof(Struct):
    """What somebody gave for a proof."""

    member: Member
    nonce: str
    proof: str


class Operators:
    """The operators' key and what they may ask. Without a key there are none."""

    def __init__(
        self,
        key: bytes = b"",
        request_switch: Callable[[Model], bool] = lambda model: False,
        request_close: Callable[[str], None] = lambda reason: None,
        strikes: Strikes | None = None,
    ) -> None:
        """`request_switch` asks for another model, and says whether it was free to; `request_close` ends the server,
        with a reason; `strikes` carries out chaos."""
        self.strikes = strikes or Strikes()
        self.close = request_close
        self._key = key
        self._request_switch = request_switch
        self._waiting: dict[int, Proof] = {}
        """By connection, the oldest first."""
        self._wrong = TokenBucket.full(WRONG_AT_ONCE, WRONG_RATE, 0.0)

    def prove(self, number: int, member: Member, nonce: str, proof: str) -> Refused | None:
        """Take a proof from connection `number`: `look` answers it, now or later. The refusal where it is not taken."""
        if not self._key:
            return Refused("no-operators", "this room was opened without an operator's key")
        if number in self._waiting:
            return Refused("wait", "many proofs are wrong just now; your last one is looked at in its turn")
        self._waiting[number] = Proof(member, nonce, proof)
        return None

    def look(self, now: float) -> list[tuple[int, Member, Granted | Refused]]:
        """Look at the proofs that wait, as far as the allowance for wrong ones goes, and make an operator of whoever
        gave a right one; returns the answers. `now` is in seconds."""
        answers: list[tuple[int, Member, Granted | Refused]] = []
        self._wrong.updated_at = min(self._wrong.updated_at, now)  # A clock that was set back stops nobody.
        while self._waiting and self._wrong.has_token(now):
            number = next(iter(self._waiting))
            asked = self._waiting.pop(number)
            right = hmac.new(self._key, asked.nonce.encode(), "sha256").hexdigest()
            if hmac.compare_digest(right.encode(), asked.proof.encode()):
                asked.member.operator = asked.member.key_holder = True
                answers.append((number, asked.member, Granted()))
            else:
                self._wrong.consume(now)
                answers.append((number, asked.member, Refused("wrong-proof", "that proof is wrong")))
        return answers

    def forget(self, number: int) -> None:
        """Connection `number` has left, and its proof with it."""
        self._waiting.pop(number, None)

    def switch(self, model: str, running: Model | None) -> Refused | None:
        """Ask for `model`; the refusal where that cannot be. `running` is None while a switch is under way."""
        if model not in list(Model):
            return Refused("bad-command", f"there is no model {harmless(model[:20])!r}: it is process, thread or event")
        if model == running:
            return Refused("same-model", f"the room is run by the {model} model already")
        if running is None or not self._request_switch(Model(model)):
            return Refused("switching", "a switch is under way; one at a time")
        return None
