"""The plan of the nemesis: disturbances and their times, all from one seed. Pure."""

from collections import Counter
from enum import StrEnum
from itertools import count
from random import Random

from msgspec import Struct


class Kind(StrEnum):
    """The kinds of disturbances."""

    SWITCH = "switch the model"
    HURRY = "ask for two switches at once"
    KILL = "kill -9 a worker"
    FREEZE = "SIGSTOP a worker"
    CUT = "cut connections in the middle of a line"
    FORKSERVER = "kill -9 or SIGSTOP what forks the workers"
    STALL = "stop reading"
    CLOG = "stop reading, much talk, and a switch"
    THROTTLE = "throttle the network"
    RESET = "reset connections in the network"
    STOP = "SIGSTOP the server for a second"
    STARVE = "no file descriptors left, and a switch"
    SILENT = "silent connections"
    GARBAGE = "garbage connections"
    FLOOD = "floods"
    TURNOVER = "people leave, and others come"
    RESTART = "restart the server"
    CRASH = "kill -9 the server, and start it again"


STEPS_PER_ROUND = {
    Kind.SWITCH: 9,
    Kind.CLOG: 2,
    Kind.KILL: 4,
    Kind.FREEZE: 2,
    Kind.CUT: 4,
    Kind.RESET: 3,
    Kind.GARBAGE: 2,
    Kind.FLOOD: 2,
}
"""The steps of each kind in one round; a kind that is not listed has one."""


class Step(Struct, frozen=True):
    """One disturbance: seconds from the start, kind, and the seed of its details."""

    at: float
    kind: Kind
    seed: int


def covered_at(steps: list[Step], times_each: int) -> float:
    """Return the time of the step with which each kind in a plan has `times_each` steps; the last step without it."""
    missing = Counter({step.kind: times_each for step in steps})
    for step in steps:
        missing[step.kind] -= 1
        if all(count <= 0 for count in missing.values()):
            return step.at
    return steps[-1].at if steps else 0.0


def plan(seed: int, seconds: float, kinds: tuple[Kind, ...], every: float) -> list[Step]:
    """Return the steps for `seconds`, one about each `every` seconds. The same arguments give the same plan.

    Each round has all `kinds` once, then as often again as STEPS_PER_ROUND says, both in an order of its own.
    """
    random = Random(seed)
    steps: list[Step] = []
    at = every
    for _ in count():
        once, again = list(kinds), [kind for kind in kinds for _ in range(STEPS_PER_ROUND.get(kind, 1) - 1)]
        random.shuffle(once)
        random.shuffle(again)
        for kind in once + again:
            if at >= seconds:
                return steps
            steps.append(Step(at, kind, random.randrange(2**32)))
            at += random.uniform(0.5, 1.5) * every
    raise AssertionError("not reached: time ends")
