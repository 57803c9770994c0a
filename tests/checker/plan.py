"""The nemesis's plan: what it does and when, all from one seed. Pure."""

from enum import StrEnum
from itertools import count
from random import Random

from msgspec import Struct


class Kind(StrEnum):
    """What can be done to a room."""

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


OFTEN = {
    Kind.SWITCH: 9,
    Kind.CLOG: 2,
    Kind.KILL: 4,
    Kind.FREEZE: 2,
    Kind.CUT: 4,
    Kind.RESET: 3,
    Kind.GARBAGE: 2,
    Kind.FLOOD: 2,
}
"""How often something is done in one round; what is not here, once."""


class Step(Struct, frozen=True):
    """One disturbance: when (seconds from the start), what, and the seed of all else about it."""

    at: float
    kind: Kind
    seed: int


def plan(seed: int, seconds: float, kinds: tuple[Kind, ...], every: float) -> list[Step]:
    """What to do in `seconds`, one step about `every` seconds; the same for the same arguments.

    Each round does everything in `kinds` as often as OFTEN says, in an order of its own.
    """
    random = Random(seed)
    steps: list[Step] = []
    at = every
    for _ in count():
        round = [kind for kind in kinds for _ in range(OFTEN.get(kind, 1))]
        random.shuffle(round)
        for kind in round:
            if at >= seconds:
                return steps
            steps.append(Step(at, kind, random.randrange(2**32)))
            at += random.uniform(0.5, 1.5) * every
    raise AssertionError("not reached: time ends")
