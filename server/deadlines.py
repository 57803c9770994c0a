"""Deadlines: when to wake which connection, for a loop that sleeps until the first of them."""

from heapq import heapify, heappop, heappush
from math import inf


class Deadlines:
    """The earliest wish of each connection. A wish that has moved to later is found out when it wakes."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._planned: dict[int, float] = {}

    def __len__(self) -> int:
        """How many wishes are kept, those of the past included."""
        return len(self._heap)

    def plan(self, number: int, due: float) -> None:
        """Wake connection `number` at `due` (seconds), or earlier if that was planned before."""
        if due < self._planned.get(number, inf):
            self._planned[number] = due
            heappush(self._heap, (due, number))
            if len(self._heap) > 2 * len(self._planned) + 64:
                # Most are wishes of the past; far ones would stay until their time.
                self._heap = [(when, number) for number, when in self._planned.items()]
                heapify(self._heap)

    def forget(self, number: int) -> None:
        """The connection is gone."""
        self._planned.pop(number, None)

    def next(self) -> float:
        """When the next is due; infinity for never."""
        return self._heap[0][0] if self._heap else inf

    def take(self, now: float) -> list[int]:
        """The connections that are due."""
        due: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            when, number = heappop(self._heap)
            if self._planned.get(number) == when:
                del self._planned[number]
                due.append(number)
        return due
