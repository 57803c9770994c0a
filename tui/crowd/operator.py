"""CrowdOperator: authenticates a member as operator, and switches the models."""

from collections import Counter
from time import monotonic

from protocol.json_lines import AnyEvent
from protocol.messages import Model, ModelSwitched, OperatorGranted, Refused, Status, Welcome
from tui.crowd.loop import MemberSocket, Phase
from tui.crowd.member import MAX_MODEL_CHARACTERS, sanitized

SWITCH_REFUSALS = ("switch-failed", "switching", "same-model", "not-operator")
OPERATOR_REFUSALS = ("wrong-proof", "no-operators")
PROOF_INTERVAL_S = 1.5
"""Delay until a proof is sent again, since a wrong proof of another client delays the room's checks by a second."""
MODEL_CYCLE = tuple(Model)
"""Both ways around this cycle are the six directions."""


class DirectionChooser:
    """Chooses the next model so that all six directions are used evenly."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, str]] = Counter()

    def next(self, running: str) -> Model:
        """The model to switch to from `running`, by the direction used least."""
        # From an unknown model, all known ones are candidates.
        start = next((place for place, model in enumerate(MODEL_CYCLE) if model == running), 0)
        ways = [model for step in range(3) if (model := MODEL_CYCLE[(start + step) % len(MODEL_CYCLE)]) != running]
        target = min(ways, key=lambda model: self._taken[running, model])
        self._taken[running, target] += 1
        return target


class CrowdOperator:
    """Follows the room's model, and acts as operator through the first member."""

    def __init__(self, *, holds_key: bool) -> None:
        """Without the key it only follows the model."""
        self.model = ""
        """The room's model; empty before the first event."""
        self.refusal = ""
        """Why the room refused the operator, in its words; empty if it did not."""
        self._holds_key = holds_key
        self._granted = False
        self._proved_at = 0.0
        self._directions = DirectionChooser()

    def on_event(self, sock: MemberSocket, event: AnyEvent) -> bool:
        """Handle an event. Returns True if the requested switch was refused."""
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
        """Send the operator's proof, unless that is done or impossible."""
        if not self._holds_key or self._granted or self.refusal or sock.phase is not Phase.HERE:
            return
        if monotonic() >= self._proved_at + PROOF_INTERVAL_S:
            self._proved_at = monotonic()
            sock.prove()

    def switch(self, sock: MemberSocket) -> bool:
        """Request the next model. Returns False if that is not possible now."""
        if not self._granted or sock.phase is not Phase.HERE or not self.model:
            return False
        sock.member.client.switch(self._directions.next(self.model))
        sock.flush()
        return True
