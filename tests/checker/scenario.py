"""Scenarios: what is to happen in a run, and what came of it. Pure structs."""

from msgspec import Struct

from protocol.messages import Model
from tests.checker.checks import Violation
from tests.checker.plan import Kind


class Scenario(Struct, frozen=True):
    """What is to happen. `talk` is lines a second of all together, `every` the seconds between two disturbances."""

    seed: int
    model: Model = Model.EVENT
    people: int = 30
    seconds: float = 12.0
    talk: float = 20.0
    every: float = 0.5
    kinds: tuple[Kind, ...] = tuple(Kind)
    options: tuple[str, ...] = ()
    mutant: str = ""
    settle_within: float = 30.0
    kept: int = 10_000
    """Events the server keeps for those who come back."""
    shown: int = 50
    """Lines that somebody new is shown."""
    join_timeout: float = 4.0
    """Seconds within which a connection has to say who it is."""

    @property
    def server_options(self) -> tuple[str, ...]:
        """What the server is started with."""
        limits = ("--keep", str(self.kept), "--history", str(self.shown), "--join-timeout", str(self.join_timeout))
        return (*limits, *self.options)


def few_are_kept(seed: int) -> int:
    """Events to keep: with every third seed so few that who comes back often has to be told of a gap."""
    return 10_000 if seed % 3 else 40


class Outcome(Struct):
    """What came of it. `done` counts disturbances, `switches` those that everybody was told of, `carried_unsent` the
    handovers in which somebody had not taken everything; seconds and counts are of the whole run."""

    scenario: Scenario
    violations: list[Violation]
    done: dict[str, int]
    switches: dict[str, int]
    seconds: float
    settled_in: float
    lines: int
    acknowledged: int
    refused: int
    observed: int
    stays: int
    epochs: int
    carried_unsent: int
    told_gaps: int
    log: str = ""
