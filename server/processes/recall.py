"""Recall: how the master gets all sessions back from its workers when its model stops.

A few at a time, so that the others can talk on meanwhile. Who answers is waited for, however many they are and however
slow the machine is; when nobody has answered for PATIENCE seconds, those who were asked are stuck. So all the stuck
ones together cost no more time than one.
"""

from collections import deque
from collections.abc import Collection, Mapping
from time import monotonic

from server.processes.workers import Worker

GANG = 8
"""Workers that begin, or give their session back, at a time. More would be done sooner, and leave the cores no time for
what is said meanwhile."""
LOOK = 0.05
"""Seconds between two looks. More that pass between them were a pause of the master's own, and no worker's fault."""
PATIENCE = 0.8


class Recall:
    """Asks workers for their sessions, and finds out who is stuck."""

    def __init__(self, workers: Mapping[int, Worker]) -> None:
        """`workers` is the model's own mapping: who has ended, or has answered, is in it no more."""
        self._workers = workers
        self._unasked = deque(workers)
        self._silence = 0.0
        self._looked_at = monotonic()

    def ask(self) -> None:
        """Ask a few more; all of them, where none of those asked answers."""
        under_way = sum(worker.recalled for worker in self._workers.values())
        while self._unasked and (under_way < GANG or self._silence >= LOOK):
            if (worker := self._workers.get(self._unasked.popleft())) is not None:
                worker.recall()
                under_way += 1

    def stuck(self, heard: Collection[Worker]) -> list[Worker]:
        """Those who are to be given up, after a look at which these were heard of."""
        now = monotonic()
        passed, self._looked_at = now - self._looked_at, now
        self._silence = 0.0 if any(worker.recalled for worker in heard) else self._silence + min(passed, LOOK)
        if self._silence < PATIENCE:
            return []
        return [worker for worker in self._workers.values() if worker.recalled]
