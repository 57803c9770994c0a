"""CrowdOperator: the member that holds the operator's key, and switches the models around."""

from time import monotonic

from protocol.json_lines import AnyEvent
from protocol.messages import ModelSwitched, OperatorGranted, Refused, Status, Welcome
from tui.crowd.member_socket import MemberSocket, Phase
from tui.crowd.switches import Directions
from tui.crowd.words import MAX_MODEL_CHARACTERS, sanitized

SWITCH_REFUSALS = ("switch-failed", "switching", "same-model", "not-operator")
OPERATOR_REFUSALS = ("wrong-proof", "no-operators")
PROOF_INTERVAL_S = 1.5
"""Seconds after which a proof is given again, where another's wrong one had closed the door for a second."""


class CrowdOperator:
    """Hears what everybody hears of the model, and what its own seat is told."""

    def __init__(self, *, holds_key: bool) -> None:
        """Without the key it only listens."""
        self.model = ""
        """The model that runs the room; empty before anybody was told."""
        self.refusal = ""
        """Why we are no operator, in the room's words."""
        self._holds_key = holds_key
        self._granted = False
        self._proved_at = 0.0
        self._directions = Directions()

    def hear(self, sock: MemberSocket, event: AnyEvent) -> bool:
        """Take in what was told. True where a switch that was asked for will not come."""
        if isinstance(event, Welcome | ModelSwitched | Status):
            self.model = sanitized(event.model, MAX_MODEL_CHARACTERS)
        if sock.member.number:
            return False
        match event:
            case Welcome():
                self._granted, self._proved_at = event.operator, 0.0
            case OperatorGranted(on=True):
                self._granted = True
            case Refused() if event.code in OPERATOR_REFUSALS:
                self.refusal = sanitized(event.reason) or "the room refused the proof"
                sock.member.client.holds_key = False
            case Refused():
                return event.code in SWITCH_REFUSALS
        return False

    def prove(self, sock: MemberSocket) -> None:
        """Answer the room's challenge, unless that is done."""
        if not self._holds_key or self._granted or self.refusal or sock.phase is not Phase.HERE:
            return
        if monotonic() >= self._proved_at + PROOF_INTERVAL_S:
            self._proved_at = monotonic()
            sock.prove()

    def switch(self, sock: MemberSocket) -> bool:
        """Ask for the next model; False where that cannot be now."""
        if not self._granted or sock.phase is not Phase.HERE or not self.model:
            return False
        sock.member.client.switch(self._directions.next(self.model))
        sock.flush()
        return True
