"""Operators: who may give orders, proved by a key that is never sent.

The server gives each connection a nonce, and the client answers with the hex HMAC-SHA256 (RFC 2104) of the nonce under
the key. After a wrong proof no other is looked at for a second, from whomever it comes: guessing does not scale with
connections. Who is an operator stays one over a reconnect, because the token is as secret as the key.
"""

import hmac
from collections.abc import Callable
from math import inf

from protocol.messages import Granted, Model, Refused
from protocol.text import harmless
from server.chaos import Strikes
from server.room.member import Member

WRONG_PROOF_PAUSE = 1.0
"""Seconds without proofs after a wrong one."""


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
        self._wrong_at = -inf

    def prove(self, member: Member, nonce: str, proof: str, now: float) -> Granted | Refused:
        """Make `member` an operator if the proof is right. `now` is in seconds."""
        if not self._key:
            return Refused("no-operators", "this room was opened without an operator's key")
        if self._wrong_at <= now < self._wrong_at + WRONG_PROOF_PAUSE:
            return Refused("wait", "a wrong proof was given just now; try again in a second")
        right = hmac.new(self._key, nonce.encode(), "sha256").hexdigest()
        if not hmac.compare_digest(right.encode(), proof.encode()):
            self._wrong_at = now
            return Refused("wrong-proof", "that proof is wrong")
        member.operator = True
        return Granted()

    def switch(self, member: Member, model: str, running: Model | None) -> Refused | None:
        """Ask for `model`; the refusal where that cannot be. `running` is None while a switch is under way."""
        if not member.operator:
            return Refused("not-operator", "only an operator can switch the model")
        if model not in list(Model):
            return Refused("bad-command", f"there is no model {harmless(model[:20])!r}: it is process, thread or event")
        if model == running:
            return Refused("same-model", f"the room is run by the {model} model already")
        if running is None or not self._request_switch(Model(model)):
            return Refused("switching", "a switch is under way; one at a time")
        return None
