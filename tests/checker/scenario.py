"""Scenarios: the settings of a run, and its outcome. Pure structs."""

from msgspec import Struct

from protocol.messages import Model
from tests.checker.checks import Violation
from tests.checker.plan import Kind


class Scenario(Struct, frozen=True):
    """The settings of a run. `talk` is lines a second of all members, `every` the seconds between two disturbances."""

    seed: int
    model: Model = Model.EVENT
    people: int = 30
    seconds: float = 12.0
    talk: float = 20.0
    every: float = 0.5
    kinds: tuple[Kind, ...] = tuple(Kind)
    times_each: int = 0
    """The disturbances end before `seconds` when each kind was done so often; 0 for never."""
    options: tuple[str, ...] = ()
    mutant: str = ""
    settle_within: float = 30.0
    """Seconds for the room to settle after the disturbances."""
    rest_within: float = 8.0
    """Seconds for the server to release the resources of closed connections. It is longer than `join_timeout` and the
    server's CLOSE_TIMEOUT together: a silent connection may have come last."""
    switch_within: float = 10.0
    """Seconds for a switch at the beginning and at the end."""
    answer_within: float = 8.0
    """Seconds within which a request for a switch is answered."""
    kept: int = 10_000
    """Events that the server keeps for members that resume."""
    shown: int = 50
    """Lines of history that a new member gets."""
    join_timeout: float = 4.0
    """Seconds within which a connection must give a nickname."""

    @property
    def server_options(self) -> tuple[str, ...]:
        """The options with which the server is started."""
        limits = ("--keep", str(self.kept), "--history", str(self.shown), "--join-timeout", str(self.join_timeout))
        return (*limits, *self.options)


def few_are_kept(seed: int) -> int:
    """Return the events to keep: with every third seed so few that resumed members often get a gap."""
    return 10_000 if seed % 3 else 40


class Outcome(Struct):
    """The outcome of a run. `done` counts disturbances, `switches` those that the room announced.

    `carried_unsent` counts the handovers with unsent output. Seconds and counts are those of the whole run.
    """

    scenario: Scenario
    violations: list[Violation]
    done: dict[str, int]
    switches: dict[str, int]
    seconds: float
    settled_after_s: float
    lines: int
    acknowledged: int
    refused: int
    observed: int
    stays: int
    epochs: int
    carried_unsent: int
    reported_gaps: int
    log: str = ""
