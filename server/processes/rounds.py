"""Rounds: in which order the master writes to its workers, and how fast.

A line is for all of them, and to wake a thousand keeps two cores busy for 30 ms. Written to for each line, they would
all have to be done before the next one began its own way round. So they are written to in a circle, a few at a time,
and each gets all that was said since it had its turn: nobody waits for longer than a round, or is woken more often.
"""

from collections.abc import Callable
from itertools import islice
from math import inf
from time import monotonic

from server.processes.workers import Worker

FEW = 50
"""Workers that are written to before the master listens again."""
WAKING = 10e-6
"""Seconds to let pass for each of them, in which the cores can wake it."""


class Rounds:
    """Who waits to be written to. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._waiting: dict[Worker, None] = {}
        self._next_at = 0.0

    def add(self, worker: Worker) -> None:
        """Something was kept for it. It is last, unless it waits already."""
        self._waiting[worker] = None

    def forget(self, worker: Worker) -> None:
        """It has ended."""
        self._waiting.pop(worker, None)

    @property
    def last(self) -> Worker | None:
        """Who is written to last: by then, all have been."""
        return next(reversed(self._waiting), None)

    def due(self) -> float:
        """Seconds until `go` has something to do; infinity where nobody waits."""
        return max(0.0, self._next_at - self._clock()) if self._waiting else inf

    def go(self) -> None:
        """Write to the next few, if it is time."""
        if not self.due():
            few = list(islice(self._waiting, FEW))
            for worker in few:
                worker.write()
                del self._waiting[worker]
            self._next_at = self._clock() + WAKING * len(few)
